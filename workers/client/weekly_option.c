/* The days, an equals sign, two times of day with a dash. Whether the times exist is the contract's word. */
#include "weekly_option.h"

#include <string.h>

enum { CLOCK_CHARACTERS = 5, DAYS_A_WEEK = 7 };

static bool is_day(char letter)
{
	return letter >= '1' && letter < '1' + DAYS_A_WEEK;
}

/* "1-5", or "3"; moves on behind it. */
static bool read_span(const char **at, bool days[DAYS_A_WEEK])
{
	if (!is_day(**at))
		return false;
	int first = *(*at)++ - '1', last = first;
	if (**at == '-' && is_day((*at)[1])) {
		last = (*at)[1] - '1';
		*at += 2;
	}
	for (int day = first; day <= last; day++)
		days[day] = true;
	return first <= last;
}

static bool read_days(const char **at, bool days[DAYS_A_WEEK])
{
	bool is_good = read_span(at, days);
	while (is_good && **at == ',') {
		++*at;
		is_good = read_span(at, days);
	}
	return is_good && *(*at)++ == '=';
}

bool weekly_option_read(const char *text, json_t *weekly, struct why *why)
{
	bool days[DAYS_A_WEEK] = { false };
	const char *at = text;
	bool is_good = read_days(&at, days);
	if (!is_good || strlen(at) != 2 * CLOCK_CHARACTERS + 1 || at[CLOCK_CHARACTERS] != '-')
		return because(why, "usage", "--hours: \"%s\" are no hours; write 1-5=09:00-12:00 (1 is Monday)",
			text);
	for (int day = 0; day < DAYS_A_WEEK; day++)
		if (days[day])
			json_array_append_new(weekly,
				json_pack("{s:i, s:s%, s:s}", "weekday", day + 1, "from", at, (size_t)CLOCK_CHARACTERS, "to",
					at + CLOCK_CHARACTERS + 1));
	return true;
}
