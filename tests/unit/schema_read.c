/* Reading bodies by a table written by hand: every kind of value, every rule, and what is left untouched. */
#include "schema.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

enum colour { COLOUR_NONE, COLOUR_RED, COLOUR_GREEN, COLOUR_BLUE };

struct inner {
	const char *name;
	int64_t size;
};

struct outer {
	const char *text;
	const char *id;
	const char *day;
	int64_t at;
	bool has_at;
	int64_t count;
	double share;
	bool has_share;
	bool is_open;
	enum colour colour;
	struct inner *inner;
	struct inner *inners;
	size_t inners_count;
	const char **tags;
	size_t tags_count;
	enum colour *colours;
	size_t colours_count;
	double *numbers;
	size_t numbers_count;
	int64_t *many;
	size_t many_count;
	const char *last;
};

static const char *const colour_names[] = { NULL, "red", "green", "blue" };
static const struct enumeration colours = { colour_names, 4 };

static bool matches_code(const char *text)
{
	return strspn(text, "abc") == strlen(text);
}

static const struct field inner_fields[] = {
	{ .name = "name",
		.kind = VALUE_TEXT,
		.offset = offsetof(struct inner, name),
		.length_max = 5,
		.is_required = true },
	{ .name = "size",
		.kind = VALUE_INTEGER,
		.offset = offsetof(struct inner, size),
		.integer_min = INT64_MIN,
		.integer_max = INT64_MAX,
		.has_default = true,
		.default_integer = 7 },
};
static const struct schema inner_schema = {
	.name = "inner", .fields = inner_fields, .field_count = 2, .size_bytes = sizeof(struct inner)
};

static const struct field outer_fields[] = {
	{ .name = "text",
		.kind = VALUE_TEXT,
		.offset = offsetof(struct outer, text),
		.length_min = 2,
		.length_max = 4 },
	{ .name = "id", .kind = VALUE_UUID, .offset = offsetof(struct outer, id), .length_max = UINT32_MAX },
	{ .name = "day", .kind = VALUE_DATE, .offset = offsetof(struct outer, day), .length_max = UINT32_MAX },
	{ .name = "at",
		.kind = VALUE_TIME,
		.offset = offsetof(struct outer, at),
		.presence_offset = offsetof(struct outer, has_at) },
	{ .name = "count",
		.kind = VALUE_INTEGER,
		.offset = offsetof(struct outer, count),
		.integer_min = -1,
		.integer_max = INT64_MAX,
		.has_default = true,
		.default_integer = 5 },
	{ .name = "share",
		.kind = VALUE_NUMBER,
		.offset = offsetof(struct outer, share),
		.presence_offset = offsetof(struct outer, has_share),
		.number_min = 0,
		.number_max = INFINITY,
		.is_nullable = true },
	{ .name = "is_open",
		.kind = VALUE_BOOLEAN,
		.offset = offsetof(struct outer, is_open),
		.has_default = true,
		.default_integer = 1 },
	{ .name = "colour",
		.kind = VALUE_ENUM,
		.offset = offsetof(struct outer, colour),
		.enumeration = &colours,
		.allowed = 1u << COLOUR_RED | 1u << COLOUR_GREEN,
		.has_default = true,
		.default_integer = COLOUR_GREEN },
	{ .name = "inner",
		.kind = VALUE_OBJECT,
		.offset = offsetof(struct outer, inner),
		.object = &inner_schema },
	{ .name = "inners",
		.kind = VALUE_OBJECT,
		.is_array = true,
		.offset = offsetof(struct outer, inners),
		.count_offset = offsetof(struct outer, inners_count),
		.count_max = 3,
		.object = &inner_schema },
	{ .name = "tags",
		.kind = VALUE_TEXT,
		.is_array = true,
		.offset = offsetof(struct outer, tags),
		.count_offset = offsetof(struct outer, tags_count),
		.count_min = 1,
		.count_max = 3,
		.is_unique = true,
		.length_max = 9,
		.matches = matches_code },
	{ .name = "colours",
		.kind = VALUE_ENUM,
		.is_array = true,
		.offset = offsetof(struct outer, colours),
		.count_offset = offsetof(struct outer, colours_count),
		.count_max = 9,
		.is_unique = true,
		.enumeration = &colours,
		.allowed = UINT64_MAX },
	{ .name = "numbers",
		.kind = VALUE_NUMBER,
		.is_array = true,
		.offset = offsetof(struct outer, numbers),
		.count_offset = offsetof(struct outer, numbers_count),
		.count_max = 9,
		.is_unique = true,
		.number_min = -INFINITY,
		.number_max = INFINITY },
	{ .name = "many",
		.kind = VALUE_INTEGER,
		.is_array = true,
		.offset = offsetof(struct outer, many),
		.count_offset = offsetof(struct outer, many_count),
		.count_max = 99,
		.integer_max = INT64_MAX },
	{ .name = "last", .kind = VALUE_TEXT, .offset = offsetof(struct outer, last), .length_min = 2 },
};
static const uint64_t one_of[] = { 1u << 0, 1u << 1 | 1u << 2 }; /* text, or id with day */
static const struct schema outer_schema = { .name = "outer",
	.fields = outer_fields,
	.field_count = 15,
	.size_bytes = sizeof(struct outer),
	.one_of = one_of,
	.one_of_count = 2 };

