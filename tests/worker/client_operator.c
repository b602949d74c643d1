/* The operators' commands, pure parts: patterns, sieves, summaries, the contract's flow, properties as bytes, parked messages. */
#include "graph.h"
#include "help.h"
#include "parcel.h"
#include "pattern.h"
#include "printable.h"
#include "properties.h"
#include "queue_names.h"
#include "sieve.h"
#include "summary.h"

#include <stdlib.h>
#include <string.h>

#include "run.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static const struct {
	const char *pattern, *text;
	bool is_match;
} patterns[] = {
	{ "hospital.blood.request", "hospital.blood.request", true },
	{ "hospital.blood.request", "hospital.blood.requested", false },
	{ "hospital.*", "hospital.blood.request", true },
	{ "hospital.#", "hospital.blood.request", true },
	{ "*.blood.*", "bloodbank.blood.approved", true },
	{ "*.blood.*", "bloodbank.unit.expired", false },
	{ "*.*.request??", "hospital.blood.requested", true },
	{ "*.*.request?", "hospital.blood.requested", false },
	{ "*ed", "bloodbank.blood.approved", true },
	{ "*a*b*d", "bloodbank.blood.abd", true },
	{ "#.emergency", "hospital.blood.request.emergency", true },
	{ "#.emergency", "hospital.blood.request", false },
	{ "", "x", false },
	{ "", "", true },
	{ "*", "", true },
	{ "#", "anything", true },
	{ "x", "", false },
};

START_TEST(a_pattern_matches_as_people_expect)
{
	ck_assert_msg(pattern_matches(patterns[_i].pattern, patterns[_i].text) == patterns[_i].is_match, "%s %s",
		patterns[_i].pattern, patterns[_i].text);
}
END_TEST

static const struct {
	const char *text, *shown;
} texts[] = {
	{ "plain text", "plain text" },
	{ "a\033[2Jb\n\x7f", "a?[2Jb??" },
	{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\xa9\xb8", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\xa9\xb8" },
	{ "c1 \xc2\x9b", "c1 ??" },
	{ "cut \xe2\x82", "cut " },
	{ "cut \xf0", "cut " },
	{ "hidden \xe2\x1b[2J", "hidden ??[2J" },
	{ "lone \x9b"
	  "1m",
		"lone ?1m" },
	{ "bad \xff\xfe", "bad ??" },
	{ "", "" },
};

START_TEST(controls_are_not_printed)
{
	char text[64];
	snprintf(text, sizeof(text), "%s", texts[_i].text);
	printable(text);
	ck_assert_str_eq(text, texts[_i].shown);
}
END_TEST

static const struct {
	struct sieve sieve;
	const char *routing_key, *correlation_id, *body;
	bool passes;
} sightings[] = {
	{ { 0 }, "k", "c", "{}", true },
	{ { 0 }, "k", NULL, NULL, true },
	{ { .facility = "bank-001" }, "k", "c", "{\"bank_id\":\"bank-001\"}", true },
	{ { .facility = "bank-001" }, "k", "c", "{\"hospital_id\":\"bank-0011\",\"note\":\"bank-001\"}", false },
	{ { .facility = "bank-001" }, "k", "c", "{\"units\":[{\"bank_id\":\"x\"},{\"bank_id\":\"bank-001\"}]}",
		true },
	{ { .facility = "hospital-001" }, "k", "c", "{\"hospital_id\":\"hospital-001\"}", true },
	{ { .facility = "hospital-001" }, "k", "c", "[]", false },
	{ { .facility = "hospital-001" }, "k", "c", NULL, false },
	{ { .correlation = "1A2b" }, "k", "1a2b3c4d", "{}", true },
	{ { .correlation = "1a2b" }, "k", "1a2", "{}", false },
	{ { .correlation = "1a2b" }, "k", NULL, "{}", false },
	{ { .is_emergency = true }, "hospital.blood.request.emergency", "c", NULL, true },
	{ { .is_emergency = true }, "hospital.request.updated", "c", "{\"urgency\":\"emergency\"}", true },
	{ { .is_emergency = true }, "notification.message.created", "c", "{\"is_emergency\":true}", true },
	{ { .is_emergency = true }, "hospital.blood.request", "c", "{\"urgency\":\"urgent\"}", false },
	{ { .is_emergency = true }, ".emergencyx", "c", NULL, false },
	{ { .is_emergency = true, .facility = "b" }, "x.emergency", "c", "{\"bank_id\":\"a\"}", false },
};

