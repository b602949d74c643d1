/* Weekly hours to slots: windows, buffers, exceptions, limits. Changes of the clocks are tests/service/test_zones.py's. */
#include "recurrence.h"

#include "calendar.h"
#include "clock.h"
#include "run.h"

enum { SLOTS_MAX = 64 };

static struct span span = { 0, 0 };
static const struct zone utc = { .spans = &span, .count = 1 };
static const struct weekly_hours monday[] = { { .weekday = 1, .from = "09:00", .to = "12:00" } };
static const struct weekly_hours broken[] = { { .weekday = 1, .from = "09:00", .to = "10:00" },
	{ .weekday = 1, .from = "10:00", .to = "11:10" }, { .weekday = 3, .from = "23:30", .to = "24:00" } };

/* Two weeks from Monday, 2026-11-30 on. */
static struct recurrence two_weeks(const struct weekly_hours *weekly, size_t count)
{
	return (struct recurrence){
		.weekly = weekly,
		.weekly_count = count,
		.slot_minutes = 30,
		.first_day = calendar_day("2026-11-30"),
		.last_day = calendar_day("2026-12-13"),
	};
}

static size_t plan(const struct recurrence *recurrence, struct planned planned[SLOTS_MAX])
{
	return recurrence_plan(recurrence, &utc, 0, planned, SLOTS_MAX);
}

START_TEST(the_last_slot_ends_with_the_window)
{
	struct planned planned[SLOTS_MAX];
	struct recurrence recurrence = two_weeks(monday, 1);
	ck_assert_uint_eq(plan(&recurrence, planned), 12);
	ck_assert_int_eq(planned[5].minute, 11 * 60 + 30);
	ck_assert_int_eq(planned[5].ends_at - planned[5].starts_at, HOURS_US(1) / 2);
	ck_assert_int_eq(planned[6].day, calendar_day("2026-12-07"));
	recurrence.slot_minutes = 50;
	ck_assert_uint_eq(plan(&recurrence, planned), 6);
	ck_assert_int_eq(planned[2].minute, 10 * 60 + 40);
}
END_TEST

START_TEST(a_buffer_is_between_two)
{
	struct planned planned[SLOTS_MAX];
	struct recurrence recurrence = two_weeks(monday, 1);
	recurrence.buffer_minutes = 15;
	ck_assert_uint_eq(plan(&recurrence, planned), 8);
	ck_assert_int_eq(planned[1].minute, 9 * 60 + 45);
	ck_assert_int_eq(planned[3].ends_at, DAYS_US(planned[3].day) + HOURS_US(11) + HOURS_US(3) / 4);
}
END_TEST

START_TEST(several_windows_up_to_midnight)
{
	struct planned planned[SLOTS_MAX];
	struct recurrence recurrence = two_weeks(broken, 3);
	ck_assert(recurrence_has_sense(&recurrence) && !recurrence_overlaps_itself(&recurrence));
	ck_assert_uint_eq(plan(&recurrence, planned), 10);
	ck_assert_int_eq(planned[4].minute, 23 * 60 + 30);
	ck_assert_int_eq(planned[4].ends_at, DAYS_US(planned[4].day + 1));
}
END_TEST

START_TEST(days_without_hours_and_times_that_are_over)
{
	const char *exceptions[] = { "2026-12-07" };
	struct planned planned[SLOTS_MAX];
	struct recurrence recurrence = two_weeks(monday, 1);
	int64_t nine = DAYS_US(recurrence.first_day) + HOURS_US(9);
	recurrence.exceptions = exceptions;
	recurrence.exceptions_count = 1;
	ck_assert_uint_eq(plan(&recurrence, planned), 6);
	ck_assert_uint_eq(recurrence_plan(&recurrence, &utc, nine, planned, SLOTS_MAX), 5);
	ck_assert_uint_eq(recurrence_plan(&recurrence, &utc, nine - 1, planned, SLOTS_MAX), 6);
}
END_TEST

START_TEST(more_than_fit_are_counted)
{
	struct planned planned[8] = { { .day = 0 } };
	const struct recurrence recurrence = two_weeks(monday, 1);
	ck_assert_uint_eq(recurrence_plan(&recurrence, &utc, 0, planned, 7), 12);
	ck_assert_int_eq(planned[6].day, calendar_day("2026-12-07"));
	ck_assert_int_eq(planned[7].day, 0);
}
END_TEST

static const struct {
	const char *from, *to;
	bool has_sense;
} windows[] = {
	{ "09:00", "09:00", false },
	{ "09:00", "08:59", false },
	{ "00:00", "24:00", true },
	{ "00:00", "24:01", false },
	{ "29:00", "29:59", false },
	{ "23:59", "24:00", true },
};

START_TEST(windows_that_make_sense)
{
	const struct weekly_hours hours = { .weekday = 1, .from = windows[_i].from, .to = windows[_i].to };
	const struct recurrence recurrence = two_weeks(&hours, 1);
	ck_assert_int_eq(recurrence_has_sense(&recurrence), windows[_i].has_sense);
}
END_TEST

START_TEST(windows_of_one_day_must_not_overlap)
{
	struct weekly_hours hours[] = { { .weekday = 1, .from = "09:00", .to = "12:00" },
		{ .weekday = 1, .from = "11:59", .to = "13:00" } };
	const struct recurrence recurrence = two_weeks(hours, 2);
	ck_assert(recurrence_overlaps_itself(&recurrence));
	hours[1].weekday = 2;
	ck_assert(!recurrence_overlaps_itself(&recurrence));
	hours[1] = (struct weekly_hours){ .weekday = 1, .from = "12:00", .to = "13:00" };
	ck_assert(!recurrence_overlaps_itself(&recurrence));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("appointment recurrence");
	TCase *tests = tcase_create("recurrence");
	tcase_add_test(tests, the_last_slot_ends_with_the_window);
	tcase_add_test(tests, a_buffer_is_between_two);
	tcase_add_test(tests, several_windows_up_to_midnight);
	tcase_add_test(tests, days_without_hours_and_times_that_are_over);
	tcase_add_test(tests, more_than_fit_are_counted);
	tcase_add_loop_test(tests, windows_that_make_sense, 0, sizeof(windows) / sizeof(windows[0]));
	tcase_add_test(tests, windows_of_one_day_must_not_overlap);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