static struct arena arena;

static void open_arena(void)
{
	arena_init(&arena);
}

static void close_arena(void)
{
	arena_clear(&arena);
}

static const struct outer *read_good(const char *text)
{
	void *out = NULL;
	struct why why = { 0 };
	ck_assert_msg(schema_read(&outer_schema, text, strlen(text), &arena, &out, &why), "%s: %s", text,
		why.text);
	return out;
}

static void read_bad(const char *text, const char *reason)
{
	int untouched = 0;
	void *out = &untouched;
	struct why why = { 0 };
	ck_assert_msg(!schema_read(&outer_schema, text, strlen(text), &arena, &out, &why), "%s was taken", text);
	ck_assert_str_eq(why.reason, "schema");
	ck_assert_str_eq(why.text, reason);
	ck_assert_ptr_eq(out, &untouched);
}

START_TEST(every_kind_is_read)
{
	const struct outer *outer = read_good(
		"{\"text\":\"\xc3\xa4\xf0\x9d\x84\x9e\",\"at\":\"1970-01-01T00:00:01.5Z\",\"count\":-1,\"share\":2,\"is_open\":false,"
		"\"colour\":\"red\",\"inner\":{\"name\":\"x\"},\"inners\":[{\"name\":\"a\",\"size\":1},{\"name\":\"b\"}],"
		"\"tags\":[\"a\",\"b\"],\"colours\":[\"blue\",\"red\"],\"numbers\":[1,2.5]}");
	ck_assert_str_eq(outer->text, "\xc3\xa4\xf0\x9d\x84\x9e");
	ck_assert(outer->has_at && outer->at == 1500000);
	ck_assert_int_eq(outer->count, -1);
	ck_assert(outer->has_share && !(outer->share < 2) && !(outer->share > 2));
	ck_assert(!outer->is_open);
	ck_assert_int_eq(outer->colour, COLOUR_RED);
	ck_assert_str_eq(outer->inner->name, "x");
	ck_assert_int_eq(outer->inner->size, 7);
	ck_assert_uint_eq(outer->inners_count, 2);
	ck_assert_str_eq(outer->inners[1].name, "b");
	ck_assert_int_eq(outer->inners[0].size, 1);
	ck_assert_uint_eq(outer->tags_count, 2);
	ck_assert_str_eq(outer->tags[1], "b");
	ck_assert_int_eq(outer->colours[0], COLOUR_BLUE);
	ck_assert_uint_eq(outer->numbers_count, 2);
}
END_TEST