START_TEST(a_sieve_lets_through_what_is_wanted)
{
	json_t *body = sightings[_i].body == NULL ? NULL : json_loads(sightings[_i].body, 0, NULL);
	const struct sighting sighting = { sightings[_i].routing_key, sightings[_i].correlation_id, body };
	ck_assert(sieve_passes(&sightings[_i].sieve, &sighting) == sightings[_i].passes);
	json_decref(body);
}
END_TEST

static const struct {
	enum event event;
	const char *body, *summary;
} summaries[] = {
	{ HOSPITAL_BLOOD_REQUEST,
		"{\"urgency\":\"urgent\",\"quantity\":2,\"component\":\"plasma\",\"group\":\"O-\",\"hospital_id\":\"h\"}",
		"urgent: 2 x plasma O- for h" },
	{ HOSPITAL_BLOOD_CANCELLED, "{\"hospital_id\":\"h\",\"reason\":\"not needed\",\"cancelled_by\":\"dr-1\"}",
		"h: not needed, by dr-1" },
	{ HOSPITAL_BLOOD_CANCEL, "{\"reason\":\"not needed\"}", "not needed" },
	{ BLOODBANK_UNIT_RECEIVED,
		"{\"bank_id\":\"b\",\"units\":[{\"component\":\"plasma\",\"group\":\"O-\",\"din\":\"A999926000001\"},{}]}",
		"2 units at b: plasma O- A999926000001 and others" },
	{ BLOODBANK_UNIT_EXPIRED, "{\"unit_id\":\"u\",\"bank_id\":\"b\"}", "u at b" },
	{ BLOODBANK_INVENTORY_UPDATED,
		"{\"bank_id\":\"b\",\"component\":\"cryo\",\"group\":\"A+\",\"available\":3,\"reserved\":1,\"expiring_24h\":2}",
		"b cryo A+: 3 available, 1 reserved, 2 expire within a day" },
	{ BLOODBANK_STOCK_LOW,
		"{\"bank_id\":\"b\",\"component\":\"cryo\",\"group\":\"A+\",\"available\":3,\"days_of_stock\":1.25,\"threshold\":3,"
		"\"threshold_unit\":\"days\"}",
		"b cryo A+: 3 available for 1.2 days, threshold 3 days" },
	{ BLOODBANK_STOCK_CRITICAL,
		"{\"bank_id\":\"b\",\"component\":\"cryo\",\"group\":\"A+\",\"available\":0,\"days_of_stock\":null,\"threshold\":2,"
		"\"threshold_unit\":\"units\"}",
		"b cryo A+: 0 available, threshold 2 units" },
	{ NOTIFICATION_MESSAGE_CREATED,
		"{\"facility_id\":\"h\",\"role\":\"ward\",\"text\":\"two\\u001b units\",\"is_emergency\":true}",
		"emergency: h ward: two? units" },
	{ NOTIFICATION_MESSAGE_ACKNOWLEDGED, "{\"facility_id\":\"h\",\"by\":\"n-1\",\"notification_id\":\"i\"}",
		"h by n-1 i" },
	{ BLOODBANK_UNIT_REFUSED, "{\"reason\":\"expired\",\"detail\":\"yesterday\"}", "expired: yesterday" },
	{ EVENT_NONE, "{}", "" },
};

