/*
 * libFuzzer: texts as times and dates. What is read agrees with the C library's calendar, and prints as a text that is
 * read as the same time.
 */
#include "fuzz.h"

#include <stdbool.h>
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

/* A fraction has digits, and the zone comes right behind. */
static void check_end(const char *text)
{
	const char *end = text + strlen("2026-01-01T00:00:00");
	if (*end == '.') {
		size_t digits = strspn(end + 1, "0123456789");
		must(digits >= 1 && digits <= 9, "a fraction has 1 to 9 digits");
		end += 1 + digits;
	}
	must(*end != '\0' && strchr("Zz+-", *end) != NULL, "a zone follows");
	must(strlen(end) == (*end == 'Z' || *end == 'z' ? 1 : 6), "and nothing behind it");
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

/* A date is valid if and only if the library's calendar has it. */
static void check_calendar(uint64_t dice)
{
	struct tm parts = { .tm_year = (int)(dice % 10000) - 1900,
		.tm_mon = (int)(dice / 10000 % 14) - 1,
		.tm_mday = (int)(dice / 10000 / 14 % 34) };
	const struct tm given = parts;
	char text[32];
	snprintf(text, sizeof(text), "%04d-%02d-%02d", given.tm_year + 1900, given.tm_mon + 1, given.tm_mday);
	timegm(&parts);
	bool exists = given.tm_year > -1900 && parts.tm_mday == given.tm_mday && parts.tm_mon == given.tm_mon;
	must(date_is_valid(text) == exists, "a date is valid if and only if it exists");
}

/* FNV-1a: a number that any change of the input changes. */
static uint64_t throw_dice(const uint8_t *data, size_t size)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
	return hash >> 8;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan scan = { .next = data, .left_bytes = size };
	char *text = fuzz_text(&scan);
	int64_t time_us;
	if (time_parse(text, &time_us)) {
		check_with_library(text, time_us);
		check_end(text);
		check_printing(time_us);
	}
	if (date_is_valid(text))
		check_date(text);
	uint64_t dice = throw_dice(data, size);
	check_printing((int64_t)(dice % (uint64_t)DAYS_US(2900000)));
	check_calendar(dice);
	free(text);
	return 0;
}
