/* Cursors: integers, texts, and what is asked beyond the end. */
#include "scan.h"

#include "run.h"

static const unsigned char bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

START_TEST(integers_are_big_endian)
{
	struct scan scan = { .next = bytes, .left_bytes = sizeof(bytes) };
	ck_assert_uint_eq(scan_byte(&scan), 1);
	ck_assert_uint_eq(scan_u16(&scan), 0x0203);
	ck_assert_uint_eq(scan_u32(&scan), 0x04050607);
	ck_assert_uint_eq(scan_u64(&scan), 0x08090a0b0c0d0e0f);
	ck_assert(!scan.is_bad && scan.left_bytes == 0);
}
END_TEST

START_TEST(texts_have_their_length_before_them)
{
	static const unsigned char texts[] = { 2, 'a', 'b', 0, 0, 0, 1, 'c', 0 };
	struct scan scan = { .next = texts, .left_bytes = sizeof(texts) };
	struct slice first = scan_short_text(&scan), second = scan_long_text(&scan);
	ck_assert(first.length == 2 && first.bytes == texts + 1);
	ck_assert(second.length == 1 && second.bytes == texts + 7);
	struct slice empty = scan_short_text(&scan);
	ck_assert(empty.length == 0 && empty.bytes != NULL && !scan.is_bad);
}
END_TEST

static struct slice take_too_much(struct scan *scan)
{
	return scan_take(scan, sizeof(bytes) + 1);
}

static struct slice take_everything(struct scan *scan)
{
	return scan_take(scan, SIZE_MAX);
}

static struct slice take_a_long_text(struct scan *scan)
{
	return scan_long_text(scan); /* of 0x01020304 bytes */
}

static struct slice (*const greedy[])(struct scan *scan) = { take_too_much, take_everything,
	take_a_long_text };

START_TEST(nothing_is_read_beyond_the_end)
{
	struct scan scan = { .next = bytes, .left_bytes = sizeof(bytes) };
	struct slice slice = greedy[_i](&scan);
	ck_assert(scan.is_bad && slice.bytes == NULL && slice.length == 0);
	ck_assert_uint_eq(scan_u64(&scan), 0);
	ck_assert_uint_eq(scan_short_text(&scan).length, 0);
}
END_TEST

START_TEST(half_an_integer_is_none)
{
	struct scan scan = { .next = bytes, .left_bytes = 3 };
	ck_assert_uint_eq(scan_u32(&scan), 0);
	ck_assert(scan.is_bad);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scan");
	TCase *tests = tcase_create("scan");
	tcase_add_test(tests, integers_are_big_endian);
	tcase_add_test(tests, texts_have_their_length_before_them);
	tcase_add_loop_test(tests, nothing_is_read_beyond_the_end, 0, 3);
	tcase_add_test(tests, half_an_integer_is_none);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
