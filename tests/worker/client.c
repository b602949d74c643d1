/* The command line's pure parts: options, addresses, moments, the demo world, the comparison with a broker. */
#include "address.h"
#include "ask.h"
#include "consignment.h"
#include "difference.h"
#include "moment_option.h"
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "run.h"

#define NOW INT64_C(1780000000000000)

struct values {
	struct common_values common;
	const char *name, *needed;
	struct option_texts many;
	long count;
	bool is_set;
};

static const struct option_row rows[] = {
	{ .name = "name",
		.letter = 'n',
		.argument = "X",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct values, name),
		.fallback = "nobody" },
	{ .name = "needed",
		.argument = "X",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct values, needed),
		.is_required = true,
		.choices = "a|bc",
		.help = "it is" },
	{ .name = "many", .argument = "X", .kind = OPTION_TEXTS, .offset = offsetof(struct values, many) },
	{ .name = "count",
		.argument = "N",
		.kind = OPTION_NUMBER,
		.offset = offsetof(struct values, count),
		.fallback = "7",
		.minimum = 1,
		.maximum = 9 },
	{ .name = "set", .kind = OPTION_FLAG, .offset = offsetof(struct values, is_set) },
	{ .name = NULL },
};

/* Reads up to seven words; the faults' text is in `faults`. */
static bool read_options(const char *const words[], struct values *values, struct positionals *positionals,
	char faults[1024])
{
	static char storage[7][64]; /* the values point into it */
	char *arguments[8] = { NULL };
	memset(faults, 0, 1024);
	FILE *file = fmemopen(faults, 1023, "w");
	for (size_t i = 0; i < 7 && words[i] != NULL; i++) {
		snprintf(storage[i], sizeof(storage[i]), "%s", words[i]);
		arguments[i] = storage[i];
	}
	*values = (struct values){ .count = 0 };
	*positionals = (struct positionals){ .count = 0 };
	bool is_good = options_read(rows, arguments, values, positionals, file);
	fclose(file);
	return is_good;
}

START_TEST(options_are_read_in_every_form)
{
	static const char *const words[] = { "--name=x=y", "--needed", "bc", "--count=9", "--set", "-o", "json",
		NULL };
	struct values values;
	struct positionals positionals;
	char faults[1024];
	ck_assert_msg(read_options(words, &values, &positionals, faults), "%s", faults);
	ck_assert_str_eq(values.name, "x=y");
	ck_assert_str_eq(values.needed, "bc");
	ck_assert_str_eq(values.common.format, "json");
	ck_assert_int_eq(values.count, 9);
	ck_assert(values.is_set && !values.common.wants_help);
}
END_TEST

START_TEST(options_have_fallbacks_and_an_end)
{
	static const char *const words[] = { "--needed", "a", "--many", "1", "--many=2", "--", "--set", NULL };
	struct values values;
	struct positionals positionals;
	char faults[1024];
	ck_assert_msg(read_options(words, &values, &positionals, faults), "%s", faults);
	ck_assert_str_eq(values.name, "nobody");
	ck_assert_int_eq(values.count, 7);
	ck_assert_uint_eq(values.many.count, 2);
	ck_assert_str_eq(values.many.items[1], "2");
	ck_assert_uint_eq(positionals.count, 1);
	ck_assert_str_eq(positionals.items[0], "--set");
	ck_assert(!values.is_set);
}
END_TEST

static const struct {
	const char *words[3];
	const char *fault;
} bad_options[] = {
	{ { "--needed", "b" }, "\"b\" is none of a|bc" },
	{ { "--needed", "a|bc" }, "none of" },
	{ { "--needed=a", "--count=10" }, "\"10\" is no number from 1 to 9" },
	{ { "--needed=a", "--count=1x" }, "no number" },
	{ { "--needed=a", "--count=" }, "no number" },
	{ { "--needed=a", "--set=yes" }, "takes no value" },
	{ { "--needed=a", "--nam" }, "no such option" },
	{ { "--needed=a", "--names" }, "no such option" },
	{ { "--needed=a", "-x" }, "no such option" },
	{ { "--needed=a", "-nx" }, "no such option" },
	{ { "--needed=a", "--name" }, "a value has to follow" },
	{ { "--name", "x" }, "--needed: missing: it is" },
};

START_TEST(bad_options_are_named)
{
	struct values values;
	struct positionals positionals;
	char faults[1024];
	const char *const words[] = { bad_options[_i].words[0], bad_options[_i].words[1], NULL };
	ck_assert(!read_options(words, &values, &positionals, faults));
	ck_assert_msg(strstr(faults, bad_options[_i].fault) != NULL, "%s", faults);
}
END_TEST

