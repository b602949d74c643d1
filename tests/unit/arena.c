/* Arenas: alignment, zeroing, growth, and what a reset keeps. */
#include "arena.h"

#include <stdalign.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "run.h"

static struct arena arena;

static void set_up(void)
{
	arena_init(&arena);
}

static void tear_down(void)
{
	arena_clear(&arena);
}

static bool is_zero(const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

START_TEST(an_empty_arena_owns_nothing)
{
	ck_assert_ptr_null(arena.block);
	arena_reset(&arena);
	arena_clear(&arena);
	ck_assert_ptr_null(arena.block);
}
END_TEST

START_TEST(memory_is_aligned_and_zeroed)
{
	for (size_t bytes = 0; bytes < 300; bytes++) {
		unsigned char *memory = arena_new(&arena, bytes);
		ck_assert_uint_eq((uintptr_t)memory % alignof(max_align_t), 0);
		ck_assert(is_zero(memory, bytes));
		memset(memory, 0xff, bytes);
	}
}
END_TEST

START_TEST(neighbours_do_not_overlap)
{
	enum { COUNT = 3000, BYTES = 100 }; /* several blocks */
	unsigned char *all[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		all[i] = arena_new(&arena, BYTES);
		memset(all[i], (int)(i % 251), BYTES);
	}
	for (size_t i = 0; i < COUNT; i++) {
		for (size_t k = 0; k < BYTES; k++)
			ck_assert_uint_eq(all[i][k], i % 251);
	}
}
END_TEST

START_TEST(memory_is_zeroed_again_after_a_reset)
{
	unsigned char *before = arena_new(&arena, 500);
	memset(before, 0xff, 500);
	arena_reset(&arena);
	unsigned char *after = arena_new(&arena, 500);
	ck_assert_ptr_eq(before, after);
	ck_assert(is_zero(after, 500));
}
END_TEST

START_TEST(one_piece_may_be_larger_than_a_block)
{
	const size_t bytes = 1000 * 1000;
	unsigned char *memory = arena_new(&arena, bytes);
	memset(memory, 1, bytes);
	ck_assert(is_zero(arena_new(&arena, 10), 10));
}
END_TEST

START_TEST(an_array_whose_size_overflows_ends_the_process)
{
	arena_array(&arena, SIZE_MAX / 2, 4);
}
END_TEST

START_TEST(copies_are_independent)
{
	char text[] = "O-";
	char *copy = arena_text(&arena, text);
	text[0] = 'A';
	ck_assert_str_eq(copy, "O-");
	ck_assert_ptr_null(arena_text(&arena, NULL));
	char *bytes = arena_bytes(&arena, "a\0b", 3);
	ck_assert_mem_eq(bytes, "a\0b\0", 4);
	ck_assert_str_eq(arena_bytes(&arena, NULL, 0), "");
}
END_TEST

START_TEST(text_is_formatted_whatever_its_length)
{
	ck_assert_str_eq(arena_print(&arena, "%s-%d", "unit", 7), "unit-7");
	char *text = arena_print(&arena, "%*d", 200000, 1);
	ck_assert_uint_eq(strlen(text), 200000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arena");
	TCase *test_case = tcase_create("arena");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, an_empty_arena_owns_nothing);
	tcase_add_test(test_case, memory_is_aligned_and_zeroed);
	tcase_add_test(test_case, neighbours_do_not_overlap);
	tcase_add_test(test_case, memory_is_zeroed_again_after_a_reset);
	tcase_add_test(test_case, one_piece_may_be_larger_than_a_block);
	tcase_add_test_raise_signal(test_case, an_array_whose_size_overflows_ends_the_process, SIGABRT);
	tcase_add_test(test_case, copies_are_independent);
	tcase_add_test(test_case, text_is_formatted_whatever_its_length);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