START_TEST(an_event_is_summarized)
{
	char summary[SUMMARY_MAX];
	json_t *body = json_loads(summaries[_i].body, 0, NULL);
	summary_write(summaries[_i].event, body, summary);
	ck_assert_str_eq(summary, summaries[_i].summary);
	summary_write(summaries[_i].event, NULL, summary); /* a body that is no JSON */
	json_decref(body);
}
END_TEST

START_TEST(every_event_that_can_be_watched_has_a_summary)
{
	json_t *graph = graph_load();
	const json_t *events = json_object_get(graph, "events");
	json_t *body = json_pack("{s:s, s:s, s:s}", "reason", "r", "unit_id", "u", "notification_id", "n");
	for (size_t i = 0; i < json_array_size(events); i++) {
		char summary[SUMMARY_MAX];
		const json_t *event = json_array_get(events, i);
		summary_write(event_find(graph_name(event)), body, summary);
		ck_assert_msg(!graph_has(event, "consumers", "feed") || summary[0] != '\0', "%s", graph_name(event));
	}
	json_decref(body);
	json_decref(graph);
}
END_TEST

START_TEST(the_flow_is_the_contracts)
{
	json_t *graph = graph_load();
	ck_assert_uint_eq(json_array_size(json_object_get(graph, "events")), EVENT_COUNT - 1);
	const json_t *requested = graph_event(graph, "hospital.blood.requested");
	ck_assert(graph_has(requested, "consumers", "bloodbank") && graph_has(requested, "emitters", "upstream"));
	ck_assert(graph_causes(requested, "hospital", "hospital.blood.request"));
	ck_assert(!graph_causes(requested, "upstream", "hospital.blood.request"));
	ck_assert(graph_is_start(requested) && !graph_is_start(graph_event(graph, "bloodbank.blood.approved")));
	ck_assert(graph_follows(graph_event(graph, "bloodbank.unit.expired"), "timer"));
	ck_assert_ptr_null(graph_event(graph, "hospital.blood"));
	json_decref(graph);
}
END_TEST

START_TEST(a_chain_reaches_each_event_once)
{
	json_t *graph = graph_load(), *reached = graph_reach(graph, "hospital.blood.request");
	size_t approved = 0;
	ck_assert_str_eq(graph_name(json_array_get(reached, 0)), "hospital.blood.request");
	for (size_t i = 0; i < json_array_size(reached); i++) {
		approved += strcmp(graph_name(json_array_get(reached, i)), "bloodbank.blood.approved") == 0;
		ck_assert_str_ne(graph_name(json_array_get(reached, i)), "bloodbank.unit.expired");
	}
	ck_assert_uint_eq(approved, 1);
	json_decref(reached);
	json_decref(graph);
}
END_TEST

/* content_type, headers {a: 1, reason: "r", "": true, CC: ["q"], x-death: [...], sender: "s"}, delivery_mode, message_id, type, user_id */
#define HEADERS \
	"\001a" \
	"I\0\0\0\001" \
	"\006reason" \
	"S\0\0\0\001r" \
	"\0" \
	"t\001" \
	"\002CC" \
	"A\0\0\0\006" \
	"S\0\0\0\001q" \
	"\007x-death" \
	"A\0\0\0\0" \
	"\006sender" \
	"S\0\0\0\001s" \
	"\004deep" \
	"F\0\0\0\013" \
	"\001b" \
	"d\100\0\0\0\0\0\0\0"
#define HEADERS_BYTES (sizeof(HEADERS) - 1)

static struct slice slice_of(const struct buffer *buffer)
{
	return (struct slice){ buffer->data, buffer->length_bytes };
}

/* Flags, then those of the properties above. */
static void write_sample(struct buffer *out)
{
	buffer_init(out);
	buffer_add_u16(out, 0x8000 | 0x2000 | 0x1000 | 0x0080 | 0x0020 | 0x0010);
	buffer_add(out, "\001j", 2);
	buffer_add_u32(out, HEADERS_BYTES);
	buffer_add(out, HEADERS, HEADERS_BYTES);
	buffer_add_byte(out, 2);
	buffer_add(out,
		"\002id"
		"\001t"
		"\001u",
		7);
}