static const struct {
	const char *url, *rest, *host, *user, *password, *path;
} addresses[] = {
	{ "amqp://u:p@127.0.0.1:5672/carebus", "amqp://127.0.0.1:5672/carebus", "127.0.0.1:5672", "u", "p",
		"carebus" },
	{ "amqp://u:p%40%3a@h/%2f", "amqp://h/%2f", "h", "u", "p@:", "/" },
	{ "amqp://a@b:c@d", "amqp://d", "d", "a@b", "c", "" },
	{ "http://h:1", "http://h:1", "h:1", "", "", "" },
	{ "http://h:1/x?y=1", "http://h:1/x?y=1", "h:1", "", "", "x" },
	{ "amqp://u:@h", "amqp://h", "h", "u", "", "" },
};

START_TEST(an_address_is_taken_apart)
{
	struct address address;
	struct why why = { .text = "" };
	ck_assert_msg(address_parse(&address, "X", addresses[_i].url, &why), "%s", why.text);
	ck_assert_str_eq(address.url, addresses[_i].rest);
	ck_assert_str_eq(address.host, addresses[_i].host);
	ck_assert_str_eq(address.user, addresses[_i].user);
	ck_assert_str_eq(address.password, addresses[_i].password);
	ck_assert_str_eq(address.path, addresses[_i].path);
}
END_TEST

static const char *const bad_addresses[] = { "", "secret", "amqp:/secret@h", "amqp://", "amqp://secret@",
	"amqp:u:secret@h://", "://secret@h", "amqp://u:secret@%00h", "amqp://u:secret%00@h",
	"amqp://u:secret%4@h", "amqp://u:secret%zz@h", "amqp://u:secret%" };

START_TEST(a_bad_address_is_refused_without_being_shown)
{
	struct address address;
	struct why why = { .text = "" };
	ck_assert(!address_parse(&address, "CAREBUS_AMQP", bad_addresses[_i], &why));
	ck_assert_ptr_nonnull(strstr(why.text, "CAREBUS_AMQP"));
	ck_assert_ptr_null(strstr(why.text, "secret"));
}
END_TEST

START_TEST(an_overlong_address_is_refused)
{
	char url[2000];
	struct address address;
	struct why why = { .text = "" };
	for (size_t length = 200; length < sizeof(url); length += 100) {
		memset(url, 'a', sizeof(url));
		memcpy(url, "amqp://u:", 9);
		memcpy(url + length - 4, "@h/", 4);
		ck_assert(address_parse(&address, "X", url, &why) == (length - 13 < ADDRESS_PART_MAX));
	}
}
END_TEST

static const struct {
	const char *text;
	int64_t from_now_s; /* -1: refused */
} moments[] = {
	{ "+90m", 5400 },
	{ "+36h", 129600 },
	{ "+3d", 259200 },
	{ "-1d", -86400 },
	{ "2026-05-28T20:26:40Z", 0 },
	{ "2026-05-28T22:26:41+02:00", 1 },
};

START_TEST(moments_are_read)
{
	int64_t time_us;
	ck_assert(moment_option_read(moments[_i].text, NOW, &time_us));
	ck_assert_int_eq(time_us, NOW + moments[_i].from_now_s * 1000000);
}
END_TEST

static const char *const bad_moments[] = { "", "+", "+h", "3d", "+3w", "+3dd", "+999999d", "tomorrow",
	"2026-02-30T00:00:00Z" };

START_TEST(other_moments_are_refused)
{
	int64_t time_us = 42;
	ck_assert(!moment_option_read(bad_moments[_i], NOW, &time_us));
	ck_assert_int_eq(time_us, 42);
}
END_TEST

static const struct option_texts no_banks;
static const struct consignment demo = {
	.world = { .seed = "demo", .day_us = INT64_C(1779926400000000) },
	.banks = &no_banks,
	.units = 250,
	.units_per_command = 100,
};

static const char *write_command(const struct consignment *consignment, size_t number, struct arena *arena,
	char message_id[UUID_TEXT_BYTES])
{
	struct buffer body;
	struct why why = { .text = "" };
	buffer_init(&body);
	ck_assert_msg(consignment_write(consignment, number, arena, &body, message_id, &why), "%s", why.text);
	const char *copy = arena_text(arena, buffer_text(&body));
	buffer_clear(&body);
	return copy;
}

