/* A table by identifier: finds what was put, under many keys, and the last of each. */
#include "lookup.h"

#include <string.h>

#include "run.h"

enum { KEYS = 1000 };

static struct arena arena;
static struct lookup lookup;

static void open_lookup(void)
{
	arena_init(&arena);
	lookup_init(&lookup, &arena);
}

static void clear_lookup(void)
{
	arena_clear(&arena);
}

START_TEST(an_empty_one_has_nothing)
{
	ck_assert_ptr_null(lookup_find(&lookup, "a"));
	ck_assert_ptr_null(lookup_find(&lookup, ""));
}
END_TEST

START_TEST(many_are_found_after_growing)
{
	static int values[KEYS];
	for (int i = 0; i < KEYS; i++)
		lookup_put(&lookup, arena_print(&arena, "unit-%d", i), &values[i]);
	for (int i = 0; i < KEYS; i++)
		ck_assert_ptr_eq(lookup_find(&lookup, arena_print(&arena, "unit-%d", i)), &values[i]);
	ck_assert_ptr_null(lookup_find(&lookup, "unit-1000"));
	ck_assert_uint_eq(lookup.count, KEYS);
}
END_TEST

START_TEST(the_last_one_counts)
{
	int first, second;
	lookup_put(&lookup, "a", &first);
	lookup_put(&lookup, "a", &second);
	ck_assert_ptr_eq(lookup_find(&lookup, "a"), &second);
	ck_assert_uint_eq(lookup.count, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lookup");
	TCase *test_case = tcase_create("lookup");
	tcase_add_checked_fixture(test_case, open_lookup, clear_lookup);
	tcase_add_test(test_case, an_empty_one_has_nothing);
	tcase_add_test(test_case, many_are_found_after_growing);
	tcase_add_test(test_case, the_last_one_counts);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
