/*
 * libFuzzer: texts as times and dates. What is read agrees with the C library's calendar, and prints as a text that is
 * read as the same time.
 */
#include "pieces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"

/* The offset behind the last sign, "+01:30", in seconds. */
static long offset_s(const char *text)
{
	const char *sign = strpbrk(strpbrk(text, "Tt"), "+-");
	int hours, minutes;
	if (sign == NULL || sscanf(sign + 1, "%2d:%2d", &hours, &minutes) != 2)
		return 0;
	long offset = hours * 3600L + minutes * 60L;
	return *sign == '-' ? -offset : offset;
}

static void check_with_library(const char *text, int64_t time_us)
{
	struct tm parts = { 0 };
	must(sscanf(text, "%4d-%2d-%2d%*1[Tt]%2d:%2d:%2d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
			 &parts.tm_hour, &parts.tm_min, &parts.tm_sec)
			== 6,
		"it has the shape of a time");
	parts.tm_year -= 1900;
	parts.tm_mon -= 1;
	struct tm given = parts;
	int64_t utc_s = (int64_t)timegm(&parts) - offset_s(text);
	must(parts.tm_mday == given.tm_mday && parts.tm_mon == given.tm_mon, "the day exists");
	int64_t rest_us = time_us - utc_s * MICROSECONDS_PER_SECOND;
	must(rest_us >= 0 && rest_us < MICROSECONDS_PER_SECOND, "it is the second that the library says");
}

static void check_printing(int64_t time_us)
{
	char printed[TIME_TEXT_BYTES];
	int64_t again_us;
	time_print(time_us, printed);
	must(time_parse(printed, &again_us) && again_us == time_us, "what was printed reads as the same time");
}

static void check_date(const char *text)
{
	struct tm parts = { 0 };
	must(strlen(text) == 10
			&& sscanf(text, "%4d-%2d-%2d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday) == 3,
		"it has the shape of a date");
	int day = parts.tm_mday;
	parts.tm_year -= 1900;
	parts.tm_mon -= 1;
	timegm(&parts);
	must(parts.tm_mday == day, "the day exists");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pieces pieces = { data, size };
	char *text = pieces_text(&pieces);
	int64_t time_us;
	if (time_parse(text, &time_us)) {
		check_with_library(text, time_us);
		check_printing(time_us);
	}
	if (date_is_valid(text))
		check_date(text);
	check_printing((int64_t)(pieces_u64(&pieces) % (uint64_t)DAYS_US(2900000)));
	free(text);
	return 0;
}