START_TEST(what_is_absent_is_null_or_the_default)
{
	const struct outer *outer = read_good("{\"text\":\"ab\",\"share\":null,\"unknown\":{\"count\":3}}");
	ck_assert(!outer->has_at && !outer->has_share && outer->is_open);
	ck_assert_int_eq(outer->count, 5);
	ck_assert_int_eq(outer->colour, COLOUR_GREEN);
	ck_assert_ptr_null(outer->id);
	ck_assert_ptr_null(outer->inner);
	ck_assert_ptr_null(outer->tags);
	ck_assert_uint_eq(outer->tags_count + outer->inners_count, 0);
}
END_TEST

START_TEST(uuids_become_canonical)
{
	const struct outer *outer =
		read_good("{\"id\":\"6BA7B810-9DAD-11D1-80B4-00C04FD430C8\",\"day\":\"2024-02-29\"}");
	ck_assert_str_eq(outer->id, "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
	ck_assert_str_eq(outer->day, "2024-02-29");
}
END_TEST

static const struct {
	const char *text, *reason;
} faults[] = {
	{ "[]", "body: an array where an object must be" },
	{ "{\"text\":\"a\"}", "/text: 1 characters, at least 2 are needed" },
	{ "{\"text\":\"\xc3\xa4\"}", "/text: 1 characters, at least 2 are needed" },
	{ "{\"text\":\"abcde\"}", "/text: 5 characters, at most 4 are allowed" },
	{ "{\"text\":1}", "/text: an integer where a text must be" },
	{ "{\"text\":null}", "/text: null where a text must be" },
	{ "{\"id\":\"6ba7b810\",\"day\":\"2024-02-29\"}", "/id: '6ba7b810' is not a uuid" },
	{ "{\"id\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\",\"day\":\"2023-02-29\"}",
		"/day: '2023-02-29' is not a date" },
	{ "{\"text\":\"ab\",\"at\":\"2023-02-29T00:00:00Z\"}",
		"/at: '2023-02-29T00:00:00Z' is not a time as RFC 3339 writes it" },
	{ "{\"text\":\"ab\",\"at\":0}", "/at: an integer where a text must be" },
	{ "{\"text\":\"ab\",\"count\":-2}", "/count: -2 is below -1" },
	{ "{\"text\":\"ab\",\"count\":1.0}", "/count: a number with a fraction where an integer must be" },
	{ "{\"text\":\"ab\",\"count\":true}", "/count: true where an integer must be" },
	{ "{\"text\":\"ab\",\"share\":-0.5}", "/share: -0.5 is below 0" },
	{ "{\"text\":\"ab\",\"share\":\"1\"}", "/share: a text where a number must be" },
	{ "{\"text\":\"ab\",\"is_open\":0}", "/is_open: an integer where true or false must be" },
	{ "{\"text\":\"ab\",\"is_open\":null}", "/is_open: null where true or false must be" },
	{ "{\"text\":\"ab\",\"colour\":\"Red\"}", "/colour: 'Red' is not one of the values allowed" },
	{ "{\"text\":\"ab\",\"colour\":\"blue\"}", "/colour: 'blue' is not allowed here" },
	{ "{\"text\":\"ab\",\"colour\":\"a\\nb\\u007f\"}", "/colour: 'a?b?' is not one of the values allowed" },
	{ "{\"text\":\"ab\",\"inner\":{}}", "/inner/name: is missing" },
	{ "{\"text\":\"ab\",\"inner\":[]}", "/inner: an array where an object must be" },
	{ "{\"text\":\"ab\",\"inners\":{}}", "/inners: an object where an array must be" },
	{ "{\"text\":\"ab\",\"inners\":[{\"name\":\"a\"},{\"name\":\"toolong\"}]}",
		"/inners/1/name: 7 characters, at most 5 are allowed" },
	{ "{\"text\":\"ab\",\"inners\":[1,2,3,4]}", "/inners: 4 items, at most 3 are allowed" },
	{ "{\"text\":\"ab\",\"tags\":[]}", "/tags: 0 items, at least 1 are needed" },
	{ "{\"text\":\"ab\",\"tags\":[\"a\",\"b\",\"a\"]}", "/tags: items 0 and 2 are the same" },
	{ "{\"text\":\"ab\",\"tags\":[\"a\",\"x\"]}", "/tags/1: 'x' has not the form it must have" },
	{ "{\"text\":\"ab\",\"colours\":[\"red\",\"red\"]}", "/colours: items 0 and 1 are the same" },
	{ "{\"text\":\"ab\",\"numbers\":[1,1.0]}", "/numbers: items 0 and 1 are the same" },
	{ "{\"text\":\"ab\",\"numbers\":[0.0,-0.0]}", "/numbers: items 0 and 1 are the same" },
	{ "{}", "body: has none of the members of which exactly one set must be there" },
	{ "{\"id\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"}",
		"body: has none of the members of which exactly one set must be there" },
	{ "{\"text\":\"ab\",\"id\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\",\"day\":\"2024-02-29\"}",
		"body: has more than one of the members of which exactly one set must be there" },
	{ "", "not JSON, byte 0: '[' or '{' expected" },
	{ "{\"text\":\"ab\",\"text\":\"ab\"}", "not JSON, byte 19: duplicate object key" },
	{ "{\"text\":\"a\\u0000b\"}", "not JSON, byte 18: \\u0000 is not allowed without JSON_ALLOW_NUL" },
};

