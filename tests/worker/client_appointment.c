/* Pure parts of the commands about appointments: days and hours as people type them. */
#include "clock.h"
#include "day_option.h"
#include "weekly_option.h"

#include <stdlib.h>
#include <string.h>

#include "run.h"

#define NOW INT64_C(1780000000000000) /* 2026-05-28T20:26:40Z */

static const struct {
	const char *text;
	long ahead;
	const char *day; /* NULL: refused */
} days[] = {
	{ "2026-03-01", 0, "2026-03-01" },
	{ "2026-02-28", 1, "2026-03-01" },
	{ "2026-12-31", 1, "2027-01-01" },
	{ "+0d", 0, "2026-05-28" },
	{ "+3d", 1, "2026-06-01" },
	{ "-28d", 0, "2026-04-30" },
	{ "2026-02-30", 0, NULL },
	{ "2026-3-1", 0, NULL },
	{ "2026-03-01T08:00:00Z", 0, NULL },
	{ "today", 0, NULL },
	{ "+", 0, NULL },
	{ "", 0, NULL },
	{ "2026-03-012026-03-012026-03-012026-03-012026-03-012026-03-01", 0, NULL },
};

START_TEST(a_day)
{
	char day[DAY_TEXT_BYTES] = "untouched";
	bool is_good = day_option_read(days[_i].text, NOW, days[_i].ahead, day);
	ck_assert_msg(is_good == (days[_i].day != NULL), "%s", days[_i].text);
	ck_assert_str_eq(day, is_good ? days[_i].day : "untouched");
}
END_TEST

static const struct {
	const char *text;
	const char *weekly; /* NULL: refused */
} weeks[] = {
	{ "1=09:00-12:00", "[{\"weekday\":1,\"from\":\"09:00\",\"to\":\"12:00\"}]" },
	{ "6-7=08:30-24:00",
		"[{\"weekday\":6,\"from\":\"08:30\",\"to\":\"24:00\"},{\"weekday\":7,\"from\":\"08:30\",\"to\":\"24:00\"}]" },
	{ "2,4=14:00-17:30",
		"[{\"weekday\":2,\"from\":\"14:00\",\"to\":\"17:30\"},{\"weekday\":4,\"from\":\"14:00\",\"to\":\"17:30\"}]" },
	{ "1,1-1=09:00-10:00", "[{\"weekday\":1,\"from\":\"09:00\",\"to\":\"10:00\"}]" },
	{ "0=09:00-12:00", NULL },
	{ "8=09:00-12:00", NULL },
	{ "5-1=09:00-12:00", NULL },
	{ "1-=09:00-12:00", NULL },
	{ "1,=09:00-12:00", NULL },
	{ "=09:00-12:00", NULL },
	{ "1 09:00-12:00", NULL },
	{ "1=9:00-12:00", NULL },
	{ "1=09:00-12:00x", NULL },
	{ "1=09:00+12:00", NULL },
	{ "1", NULL },
	{ "", NULL },
};

START_TEST(hours_of_a_week)
{
	struct why why = { .text = "" };
	json_t *weekly = json_array();
	bool is_good = weekly_option_read(weeks[_i].text, weekly, &why);
	char *text = json_dumps(weekly, JSON_COMPACT);
	ck_assert_msg(is_good == (weeks[_i].weekly != NULL), "%s", weeks[_i].text);
	ck_assert_str_eq(text, is_good ? weeks[_i].weekly : "[]");
	ck_assert_int_eq(is_good, why.text[0] == '\0');
	free(text);
	json_decref(weekly);
}
END_TEST

#define LOOP(test_case, test, table) \
	tcase_add_loop_test(test_case, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
	Suite *suite = suite_create("client_appointment");
	TCase *test_case = tcase_create("client_appointment");
	LOOP(test_case, a_day, days);
	LOOP(test_case, hours_of_a_week, weeks);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
