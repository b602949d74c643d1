/* Weekly hours to slots. */
#include "recurrence.h"

#include <string.h>

#include "calendar.h"
#include "clock.h"

enum { MINUTES_A_DAY = 24 * 60 };

#define MINUTES_US(n) ((int64_t)(n)*60 * MICROSECONDS_PER_SECOND)

static int64_t two_digits(const char *text)
{
	return INT64_C(10) * (text[0] - '0') + (text[1] - '0');
}

/* "HH:MM", whose digits the contract has looked at, to minutes since midnight. */
static int64_t minute_of(const char *text)
{
	return two_digits(text) * 60 + two_digits(text + 3);
}

bool recurrence_has_sense(const struct recurrence *recurrence)
{
	for (size_t i = 0; i < recurrence->weekly_count; i++) {
		const struct weekly_hours *hours = &recurrence->weekly[i];
		if (minute_of(hours->from) >= minute_of(hours->to) || minute_of(hours->to) > MINUTES_A_DAY)
			return false;
	}
	return true;
}

static bool hours_overlap(const struct weekly_hours *a, const struct weekly_hours *b)
{
	return a->weekday == b->weekday && minute_of(a->from) < minute_of(b->to)
		&& minute_of(b->from) < minute_of(a->to);
}

bool recurrence_overlaps_itself(const struct recurrence *recurrence)
{
	for (size_t i = 0; i < recurrence->weekly_count; i++)
		for (size_t k = 0; k < i; k++)
			if (hours_overlap(&recurrence->weekly[i], &recurrence->weekly[k]))
				return true;
	return false;
}

static bool is_exception(const struct recurrence *recurrence, int64_t day)
{
	char date[DATE_TEXT_BYTES];
	calendar_print(day, date);
	for (size_t i = 0; i < recurrence->exceptions_count; i++)
		if (strcmp(recurrence->exceptions[i], date) == 0)
			return true;
	return false;
}

/* False: there is no such time on that day, or it does not last as long as the slot. */
static bool place(const struct recurrence *recurrence, const struct zone *zone, int64_t day, int64_t minute,
	struct planned *planned)
{
	*planned = (struct planned){ .day = day, .minute = minute };
	if (!zone_instant(zone, DAYS_US(day) + MINUTES_US(minute), &planned->starts_at))
		return false;
	planned->ends_at = planned->starts_at + MINUTES_US(recurrence->slot_minutes);
	return !zone_has_gap(zone, planned->starts_at, planned->ends_at);
}

static size_t plan_window(const struct recurrence *recurrence, const struct zone *zone, int64_t after,
	int64_t day, const struct weekly_hours *hours, struct planned planned[], size_t max)
{
	int64_t step = recurrence->slot_minutes + recurrence->buffer_minutes;
	int64_t last = minute_of(hours->to) - recurrence->slot_minutes;
	struct planned next;
	size_t count = 0;
	for (int64_t minute = minute_of(hours->from); minute <= last; minute += step) {
		if (!place(recurrence, zone, day, minute, &next) || next.starts_at <= after)
			continue;
		if (count < max)
			planned[count] = next;
		count++;
	}
	return count;
}

size_t recurrence_plan(const struct recurrence *recurrence, const struct zone *zone, int64_t after,
	struct planned planned[], size_t max)
{
	size_t count = 0;
	for (int64_t day = recurrence->first_day; day <= recurrence->last_day; day++) {
		if (is_exception(recurrence, day))
			continue;
		for (size_t i = 0; i < recurrence->weekly_count; i++) {
			const struct weekly_hours *hours = &recurrence->weekly[i];
			size_t written = count < max ? count : max;
			if (hours->weekday == calendar_weekday(day))
				count += plan_window(recurrence, zone, after, day, hours, planned + written, max - written);
		}
	}
	return count;
}