/* Reads, shows and writes whatever the bytes are; the sanitizers watch. True: it was of the form. */
static bool survives(struct slice bytes)
{
	struct properties properties;
	struct buffer again;
	if (!properties_read(bytes, &properties))
		return false;
	buffer_init(&again);
	json_t *shown = properties_json(&properties);
	bool is_written = properties_write_again(&properties, "t", &again);
	ck_assert(is_written || shown == NULL);
	buffer_clear(&again);
	json_decref(shown);
	return shown != NULL;
}

START_TEST(properties_are_taken_apart)
{
	struct buffer bytes;
	struct properties properties;
	write_sample(&bytes);
	ck_assert(properties_read(slice_of(&bytes), &properties));
	json_t *shown = properties_json(&properties);
	char *text = json_dumps(shown, JSON_COMPACT);
	ck_assert_str_eq(text,
		"{\"content_type\":\"j\",\"headers\":{\"a\":1,\"reason\":\"r\",\"\":true,\"CC\":[\"q\"],\"x-death\":[],"
		"\"sender\":\"s\",\"deep\":{\"b\":2.0}},\"delivery_mode\":2,\"message_id\":\"id\",\"type\":\"t\",\"user_id\":\"u\"}");
	free(text);
	json_decref(shown);
	buffer_clear(&bytes);
}
END_TEST

START_TEST(a_second_sending_keeps_what_is_the_messages)
{
	struct buffer bytes, again;
	struct properties properties;
	write_sample(&bytes);
	buffer_init(&again);
	ck_assert(properties_read(slice_of(&bytes), &properties));
	ck_assert(properties_write_again(&properties, "other", &again));
	ck_assert(properties_read(slice_of(&again), &properties));
	json_t *shown = properties_json(&properties);
	char *text = json_dumps(shown, JSON_COMPACT);
	ck_assert_str_eq(text,
		"{\"content_type\":\"j\",\"headers\":{\"a\":1,\"deep\":{\"b\":2.0},\"sender\":\"s\"},\"delivery_mode\":2,"
		"\"message_id\":\"id\",\"type\":\"t\"}");
	free(text);
	json_decref(shown);
	buffer_clear(&again);
	buffer_clear(&bytes);
}
END_TEST

static const struct {
	const char *bytes;
	size_t length;
	const char *again; /* as JSON, sent again with the type "t" */
} second_sendings[] = {
	{ "\0\0", 2, "{\"type\":\"t\"}" },
	{ "\0\x10\002me", 5, "{\"headers\":{\"sender\":\"me\"},\"type\":\"t\"}" },
	{ "\x20\x10\0\0\0\014\006senderS\0\0\0\0\002me", 21,
		"{\"type\":\"t\"}" }, /* parked by a worker that did not know */
	{ "\x20\0\0\0\0\0", 6, "{\"type\":\"t\"}" }, { "\0\x20\0", 3, "{\"type\":\"\"}" },
	{ "\x20\0\0\0\0\006\001nS\0\0\0", 12, NULL }, /* the table ends inside a text */
	{ "\x20\0\0\0\0\003\001n?", 9, NULL },        /* of no kind */
};

START_TEST(who_sent_it_first_is_told)
{
	struct buffer again;
	struct properties properties;
	buffer_init(&again);
	ck_assert(properties_read((struct slice){ (const unsigned char *)second_sendings[_i].bytes,
								  second_sendings[_i].length },
		&properties));
	bool is_good = properties_write_again(&properties, "t", &again);
	ck_assert(is_good == (second_sendings[_i].again != NULL));
	if (is_good) {
		ck_assert(properties_read(slice_of(&again), &properties));
		json_t *shown = properties_json(&properties),
			   *wanted = json_loads(second_sendings[_i].again, 0, NULL);
		ck_assert(json_equal(shown, wanted));
		json_decref(shown);
		json_decref(wanted);
	}
	buffer_clear(&again);
}
END_TEST