START_TEST(faults_say_where_and_why)
{
	read_bad(faults[_i].text, faults[_i].reason);
}
END_TEST

static void read_all(const char *text, struct schema_faults *found)
{
	int untouched = 0;
	void *out = &untouched;
	memset(found, 0xff, sizeof(*found));
	ck_assert_msg(!schema_read_all(&outer_schema, text, strlen(text), &arena, &out, found), "%s was taken",
		text);
	ck_assert_ptr_eq(out, &untouched);
	ck_assert_uint_gt(found->count, 0);
}

START_TEST(the_first_of_all_faults_is_the_one_that_a_reader_tells)
{
	struct schema_faults found;
	read_all(faults[_i].text, &found);
	const struct schema_fault *first = &found.items[0];
	const char *path = first->path[0] == '\0' ? "body" : first->path;
	const char *told = found.is_json ? arena_print(&arena, "%s: %s", path, first->text)
									 : arena_print(&arena, "%s", first->text);
	ck_assert_str_eq(told, faults[_i].reason);
}
END_TEST

static void assert_fault(const struct schema_faults *found, size_t number, const char *path, const char *text)
{
	ck_assert_uint_lt(number, found->count);
	ck_assert_str_eq(found->items[number].path, path);
	ck_assert_str_eq(found->items[number].text, text);
}

START_TEST(all_faults_are_told_in_the_order_of_the_schema)
{
	struct schema_faults found;
	read_all(
		"{\"numbers\":[1,\"x\",1],\"inners\":[{\"name\":\"toolong\",\"size\":\"x\"},7,{}],\"share\":-1,\"day\":\"2023-02-29\","
		"\"tags\":[\"x\",\"a\",\"a\"],\"inner\":{\"size\":1.5},\"colour\":\"blue\",\"count\":-2,\"colours\":[\"red\",\"red\"]}",
		&found);
	ck_assert(found.is_json);
	ck_assert_uint_eq(found.count, 14);
	assert_fault(&found, 0, "/day", "'2023-02-29' is not a date");
	assert_fault(&found, 1, "/count", "-2 is below -1");
	assert_fault(&found, 2, "/share", "-1 is below 0");
	assert_fault(&found, 3, "/colour", "'blue' is not allowed here");
	assert_fault(&found, 4, "/inner/name", "is missing");
	assert_fault(&found, 5, "/inner/size", "a number with a fraction where an integer must be");
	assert_fault(&found, 6, "/inners/0/name", "7 characters, at most 5 are allowed");
	assert_fault(&found, 7, "/inners/0/size", "a text where an integer must be");
	assert_fault(&found, 8, "/inners/1", "an integer where an object must be");
	assert_fault(&found, 9, "/inners/2/name", "is missing");
	assert_fault(&found, 10, "/tags/0", "'x' has not the form it must have");
	assert_fault(&found, 11, "/colours", "items 0 and 1 are the same");
	assert_fault(&found, 12, "/numbers/1", "a text where a number must be");
	assert_fault(&found, 13, "", "has none of the members of which exactly one set must be there");
}
END_TEST

