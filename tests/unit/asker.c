/* Who may be answered: a name that may stand in a routing key. */
#include "asker.h"

#include <string.h>

#include "run.h"

START_TEST(plain_words_are_a_name)
{
	static const char *const names[] = { "a", "bridge.1", "upstream-7.left_door", "0.1.2" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(asker_is_name(names[i]), "%s", names[i]);
}
END_TEST

START_TEST(anything_else_is_nobody)
{
	static const char *const names[] = { "", "#", "*", "bridge.#", "Bridge", "a b", "a/b", "a\n", "\xc3\xa9",
		"amq$x" };
	ck_assert(!asker_is_name(NULL));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(!asker_is_name(names[i]), "%s", names[i]);
}
END_TEST

START_TEST(it_is_as_long_as_it_may_be)
{
	char name[ASKER_MAX + 2];
	memset(name, 'a', sizeof(name));
	name[ASKER_MAX] = '\0';
	ck_assert(asker_is_name(name));
	name[ASKER_MAX] = 'a';
	name[ASKER_MAX + 1] = '\0';
	ck_assert(!asker_is_name(name));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("asker");
	TCase *test_case = tcase_create("asker");
	tcase_add_test(test_case, plain_words_are_a_name);
	tcase_add_test(test_case, anything_else_is_nobody);
	tcase_add_test(test_case, it_is_as_long_as_it_may_be);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