START_TEST(bytes_that_are_cut_are_no_properties)
{
	struct buffer bytes;
	write_sample(&bytes);
	ck_assert(survives(slice_of(&bytes)));
	for (size_t length = 0; length < bytes.length_bytes; length++) {
		unsigned char *cut = malloc(length + 1); /* so that the sanitizer sees a byte too far */
		ck_assert_ptr_nonnull(cut);
		memcpy(cut, bytes.data, length);
		ck_assert(!survives((struct slice){ cut, length }));
		free(cut);
	}
	buffer_clear(&bytes);
}
END_TEST

START_TEST(bytes_that_are_wrong_do_no_harm)
{
	struct buffer bytes;
	write_sample(&bytes);
	for (size_t i = 0; i < bytes.length_bytes; i++) {
		unsigned char right = bytes.data[i];
		for (int wrong = 0; wrong < 256; wrong++) {
			bytes.data[i] = (unsigned char)wrong;
			survives(slice_of(&bytes));
		}
		bytes.data[i] = right;
	}
	buffer_clear(&bytes);
}
END_TEST

START_TEST(tables_in_tables_end_somewhere)
{
	enum { LEVELS = 10000, LEVEL_BYTES = 6 };
	struct buffer bytes;
	buffer_init(&bytes);
	buffer_add_u16(&bytes, 0x2000);
	for (uint32_t left = LEVELS; left > 0; left--) {
		buffer_add_u32(&bytes, (left - 1) * LEVEL_BYTES);
		if (left > 1)
			buffer_add(&bytes, "\0F", 2);
	}
	ck_assert(survives(slice_of(&bytes)));
	buffer_clear(&bytes);
}
END_TEST

/* One parked message: a type, and headers as bytes. */
static void park(const char *type, const char *headers, size_t headers_bytes, struct buffer *out)
{
	size_t length = strlen(type);
	buffer_init(out);
	buffer_add_u16(out, length > 0 ? 0x2020 : 0x2000);
	buffer_add_u32(out, (uint32_t)headers_bytes);
	buffer_add(out, headers, headers_bytes);
	if (length > 0) {
		buffer_add_byte(out, (unsigned char)length);
		buffer_add(out, type, length);
	}
}

#define BY_WORKER "\006reasonS\0\0\0\006schema\006detailS\0\0\0\003why"
#define BY_BROKER \
	"\007x-deathA\0\0\0\x41" \
	"F\0\0\0\x3c" \
	"\006reasonS\0\0\0\005limit" \
	"\004timeT\0\0\0\0\0\0\0\001" \
	"\014routing-keysA\0\0\0\x0b" \
	"S\0\0\0\006a.b.cd"

static const struct {
	const char *type, *headers;
	size_t headers_bytes;
	const char *reason, *detail, *event, *parked_at;
} causes[] = {
	{ "a.b.c", BY_WORKER, sizeof(BY_WORKER) - 1, "schema", "why", "a.b.c", "" },
	{ "", BY_BROKER, sizeof(BY_BROKER) - 1, "limit", "", "a.b.cd", "1970-01-01T00:00:01Z" },
	{ "a.b.c", BY_BROKER, sizeof(BY_BROKER) - 1, "limit", "", "a.b.c", "1970-01-01T00:00:01Z" },
	{ "a.b.c", "", 0, "unknown", "", "a.b.c", "" },
	{ "a.b.c", "?", 1, "unreadable", "", "", "" },
};

