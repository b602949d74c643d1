/* Days of the calendar, as numbers: days since 1970-01-01. */
#pragma once

#include <stdint.h>

enum { DATE_TEXT_BYTES = 11 };

/* Of "YYYY-MM-DD", which must be a real day. */
int64_t calendar_day(const char *date);

void calendar_print(int64_t day, char date[DATE_TEXT_BYTES]);

/* 1 is Monday, 7 is Sunday. */
int64_t calendar_weekday(int64_t day);
