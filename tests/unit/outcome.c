/* Outcomes: names, and reasons that never overflow. */
#include "outcome.h"

#include <string.h>

#include "run.h"

START_TEST(each_outcome_has_its_name)
{
	ck_assert_str_eq(outcome_name(DONE), "done");
	ck_assert_str_eq(outcome_name(RETRY), "retry");
	ck_assert_str_eq(outcome_name(REJECT), "reject");
	ck_assert_str_eq(outcome_name(STOP), "stop");
}
END_TEST

START_TEST(a_reason_goes_with_the_outcome)
{
	struct why why = { 0 };
	ck_assert_int_eq(reject(&why, "schema", "quantity %d is above %d", 101, 100), REJECT);
	ck_assert_str_eq(why.reason, "schema");
	ck_assert_str_eq(why.text, "quantity 101 is above 100");
	ck_assert_int_eq(retry(&why, "database", "gone"), RETRY);
	ck_assert_int_eq(stop(&why, "bug", "state %s", "x"), STOP);
	ck_assert_str_eq(why.text, "state x");
	ck_assert(!because(&why, "connection", "refused"));
	ck_assert_str_eq(why.reason, "connection");
}
END_TEST

START_TEST(without_a_new_reason_the_old_one_stays)
{
	struct why why = { .reason = "schema" };
	reject(&why, NULL, "text alone");
	ck_assert_str_eq(why.reason, "schema");
	ck_assert_str_eq(why.text, "text alone");
}
END_TEST

START_TEST(long_texts_are_cut)
{
	struct why why;
	char reason[200];
	memset(reason, 'r', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	reject(&why, reason, "%*d", 5000, 1);
	ck_assert_uint_eq(strlen(why.reason), WHY_REASON_MAX - 1);
	ck_assert_uint_eq(strlen(why.text), WHY_TEXT_MAX - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("outcome");
	TCase *test_case = tcase_create("outcome");
	tcase_add_test(test_case, each_outcome_has_its_name);
	tcase_add_test(test_case, a_reason_goes_with_the_outcome);
	tcase_add_test(test_case, without_a_new_reason_the_old_one_stays);
	tcase_add_test(test_case, long_texts_are_cut);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
