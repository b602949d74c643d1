/* A day is the beginning of the text of its first moment. */
#include "day_option.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "moment_option.h"

bool day_option_read(const char *text, int64_t now_us, long ahead, char day[DAY_TEXT_BYTES])
{
	char moment[48], time[TIME_TEXT_BYTES];
	int64_t time_us;
	bool is_date = text[0] != '+' && text[0] != '-';
	int length = snprintf(moment, sizeof(moment), "%s%s", text, is_date ? "T00:00:00Z" : "");
	if (length >= (int)sizeof(moment) || (is_date && strlen(text) != DAY_TEXT_BYTES - 1)
		|| !moment_option_read(moment, now_us, &time_us))
		return false;
	time_print(time_us + DAYS_US(ahead), time);
	memcpy(day, time, DAY_TEXT_BYTES - 1);
	day[DAY_TEXT_BYTES - 1] = '\0';
	return true;
}