START_TEST(a_consignment_is_cut_into_commands)
{
	ck_assert_uint_eq(consignment_commands(&demo), 3);
	ck_assert_uint_eq(consignment_units(&demo, 0), 100);
	ck_assert_uint_eq(consignment_units(&demo, 2), 50);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_commands)
{
	struct arena arena;
	struct consignment other = demo;
	char a[UUID_TEXT_BYTES], b[UUID_TEXT_BYTES], c[UUID_TEXT_BYTES];
	arena_init(&arena);
	ck_assert_str_eq(write_command(&demo, 1, &arena, a), write_command(&demo, 1, &arena, b));
	ck_assert_str_eq(a, b);
	other.world.seed = "another";
	ck_assert_str_ne(write_command(&demo, 1, &arena, a), write_command(&other, 1, &arena, c));
	ck_assert_str_ne(a, c);
	write_command(&demo, 0, &arena, b);
	ck_assert_str_ne(a, b);
	arena_clear(&arena);
}
END_TEST

START_TEST(units_of_the_world_are_usable_and_each_is_its_own)
{
	static const int64_t life_days[] = { [COMPONENT_RED_CELLS] = 42,
		[COMPONENT_WHOLE_BLOOD] = 35,
		[COMPONENT_PLASMA] = 365,
		[COMPONENT_CRYO] = 365,
		[COMPONENT_PLATELETS] = 5 };
	struct arena arena;
	enum { COUNT = 3000 };
	bool is_seen[COUNT] = { false };
	size_t of_component[COMPONENT_PLATELETS + 1] = { 0 };
	arena_init(&arena);
	for (unsigned long i = 0; i < COUNT; i++) {
		struct received_unit unit;
		world_unit(&demo.world, i, &arena, &unit);
		unsigned long serial = strtoul(unit.din + 7, NULL, 10);
		ck_assert_msg(strncmp(unit.din, "A9999", 5) == 0 && strlen(unit.din) == 13, "%s", unit.din);
		ck_assert(serial < COUNT && !is_seen[serial]);
		is_seen[serial] = true;
		of_component[unit.component]++;
		ck_assert_int_lt(unit.collected_at, demo.world.day_us);
		ck_assert_int_gt(unit.collected_at + DAYS_US(life_days[unit.component]),
			demo.world.day_us + DAYS_US(1));
	}
	for (enum component component = COMPONENT_RED_CELLS; component <= COMPONENT_PLATELETS; component++)
		ck_assert_uint_gt(of_component[component], COUNT / 40);
	arena_clear(&arena);
}
END_TEST

START_TEST(an_ask_becomes_a_body)
{
	struct ask ask = { .hospital_id = "hospital-001",
		.component = "cryo",
		.group = "unknown",
		.urgency = "urgent",
		.quantity = 2,
		.needed_at = "+1h",
		.age_years = "7" };
	struct arena arena;
	struct buffer body;
	struct why why = { .text = "" };
	arena_init(&arena);
	buffer_init(&body);
	ck_assert_msg(ask_write(&ask, "11111111-1111-4111-8111-111111111111", NOW, &arena, &body, &why), "%s",
		why.text);
	ck_assert_str_eq(buffer_text(&body),
		"{\"request_id\":\"11111111-1111-4111-8111-111111111111\",\"hospital_id\":\"hospital-001\",\"component\":\"cryo\","
		"\"group\":\"unknown\",\"quantity\":2,\"urgency\":\"urgent\",\"needed_at\":\"2026-05-28T21:26:40Z\","
		"\"patient\":{\"age_years\":7},\"accept_partial\":true}");
	buffer_reset(&body);
	ask.age_years = "seven";
	ck_assert(!ask_write(&ask, "11111111-1111-4111-8111-111111111111", NOW, &arena, &body, &why));
	ask.age_years = "700";
	ck_assert(!ask_write(&ask, "11111111-1111-4111-8111-111111111111", NOW, &arena, &body, &why));
	ck_assert_str_eq(buffer_text(&body), "");
	buffer_clear(&body);
	arena_clear(&arena);
}
END_TEST

/* Counts of what was told, by kind. */
static void count_kind(void *owner, const struct part *part, enum difference_kind kind,
	const json_t *expected, const json_t *live)
{
	size_t *counts = owner;
	(void)part;
	ck_assert((expected != NULL) == (kind != DIFFERENCE_SURPLUS));
	ck_assert((live != NULL) == (kind != DIFFERENCE_MISSING));
	counts[kind]++;
}

