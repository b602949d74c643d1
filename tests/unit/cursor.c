/* Cursors: what is printed is read, and nothing else. */
#include "cursor.h"

#include <string.h>

#include "run.h"

#define ID "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

START_TEST(an_items_text_is_read_back)
{
	static const char id[] = "11111111-1111-4111-8111-111111111111";
	struct arena arena;
	struct cursor cursor;
	arena_init(&arena);
	ck_assert(cursor_parse(cursor_text(INT64_C(1780000000000001), id, &arena), &cursor));
	ck_assert_int_eq(cursor.time_us, INT64_C(1780000000000001));
	ck_assert_str_eq(cursor.id, id);
	arena_clear(&arena);
}
END_TEST

START_TEST(what_is_printed_is_read)
{
	static const int64_t times[] = { 0, 9, 1780000000000000, 253402300799999999 };
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		const struct cursor cursor = { times[i], ID };
		struct cursor back;
		char text[CURSOR_TEXT_BYTES];
		cursor_print(&cursor, text);
		ck_assert_msg(cursor_parse(text, &back), "%s", text);
		ck_assert_int_eq(back.time_us, times[i]);
		ck_assert_str_eq(back.id, ID);
	}
}
END_TEST

START_TEST(it_reads_so)
{
	const struct cursor cursor = { 1780000000000000, ID };
	char text[CURSOR_TEXT_BYTES];
	cursor_print(&cursor, text);
	ck_assert_str_eq(text, "1780000000000000." ID);
}
END_TEST

START_TEST(the_start_is_a_cursor_too)
{
	struct cursor back;
	char text[CURSOR_TEXT_BYTES];
	cursor_print(&cursor_start, text);
	ck_assert(cursor_parse(text, &back));
	ck_assert_int_eq(back.time_us, cursor_start.time_us);
	ck_assert_str_eq(back.id, cursor_start.id);
}
END_TEST

START_TEST(anything_else_is_refused_and_leaves_the_output_alone)
{
	static const char *const wrong[] = {
		"",
		".",
		"1",
		"1.",
		"." ID,
		"-1." ID,
		"+1." ID,
		" 1." ID,
		"01." ID,
		"1 ." ID,
		"1.5." ID,
		"1e3." ID,
		"1," ID,
		"1" ID,
		"1." ID " ",
		"1." ID "." ID,
		"1.6BA7B810-9DAD-11D1-80B4-00C04FD430C8",
		"1.6ba7b810-9dad-11d1-80b4-00c04fd430c",
		"1.{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
		"253402300800000000." ID,
		"999999999999999999." ID,
		"1000000000000000000." ID,
		"99999999999999999999999999999." ID,
		"A999926000001-E0336-00",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct cursor cursor = { 42, "untouched" };
		ck_assert_msg(!cursor_parse(wrong[i], &cursor), "\"%s\" was taken", wrong[i]);
		ck_assert_int_eq(cursor.time_us, 42);
		ck_assert_str_eq(cursor.id, "untouched");
	}
}
END_TEST

START_TEST(units_go_by_their_id)
{
	static const char *const wrong[] = { "", "A999926000001", "A999926000001-E0336", "a999926000001-E0336-00",
		"A999926000001-E0336-00 ", ("1." ID) };
	ck_assert(cursor_is_unit_id("A999926000001-E0336-00"));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!cursor_is_unit_id(wrong[i]), "\"%s\" was taken", wrong[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cursor");
	TCase *tests = tcase_create("cursor");
	tcase_add_test(tests, an_items_text_is_read_back);
	tcase_add_test(tests, what_is_printed_is_read);
	tcase_add_test(tests, it_reads_so);
	tcase_add_test(tests, the_start_is_a_cursor_too);
	tcase_add_test(tests, anything_else_is_refused_and_leaves_the_output_alone);
	tcase_add_test(tests, units_go_by_their_id);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
