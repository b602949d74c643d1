/* Priority: a strict order, in which nothing overtakes an emergency. */
#include "priority.h"

#include "run.h"

#define HOUR ONE_HOUR
#define NOW (1000 * ONE_DAY)

struct example {
	struct waiting first, second;
};

/* clang-format off */
static const struct example examples[] = {
	{ { URGENCY_EMERGENCY, NOW, "a" }, { URGENCY_URGENT, NOW - 9 * HOUR, "b" } },
	{ { URGENCY_URGENT, NOW, "a" }, { URGENCY_ROUTINE, NOW - 9 * HOUR, "b" } },
	{ { URGENCY_ROUTINE, NOW, "a" }, { URGENCY_REPLENISHMENT, NOW - 9 * HOUR, "b" } },
	{ { URGENCY_ROUTINE, NOW - 2, "b" }, { URGENCY_ROUTINE, NOW - 1, "a" } },
	{ { URGENCY_ROUTINE, NOW, "a" }, { URGENCY_ROUTINE, NOW, "b" } },
	{ { URGENCY_EMERGENCY, NOW, "a" }, { URGENCY_EMERGENCY, NOW, "b" } },
	/* ageing: a day lifts by one level, never above an emergency */
	{ { URGENCY_ROUTINE, NOW - 24 * HOUR, "b" }, { URGENCY_URGENT, NOW, "a" } },
	{ { URGENCY_REPLENISHMENT, NOW - 25 * HOUR, "b" }, { URGENCY_ROUTINE, NOW - HOUR, "a" } },
	{ { URGENCY_EMERGENCY, NOW, "b" }, { URGENCY_REPLENISHMENT, NOW - 900 * HOUR, "a" } },
	{ { URGENCY_URGENT, NOW - 900 * HOUR, "b" }, { URGENCY_REPLENISHMENT, NOW - 800 * HOUR, "a" } },
};
/* clang-format on */

START_TEST(the_first_is_served_first)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		const struct example *example = &examples[i];
		ck_assert_msg(priority_compare(&rules_default, &example->first, &example->second, NOW) < 0, "%zu", i);
		ck_assert_msg(priority_compare(&rules_default, &example->second, &example->first, NOW) > 0, "%zu", i);
		ck_assert_int_eq(priority_compare(&rules_default, &example->first, &example->first, NOW), 0);
	}
}
END_TEST

START_TEST(a_time_in_the_future_does_not_lower_anybody)
{
	struct waiting waiting = { URGENCY_ROUTINE, NOW + 900 * HOUR, "a" };
	ck_assert_int_eq(priority_level(&rules_default, &waiting, NOW), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("priority");
	TCase *test_case = tcase_create("priority");
	tcase_add_test(test_case, the_first_is_served_first);
	tcase_add_test(test_case, a_time_in_the_future_does_not_lower_anybody);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