START_TEST(a_body_that_is_not_json_has_one_fault)
{
	struct schema_faults found;
	read_all("{\"text\":\"a\",\"count\":-2", &found);
	ck_assert(!found.is_json);
	ck_assert_uint_eq(found.count, 1);
	assert_fault(&found, 0, "", "not JSON, byte 22: '}' expected");
}
END_TEST

START_TEST(more_faults_than_there_is_room_for)
{
	struct schema_faults found;
	char *text = arena_new(&arena, 4096);
	size_t length = (size_t)snprintf(text, 4096, "{\"text\":\"ab\",\"many\":[");
	for (size_t i = 0; i < SCHEMA_FAULTS_MAX + 5; i++)
		length += (size_t)snprintf(text + length, 4096 - length, "%s-%zu", i == 0 ? "" : ",", i + 1);
	snprintf(text + length, 4096 - length, "],\"last\":\"x\"}");
	read_all(text, &found);
	ck_assert_uint_eq(found.count, SCHEMA_FAULTS_MAX);
	assert_fault(&found, SCHEMA_FAULTS_MAX - 1, "/many/31", "-32 is below 0");
}
END_TEST

START_TEST(a_good_body_has_no_faults)
{
	const char *text = "{\"text\":\"ab\",\"tags\":[\"a\"]}";
	void *out = NULL;
	struct schema_faults found;
	memset(&found, 0xff, sizeof(found));
	ck_assert(schema_read_all(&outer_schema, text, strlen(text), &arena, &out, &found));
	ck_assert(found.is_json);
	ck_assert_uint_eq(found.count, 0);
	const struct outer *outer = out;
	ck_assert_str_eq(outer->text, "ab");
	ck_assert_str_eq(outer->tags[0], "a");
	ck_assert_int_eq(outer->count, 5);
}
END_TEST

START_TEST(a_long_text_is_cut_in_the_fault_not_in_a_character)
{
	const char *text = arena_print(&arena, "{\"text\":\"ab\",\"colour\":\"x%s%s\"}",
		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4");
	void *out = NULL;
	struct why why = { 0 };
	ck_assert(!schema_read(&outer_schema, text, strlen(text), &arena, &out, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "x\xc3\xa4"));
	ck_assert_ptr_nonnull(strstr(why.text, "\xc3\xa4' is not one of the values allowed"));
}
END_TEST

START_TEST(length_counts_not_the_nul)
{
	const char *text = "{\"text\":\"ab\"}tail";
	void *out = NULL;
	struct why why = { 0 };
	ck_assert(schema_read(&outer_schema, text, strlen(text) - 4, &arena, &out, &why));
	ck_assert(!schema_read(&outer_schema, text, strlen(text), &arena, &out, &why));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("schema_read");
	TCase *tests = tcase_create("all");
	tcase_add_checked_fixture(tests, open_arena, close_arena);
	tcase_add_test(tests, every_kind_is_read);
	tcase_add_test(tests, what_is_absent_is_null_or_the_default);
	tcase_add_test(tests, uuids_become_canonical);
	tcase_add_loop_test(tests, faults_say_where_and_why, 0, sizeof(faults) / sizeof(faults[0]));
	tcase_add_loop_test(tests, the_first_of_all_faults_is_the_one_that_a_reader_tells, 0,
		sizeof(faults) / sizeof(faults[0]));
	tcase_add_test(tests, all_faults_are_told_in_the_order_of_the_schema);
	tcase_add_test(tests, a_body_that_is_not_json_has_one_fault);
	tcase_add_test(tests, more_faults_than_there_is_room_for);
	tcase_add_test(tests, a_good_body_has_no_faults);
	tcase_add_test(tests, a_long_text_is_cut_in_the_fault_not_in_a_character);
	tcase_add_test(tests, length_counts_not_the_nul);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return run_suite(make_suite());
}
