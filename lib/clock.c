/* Clocks, and times as text by the proleptic Gregorian calendar, years 1 to 9999. */
#include "clock.h"

#include <time.h>

enum {
	YEAR_MIN = 1,
	DAYS_PER_ERA = 146097,  /* 400 years */
	DAYS_TO_EPOCH = 719468, /* 0000-03-01 to 1970-01-01 */
	SECONDS_PER_DAY = 86400,
	FRACTION_DIGITS_MAX = 9,
};

#define TIME_MIN_US (INT64_C(-62135596800) * MICROSECONDS_PER_SECOND)
#define TIME_MAX_US (INT64_C(253402300800) * MICROSECONDS_PER_SECOND - 1)

struct date {
	int year, month, day;
};

static int64_t read_clock_us(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * MICROSECONDS_PER_SECOND + now.tv_nsec / 1000;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && is_leap ? 29 : days[month - 1];
}

/* The year begins in March here, so that the leap day is its last day. */
static int64_t days_since_epoch(struct date date)
{
	int year = date.month <= 2 ? date.year - 1 : date.year;
	int era = year / 400;
	int year_of_era = year - era * 400;
	int month_from_march = (date.month + 9) % 12;
	int day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
	int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return (int64_t)era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
}

/* The inverse; `days` not before year 1. */
static struct date date_of_days(int64_t days)
{
	days += DAYS_TO_EPOCH;
	int era = (int)(days / DAYS_PER_ERA);
	int day_of_era = (int)(days % DAYS_PER_ERA);
	int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int month_from_march = (5 * day_of_year + 2) / 153;
	struct date date = {
		.year = era * 400 + year_of_era + (month_from_march >= 10),
		.month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9,
		.day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
	};
	return date;
}

/* Exactly `count` digits; moves the cursor behind them. */
static bool read_digits(const char **cursor, int count, int *value)
{
	int sum = 0;
	for (int i = 0; i < count; i++, (*cursor)++) {
		if (**cursor < '0' || **cursor > '9')
			return false;
		sum = sum * 10 + (**cursor - '0');
	}
	*value = sum;
	return true;
}

static bool read_byte(const char **cursor, char wanted)
{
	if (**cursor != wanted)
		return false;
	(*cursor)++;
	return true;
}

static bool read_date(const char **cursor, struct date *date)
{
	return read_digits(cursor, 4, &date->year) && read_byte(cursor, '-')
		&& read_digits(cursor, 2, &date->month) && read_byte(cursor, '-')
		&& read_digits(cursor, 2, &date->day) && date->year >= YEAR_MIN && date->month >= 1
		&& date->month <= 12 && date->day >= 1 && date->day <= days_in_month(date->year, date->month);
}

/* ":00"-separated hours, minutes and, when `seconds` is not NULL, seconds. */
static bool read_time(const char **cursor, int *hours, int *minutes, int *seconds)
{
	if (!read_digits(cursor, 2, hours) || !read_byte(cursor, ':') || !read_digits(cursor, 2, minutes))
		return false;
	if (seconds != NULL && (!read_byte(cursor, ':') || !read_digits(cursor, 2, seconds)))
		return false;
	return *hours <= 23 && *minutes <= 59 && (seconds == NULL || *seconds <= 59);
}

/* An optional fraction of 1 to 9 digits, cut to microseconds. */
static bool read_fraction(const char **cursor, int64_t *microseconds)
{
	*microseconds = 0;
	if (!read_byte(cursor, '.'))
		return true;
	int count = 0;
	int64_t unit = MICROSECONDS_PER_SECOND;
	for (; **cursor >= '0' && **cursor <= '9'; (*cursor)++, count++) {
		unit /= 10;
		*microseconds += (**cursor - '0') * unit;
	}
	return count >= 1 && count <= FRACTION_DIGITS_MAX;
}

static bool read_offset(const char **cursor, int *offset_s)
{
	*offset_s = 0;
	if (read_byte(cursor, 'Z') || read_byte(cursor, 'z'))
		return true;
	int sign = **cursor == '-' ? -1 : 1;
	if (!read_byte(cursor, '+') && !read_byte(cursor, '-'))
		return false;
	int hours, minutes;
	if (!read_time(cursor, &hours, &minutes, NULL))
		return false;
	*offset_s = sign * (hours * 3600 + minutes * 60);
	return true;
}

static char *put_digits(char *out, int count, int64_t value)
{
	for (int i = count - 1; i >= 0; i--, value /= 10)
		out[i] = (char)('0' + value % 10);
	return out + count;
}

static char *put_pair(char *out, char separator, int value)
{
	*out++ = separator;
	return put_digits(out, 2, value);
}

int64_t clock_now_us(void)
{
	return read_clock_us(CLOCK_REALTIME);
}

int64_t clock_steady_us(void)
{
	return read_clock_us(CLOCK_BOOTTIME);
}

int64_t clock_steady_ms(void)
{
	return clock_steady_us() / 1000;
}

void time_print(int64_t time_us, char out[TIME_TEXT_BYTES])
{
	if (time_us < TIME_MIN_US)
		time_us = TIME_MIN_US;
	if (time_us > TIME_MAX_US)
		time_us = TIME_MAX_US;
	int64_t since_min_us = time_us - TIME_MIN_US; /* not negative: division cuts the way we need */
	int64_t seconds = since_min_us / MICROSECONDS_PER_SECOND;
	int64_t fraction_us = since_min_us % MICROSECONDS_PER_SECOND;
	int of_day = (int)(seconds % SECONDS_PER_DAY);
	struct date date = date_of_days(seconds / SECONDS_PER_DAY + TIME_MIN_US / DAYS_US(1));
	out = put_digits(out, 4, date.year);
	out = put_pair(out, '-', date.month);
	out = put_pair(out, '-', date.day);
	out = put_pair(out, 'T', of_day / 3600);
	out = put_pair(out, ':', of_day / 60 % 60);
	out = put_pair(out, ':', of_day % 60);
	if (fraction_us != 0) {
		*out++ = '.';
		out = put_digits(out, 6, fraction_us);
	}
	*out++ = 'Z';
	*out = '\0';
}

bool time_parse(const char *text, int64_t *time_us)
{
	struct date date;
	int hours, minutes, seconds, offset_s;
	int64_t fraction_us;
	if (!read_date(&text, &date) || !(read_byte(&text, 'T') || read_byte(&text, 't'))
		|| !read_time(&text, &hours, &minutes, &seconds) || !read_fraction(&text, &fraction_us)
		|| !read_offset(&text, &offset_s) || *text != '\0')
		return false;
	int64_t utc_s =
		days_since_epoch(date) * SECONDS_PER_DAY + (hours * 60 + minutes) * INT64_C(60) + seconds - offset_s;
	int64_t utc_us = utc_s * MICROSECONDS_PER_SECOND + fraction_us;
	if (utc_us < TIME_MIN_US || utc_us > TIME_MAX_US)
		return false;
	*time_us = utc_us;
	return true;
}

bool date_is_valid(const char *text)
{
	struct date date;
	return read_date(&text, &date) && *text == '\0';
}
