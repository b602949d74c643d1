/* Times as text: round trips over the calendar, and what must be refused. */
#include "clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "run.h"

struct example {
	const char *text;
	int64_t time_us;
};

START_TEST(texts_are_read)
{
	static const struct example examples[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01t00:00:00z", 0 },
		{ "1969-12-31T23:59:59.999999Z", -1 },
		{ "2026-11-22T13:00:00.5+01:00", INT64_C(1795348800500000) },
		{ "2026-11-22T11:30:00-00:30", INT64_C(1795348800000000) },
		{ "2026-11-22T12:00:00-00:00", INT64_C(1795348800000000) },
		{ "2024-02-29T00:00:00Z", INT64_C(1709164800000000) },
		{ "2000-02-29T00:00:00Z", INT64_C(951782400000000) },
		{ "1970-01-01T00:00:00.123456789Z", 123456 },
		{ "1970-01-01T00:00:00.1Z", 100000 },
		{ "0001-01-01T00:00:00Z", INT64_C(-62135596800000000) },
		{ "9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999) },
	};
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		int64_t time_us = 42;
		ck_assert_msg(time_parse(examples[i].text, &time_us), "%s was refused", examples[i].text);
		ck_assert_msg(time_us == examples[i].time_us, "%s is %" PRId64, examples[i].text, time_us);
	}
}
END_TEST

START_TEST(what_is_no_time_is_refused_and_leaves_the_output_alone)
{
	static const char *const wrong[] = {
		"",
		"2026",
		"2026-11-22",
		"2026-11-22T12:00:00",
		"2026-11-22 12:00:00Z",
		"2026-11-22T12:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2026-12-31T23:59:60Z",
		"2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00.1234567890Z",
		"2026-01-01T00:00:00+24:00",
		"2026-01-01T00:00:00+01:60",
		"2026-01-01T00:00:00+0100",
		"2026-01-01T00:00:00+01",
		"2026-01-01T00:00:00Zx",
		"2026-01-01T00:00:00Z ",
		" 2026-01-01T00:00:00Z",
		"0000-01-01T00:00:00Z",
		"0001-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01",
		"26-01-01T00:00:00Z",
		"2026-1-01T00:00:00Z",
		"+2026-01-01T00:00:00Z",
		"2026-01-01T-1:00:00Z",
		"2026-01-01T00:00:00,5Z",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int64_t time_us = 42;
		ck_assert_msg(!time_parse(wrong[i], &time_us), "\"%s\" was taken", wrong[i]);
		ck_assert_int_eq(time_us, 42);
	}
}
END_TEST

START_TEST(the_fraction_is_printed_only_when_there_is_one)
{
	char text[TIME_TEXT_BYTES];
	time_print(0, text);
	ck_assert_str_eq(text, "1970-01-01T00:00:00Z");
	time_print(-1, text);
	ck_assert_str_eq(text, "1969-12-31T23:59:59.999999Z");
	time_print(INT64_C(1795348800500000), text);
	ck_assert_str_eq(text, "2026-11-22T12:00:00.500000Z");
}
END_TEST

START_TEST(times_outside_of_the_calendar_are_printed_as_its_ends)
{
	char text[TIME_TEXT_BYTES];
	time_print(INT64_MIN, text);
	ck_assert_str_eq(text, "0001-01-01T00:00:00Z");
	time_print(INT64_MAX, text);
	ck_assert_str_eq(text, "9999-12-31T23:59:59.999999Z");
}
END_TEST

/* What the C library prints for the time. */
static void print_by_library(time_t seconds, char out[TIME_TEXT_BYTES])
{
	struct tm broken_down;
	gmtime_r(&seconds, &broken_down);
	size_t length = (size_t)snprintf(out, TIME_TEXT_BYTES, "%04d", broken_down.tm_year + 1900);
	strftime(out + length, TIME_TEXT_BYTES - length, "-%m-%dT%H:%M:%SZ", &broken_down);
}

/* Every day of the calendar, at changing times of the day. */
START_TEST(each_day_agrees_with_the_c_library)
{
	for (int64_t day = -719162; day <= 2932896; day++) {
		char text[TIME_TEXT_BYTES], expected[TIME_TEXT_BYTES];
		int64_t seconds = day * 86400 + (day + 800000) % 86400;
		int64_t time_us = 0;
		print_by_library((time_t)seconds, expected);
		time_print(seconds * MICROSECONDS_PER_SECOND, text);
		if (strcmp(text, expected) != 0 || !time_parse(text, &time_us)
			|| time_us != seconds * MICROSECONDS_PER_SECOND)
			ck_abort_msg("%s: printed as %s, read as %" PRId64, expected, text, time_us);
	}
}
END_TEST

START_TEST(dates_must_exist)
{
	ck_assert(date_is_valid("2024-02-29"));
	ck_assert(date_is_valid("9999-12-31"));
	static const char *const wrong[] = { "", "2023-02-29", "20240229", "2024-2-29", "2024-02-30",
		"2024-02-29Z", "0000-01-01", "2024-02-29T00:00:00Z", "2024-02" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!date_is_valid(wrong[i]), "\"%s\" was taken", wrong[i]);
}
END_TEST

START_TEST(clocks_advance)
{
	int64_t steady = clock_steady_us(), wall = clock_now_us();
	ck_assert_int_ge(clock_steady_us(), steady);
	ck_assert_int_ge(clock_steady_ms(), steady / 1000);
	ck_assert_int_gt(wall, INT64_C(1700000000) * MICROSECONDS_PER_SECOND);
	ck_assert_int_eq(DAYS_US(2), INT64_C(172800000000));
	ck_assert_int_eq(SECONDS(5), 5000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("clock");
	TCase *test_case = tcase_create("clock");
	tcase_set_timeout(test_case, 60);
	tcase_add_test(test_case, texts_are_read);
	tcase_add_test(test_case, what_is_no_time_is_refused_and_leaves_the_output_alone);
	tcase_add_test(test_case, the_fraction_is_printed_only_when_there_is_one);
	tcase_add_test(test_case, times_outside_of_the_calendar_are_printed_as_its_ends);
	tcase_add_test(test_case, each_day_agrees_with_the_c_library);
	tcase_add_test(test_case, dates_must_exist);
	tcase_add_test(test_case, clocks_advance);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
