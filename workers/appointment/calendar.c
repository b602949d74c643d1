/* Days and their texts, by way of the times at which they begin in UTC. */
#include "calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

enum { DAYS_A_WEEK = 7, THURSDAY = 4 }; /* 1970-01-01 was one */

int64_t calendar_day(const char *date)
{
	char text[TIME_TEXT_BYTES];
	int64_t at;
	snprintf(text, sizeof(text), "%.10sT00:00:00Z", date);
	if (!time_parse(text, &at))
		abort();            /* the contract's reader looks at dates */
	return at / DAYS_US(1); /* it is midnight: nothing is cut */
}

void calendar_print(int64_t day, char date[DATE_TEXT_BYTES])
{
	char text[TIME_TEXT_BYTES];
	time_print(day * DAYS_US(1), text);
	memcpy(date, text, DATE_TEXT_BYTES - 1);
	date[DATE_TEXT_BYTES - 1] = '\0';
}

int64_t calendar_weekday(int64_t day)
{
	return (((day + THURSDAY - 1) % DAYS_A_WEEK) + DAYS_A_WEEK) % DAYS_A_WEEK + 1;
}
