/* Absolute or relative. */
#include "moment_option.h"

#include <stdlib.h>

#include "clock.h"

enum { MOMENT_COUNT_MAX = 100000 };

static int64_t unit_us(char letter)
{
	if (letter == 'm')
		return HOURS_US(1) / 60;
	if (letter == 'h')
		return HOURS_US(1);
	return letter == 'd' ? DAYS_US(1) : 0;
}

bool moment_option_read(const char *text, int64_t now_us, int64_t *time_us)
{
	if (text[0] != '+' && text[0] != '-')
		return time_parse(text, time_us);
	char *end;
	long count = strtol(text, &end, 10);
	bool is_good = end > text + 1 && labs(count) <= MOMENT_COUNT_MAX && unit_us(*end) != 0 && end[1] == '\0';
	if (is_good)
		*time_us = now_us + count * unit_us(*end);
	return is_good;
}
