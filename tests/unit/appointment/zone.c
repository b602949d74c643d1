/* Wall time to UTC in New York, spring and autumn of 2026, at the very minutes. */
#include "zone.h"

#include "clock.h"
#include "run.h"

static struct span spans[] = {
	{ INT64_C(1767225600000000), -HOURS_US(5) }, /* 2026-01-01 */
	{ INT64_C(1772953200000000), -HOURS_US(4) }, /* 2026-03-08T07:00Z, clocks go from 02:00 to 03:00 */
	{ INT64_C(1793512800000000), -HOURS_US(5) }, /* 2026-11-01T06:00Z, clocks go from 02:00 to 01:00 */
};
static const struct zone zone = { .spans = spans, .count = 3 };

static const struct {
	const char *wall, *at; /* NULL: there is no such time */
} examples[] = {
	{ "2026-03-08T01:59:00Z", "2026-03-08T06:59:00Z" }, { "2026-03-08T02:00:00Z", NULL },
	{ "2026-03-08T02:59:59.999999Z", NULL }, { "2026-03-08T03:00:00Z", "2026-03-08T07:00:00Z" },
	{ "2026-07-01T12:00:00Z", "2026-07-01T16:00:00Z" }, { "2026-11-01T00:59:00Z", "2026-11-01T04:59:00Z" },
	{ "2026-11-01T01:00:00Z", "2026-11-01T05:00:00Z" }, /* the first of two */
	{ "2026-11-01T01:59:00Z", "2026-11-01T05:59:00Z" }, { "2026-11-01T02:00:00Z", "2026-11-01T07:00:00Z" },
	{ "2025-12-31T20:00:00Z", "2026-01-01T01:00:00Z" }, /* before the first span: by it */
};

START_TEST(each_example)
{
	int64_t wall, at = 0;
	ck_assert(time_parse(examples[_i].wall, &wall));
	ck_assert_int_eq(zone_instant(&zone, wall, &at), examples[_i].at != NULL);
	if (examples[_i].at == NULL)
		return;
	char text[TIME_TEXT_BYTES];
	time_print(at, text);
	ck_assert_str_eq(text, examples[_i].at);
}
END_TEST

START_TEST(only_clocks_put_forward_make_a_gap)
{
	int64_t spring = spans[1].from_at, autumn = spans[2].from_at;
	ck_assert(zone_has_gap(&zone, spring - 1, spring + 1));
	ck_assert(!zone_has_gap(&zone, spring - 2, spring));
	ck_assert(!zone_has_gap(&zone, spring, spring + 2));
	ck_assert(!zone_has_gap(&zone, autumn - 1, autumn + 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("appointment zone");
	TCase *tests = tcase_create("zone");
	tcase_add_loop_test(tests, each_example, 0, sizeof(examples) / sizeof(examples[0]));
	tcase_add_test(tests, only_clocks_put_forward_make_a_gap);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
