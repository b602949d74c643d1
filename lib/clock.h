/* The clocks, and times as text. All wall times are microseconds since 1970 UTC. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SECONDS(n) ((int64_t)(n)*1000) /* in milliseconds */
#define MICROSECONDS_PER_SECOND INT64_C(1000000)
#define HOURS_US(n) ((int64_t)(n)*3600 * MICROSECONDS_PER_SECOND)
#define DAYS_US(n) (HOURS_US(24) * (n))

enum { TIME_TEXT_BYTES = 28 };

int64_t clock_now_us(void);    /* wall clock */
int64_t clock_steady_ms(void); /* CLOCK_BOOTTIME: for periods and deadlines */
int64_t clock_steady_us(void);

/* "2026-03-01T12:00:00.000000Z"; the fraction is left out when it is zero. */
void time_print(int64_t time_us, char out[TIME_TEXT_BYTES]);

/*
 * RFC 3339 date-time with offset; up to 9 fraction digits (cut to microseconds); month lengths are
 * checked; second 60 is refused.
 */
bool time_parse(const char *text, int64_t *time_us);
bool date_is_valid(const char *text); /* full-date */