START_TEST(a_parked_message_tells_its_cause)
{
	struct buffer bytes;
	struct parcel parcel;
	park(causes[_i].type, causes[_i].headers, causes[_i].headers_bytes, &bytes);
	const struct held held = { .exchange = "parked",
		.routing_key = "q",
		.properties = slice_of(&bytes),
		.body = { (const unsigned char *)"\xff{}", 3 } };
	parcel_open(&parcel, "q.parked", &held);
	ck_assert_str_eq(parcel.reason, causes[_i].reason);
	ck_assert_str_eq(parcel.detail, causes[_i].detail);
	ck_assert_str_eq(parcel.event, causes[_i].event);
	ck_assert_str_eq(parcel.parked_at, causes[_i].parked_at);
	const json_t *body = json_object_get(parcel.shown, "body");
	ck_assert_str_eq(json_string_value(json_object_get(body, "base64")), "/3t9");
	ck_assert(choice_has(&(struct choice){ .reason = causes[_i].reason, .event = causes[_i].event },
		&parcel));
	ck_assert(!choice_has(&(struct choice){ .reason = "other" }, &parcel));
	ck_assert(!choice_has(&(struct choice){ .message_id = "m" }, &parcel));
	parcel_close(&parcel);
	buffer_clear(&bytes);
}
END_TEST

START_TEST(parked_queues_belong_to_queues)
{
	json_t *names = queue_names_parked();
	ck_assert_uint_gt(json_array_size(names), 3);
	char *origin = queue_names_origin("hospital.emergency.parked"), *same = queue_names_origin("hospital");
	ck_assert_str_eq(origin, "hospital.emergency");
	ck_assert_str_eq(same, "hospital");
	free(origin);
	free(same);
	json_decref(names);
}
END_TEST

START_TEST(every_command_explains_itself)
{
	for (const struct command *const *command = commands; *command != NULL; command++) {
		ck_assert(command[1] == NULL || strcmp((*command)->name, command[1]->name) < 0);
		ck_assert_msg(strstr((*command)->details, "Exit:") != NULL, "%s", (*command)->name);
		ck_assert_msg(strstr((*command)->examples, (*command)->name) != NULL, "%s", (*command)->name);
		ck_assert_ptr_eq(command_find((*command)->name), *command);
		for (const struct option_row *row = (*command)->options; row->name != NULL; row++)
			ck_assert_msg(row->help[0] != '\0' && (row->kind == OPTION_FLAG) == (row->argument == NULL),
				"%s --%s", (*command)->name, row->name);
		for (const char *at = (*command)->details; *at != '\0'; at++)
			ck_assert_msg((unsigned char)*at < 0x80, "%s: the manual page is plain ASCII", (*command)->name);
	}
	ck_assert_ptr_null(command_find("nothing"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("client_operator");
	TCase *tests = tcase_create("pure");
	tcase_add_loop_test(tests, a_pattern_matches_as_people_expect, 0, COUNT(patterns));
	tcase_add_loop_test(tests, controls_are_not_printed, 0, COUNT(texts));
	tcase_add_loop_test(tests, a_sieve_lets_through_what_is_wanted, 0, COUNT(sightings));
	tcase_add_loop_test(tests, an_event_is_summarized, 0, COUNT(summaries));
	tcase_add_test(tests, every_event_that_can_be_watched_has_a_summary);
	tcase_add_test(tests, the_flow_is_the_contracts);
	tcase_add_test(tests, a_chain_reaches_each_event_once);
	tcase_add_test(tests, properties_are_taken_apart);
	tcase_add_test(tests, a_second_sending_keeps_what_is_the_messages);
	tcase_add_loop_test(tests, who_sent_it_first_is_told, 0, COUNT(second_sendings));
	tcase_add_test(tests, bytes_that_are_cut_are_no_properties);
	tcase_add_test(tests, bytes_that_are_wrong_do_no_harm);
	tcase_add_test(tests, tables_in_tables_end_somewhere);
	tcase_add_loop_test(tests, a_parked_message_tells_its_cause, 0, COUNT(causes));
	tcase_add_test(tests, parked_queues_belong_to_queues);
	tcase_add_test(tests, every_command_explains_itself);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
