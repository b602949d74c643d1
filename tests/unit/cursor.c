/* Cursors: integers, texts, and what is asked beyond the end. */
#include "cursor.h"

#include "run.h"

static const unsigned char bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

START_TEST(integers_are_big_endian)
{
	struct cursor cursor = { .next = bytes, .left_bytes = sizeof(bytes) };
	ck_assert_uint_eq(cursor_byte(&cursor), 1);
	ck_assert_uint_eq(cursor_u16(&cursor), 0x0203);
	ck_assert_uint_eq(cursor_u32(&cursor), 0x04050607);
	ck_assert_uint_eq(cursor_u64(&cursor), 0x08090a0b0c0d0e0f);
	ck_assert(!cursor.is_bad && cursor.left_bytes == 0);
}
END_TEST

START_TEST(texts_have_their_length_before_them)
{
	static const unsigned char texts[] = { 2, 'a', 'b', 0, 0, 0, 1, 'c', 0 };
	struct cursor cursor = { .next = texts, .left_bytes = sizeof(texts) };
	struct slice first = cursor_short_text(&cursor), second = cursor_long_text(&cursor);
	ck_assert(first.length == 2 && first.bytes == texts + 1);
	ck_assert(second.length == 1 && second.bytes == texts + 7);
	struct slice empty = cursor_short_text(&cursor);
	ck_assert(empty.length == 0 && empty.bytes != NULL && !cursor.is_bad);
}
END_TEST

static struct slice take_too_much(struct cursor *cursor)
{
	return cursor_take(cursor, sizeof(bytes) + 1);
}

static struct slice take_everything(struct cursor *cursor)
{
	return cursor_take(cursor, SIZE_MAX);
}

static struct slice take_a_long_text(struct cursor *cursor)
{
	return cursor_long_text(cursor); /* of 0x01020304 bytes */
}

static struct slice (*const greedy[])(struct cursor *cursor) = { take_too_much, take_everything,
	take_a_long_text };

START_TEST(nothing_is_read_beyond_the_end)
{
	struct cursor cursor = { .next = bytes, .left_bytes = sizeof(bytes) };
	struct slice slice = greedy[_i](&cursor);
	ck_assert(cursor.is_bad && slice.bytes == NULL && slice.length == 0);
	ck_assert_uint_eq(cursor_u64(&cursor), 0);
	ck_assert_uint_eq(cursor_short_text(&cursor).length, 0);
}
END_TEST

START_TEST(half_an_integer_is_none)
{
	struct cursor cursor = { .next = bytes, .left_bytes = 3 };
	ck_assert_uint_eq(cursor_u32(&cursor), 0);
	ck_assert(cursor.is_bad);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cursor");
	TCase *tests = tcase_create("cursor");
	tcase_add_test(tests, integers_are_big_endian);
	tcase_add_test(tests, texts_have_their_length_before_them);
	tcase_add_loop_test(tests, nothing_is_read_beyond_the_end, 0, 3);
	tcase_add_test(tests, half_an_integer_is_none);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
