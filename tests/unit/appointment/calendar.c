/* Days as numbers, against known ones: leap years, weekdays, both sides of 1970. */
#include "calendar.h"

#include "run.h"

static const struct {
	const char *date;
	int64_t day, weekday;
} known[] = {
	{ "1970-01-01", 0, 4 },
	{ "1969-12-31", -1, 3 },
	{ "1970-01-04", 3, 7 },
	{ "1970-01-05", 4, 1 },
	{ "2000-02-29", 11016, 2 },
	{ "2024-02-29", 19782, 4 },
	{ "2024-03-01", 19783, 5 },
	{ "2026-11-28", 20785, 6 },
	{ "2100-03-01", 47541, 1 },
};

START_TEST(a_day_its_text_and_its_weekday)
{
	char date[DATE_TEXT_BYTES];
	ck_assert_int_eq(calendar_day(known[_i].date), known[_i].day);
	calendar_print(known[_i].day, date);
	ck_assert_str_eq(date, known[_i].date);
	ck_assert_int_eq(calendar_weekday(known[_i].day), known[_i].weekday);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("appointment calendar");
	TCase *tests = tcase_create("calendar");
	tcase_add_loop_test(tests, a_day_its_text_and_its_weekday, 0, sizeof(known) / sizeof(known[0]));
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