static const struct {
	const char *part, *topology, *live;
	size_t counts[3]; /* missing, other, surplus */
} comparisons[] = {
	{ "queues", "{\"queues\":[{\"name\":\"a\",\"durable\":true,\"auto_delete\":false,\"arguments\":{}}]}",
		"[{\"name\":\"a\",\"durable\":true,\"auto_delete\":false,\"arguments\":{},\"news\":1}]",
		{ 0, 0, 0 } },
	{ "queues", "{\"queues\":[{\"name\":\"a\",\"durable\":true,\"auto_delete\":false,\"arguments\":{}}]}",
		"[]", { 1, 0, 0 } },
	{ "queues", "{\"queues\":[{\"name\":\"a\",\"durable\":true,\"auto_delete\":false,\"arguments\":{}}]}",
		"[{\"name\":\"a\",\"durable\":true,\"auto_delete\":false,\"arguments\":{\"x-queue-type\":\"classic\"}}]",
		{ 0, 1, 0 } },
	{ "queues", "{\"queues\":[]}",
		"[{\"name\":\"b\"},{\"name\":\"c\",\"exclusive\":true},{\"name\":\"d\",\"auto_delete\":true}]",
		{ 0, 0, 1 } },
	{ "exchanges", "{\"exchanges\":[]}", "[{\"name\":\"\"},{\"name\":\"amq.topic\"},{\"name\":\"x\"}]",
		{ 0, 0, 1 } },
	{ "bindings", "{\"bindings\":[],\"queues\":[{\"name\":\"a\"}],\"exchanges\":[]}",
		"[{\"source\":\"\",\"destination\":\"a\",\"destination_type\":\"queue\"},"
		"{\"source\":\"x\",\"destination\":\"a\",\"destination_type\":\"queue\"},"
		"{\"source\":\"x\",\"destination\":\"own\",\"destination_type\":\"queue\"}]",
		{ 0, 0, 1 } },
	{ "users", "{\"users\":[{\"name\":\"u\",\"tags\":[]}]}",
		"[{\"name\":\"u\",\"tags\":[\"administrator\"]},{\"name\":\"v\"}]", { 0, 1, 0 } },
	{ "policies", "{\"policies\":[]}", "[{\"name\":\"p\"}]", { 0, 0, 1 } },
};

START_TEST(differences_are_found)
{
	json_t *topology = json_loads(comparisons[_i].topology, 0, NULL),
		   *live = json_loads(comparisons[_i].live, 0, NULL);
	size_t counts[3] = { 0 };
	const struct part *part = parts;
	while (strcmp(part->name, comparisons[_i].part) != 0)
		part++;
	difference_find(part, topology, live, count_kind, counts);
	for (int kind = 0; kind < 3; kind++)
		ck_assert_uint_eq(counts[kind], comparisons[_i].counts[kind]);
	json_decref(topology);
	json_decref(live);
}
END_TEST

START_TEST(differences_are_named)
{
	json_t *binding = json_loads(
		"{\"source\":\"s\",\"destination\":\"d\",\"destination_type\":\"queue\",\"routing_key\":\"k\"}", 0,
		NULL);
	char text[100], cut[20];
	difference_name(&parts[2], binding, text, sizeof(text));
	ck_assert_str_eq(text, "source s, destination d, destination_type queue, routing_key k");
	difference_name(&parts[2], binding, cut, sizeof(cut));
	ck_assert_str_eq(cut, "source s, destinati");
	json_decref(binding);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
	Suite *suite = suite_create("client");
	TCase *tests = tcase_create("pure");
	tcase_add_test(tests, options_are_read_in_every_form);
	tcase_add_test(tests, options_have_fallbacks_and_an_end);
	tcase_add_loop_test(tests, bad_options_are_named, 0, COUNT(bad_options));
	tcase_add_loop_test(tests, an_address_is_taken_apart, 0, COUNT(addresses));
	tcase_add_loop_test(tests, a_bad_address_is_refused_without_being_shown, 0, COUNT(bad_addresses));
	tcase_add_test(tests, an_overlong_address_is_refused);
	tcase_add_loop_test(tests, moments_are_read, 0, COUNT(moments));
	tcase_add_loop_test(tests, other_moments_are_refused, 0, COUNT(bad_moments));
	tcase_add_test(tests, a_consignment_is_cut_into_commands);
	tcase_add_test(tests, the_same_seed_gives_the_same_commands);
	tcase_add_test(tests, units_of_the_world_are_usable_and_each_is_its_own);
	tcase_add_test(tests, an_ask_becomes_a_body);
	tcase_add_loop_test(tests, differences_are_found, 0, COUNT(comparisons));
	tcase_add_test(tests, differences_are_named);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
