/* Buffers: growth, the NUL behind, big-endian integers. */
#include "buffer.h"

#include <string.h>

#include "run.h"

static struct buffer buffer;

static void set_up(void)
{
	buffer_init(&buffer);
}

static void tear_down(void)
{
	buffer_clear(&buffer);
}

START_TEST(an_empty_buffer_reads_as_empty_text)
{
	ck_assert_str_eq(buffer_text(&buffer), "");
	ck_assert_ptr_null(buffer.data);
	buffer_reset(&buffer);
	ck_assert_str_eq(buffer_text(&buffer), "");
}
END_TEST

START_TEST(text_is_always_followed_by_a_nul)
{
	for (int i = 0; i < 2000; i++) {
		buffer_add_byte(&buffer, (unsigned char)('a' + i % 26));
		ck_assert_uint_eq(strlen(buffer_text(&buffer)), (size_t)i + 1);
	}
	ck_assert_uint_ge(buffer.capacity_bytes, 2001);
}
END_TEST

START_TEST(pieces_follow_each_other)
{
	buffer_add_text(&buffer, "unit ");
	buffer_print(&buffer, "%d of %d", 1, 2);
	buffer_add(&buffer, "\0x", 2);
	ck_assert_uint_eq(buffer.length_bytes, 13);
	ck_assert_mem_eq(buffer.data, "unit 1 of 2\0x", 14);
	buffer_add(&buffer, NULL, 0);
	ck_assert_uint_eq(buffer.length_bytes, 13);
}
END_TEST

START_TEST(a_print_may_be_longer_than_the_capacity)
{
	buffer_print(&buffer, "%*d", 100000, 7);
	ck_assert_uint_eq(strlen(buffer_text(&buffer)), 100000);
	ck_assert_int_eq(buffer.data[99999], '7');
}
END_TEST

START_TEST(integers_are_big_endian)
{
	buffer_add_u16(&buffer, 0x0102);
	buffer_add_u32(&buffer, 0x03040506);
	buffer_add_u64(&buffer, UINT64_C(0x0708090a0b0c0d0e));
	ck_assert_mem_eq(buffer.data, "\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe", 14);
	buffer_set_u32(&buffer, 2, 0xfffefdfc);
	ck_assert_mem_eq(buffer.data, "\1\2\xff\xfe\xfd\xfc\7", 7);
}
END_TEST

START_TEST(a_reset_keeps_the_memory)
{
	buffer_add_text(&buffer, "something");
	const unsigned char *data = buffer.data;
	buffer_reset(&buffer);
	ck_assert_str_eq(buffer_text(&buffer), "");
	buffer_add_text(&buffer, "else");
	ck_assert_ptr_eq(buffer.data, data);
	ck_assert_str_eq(buffer_text(&buffer), "else");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("buffer");
	TCase *test_case = tcase_create("buffer");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, an_empty_buffer_reads_as_empty_text);
	tcase_add_test(test_case, text_is_always_followed_by_a_nul);
	tcase_add_test(test_case, pieces_follow_each_other);
	tcase_add_test(test_case, a_print_may_be_longer_than_the_capacity);
	tcase_add_test(test_case, integers_are_big_endian);
	tcase_add_test(test_case, a_reset_keeps_the_memory);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
