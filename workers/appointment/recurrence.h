/* Hours that come back every week, in wall time, to slots in UTC. */
#pragma once

#include "events.h"
#include "zone.h"

struct recurrence {
	const struct weekly_hours *weekly;
	size_t weekly_count;
	int64_t slot_minutes;
	int64_t buffer_minutes;  /* between one slot and the next */
	int64_t first_day;       /* as calendar.h counts */
	int64_t last_day;        /* inclusive */
	const char **exceptions; /* dates without hours */
	size_t exceptions_count;
};

struct planned {
	int64_t starts_at;
	int64_t ends_at;
	int64_t day;    /* in wall time */
	int64_t minute; /* of the start in wall time, since midnight */
};

/* Whether each window ends after it begins, at 24:00 at the latest. */
bool recurrence_has_sense(const struct recurrence *recurrence);

/* Whether two windows of one weekday overlap. */
bool recurrence_overlaps_itself(const struct recurrence *recurrence);

/*
 * The slots that start after a moment, in no particular order. Where clocks are put forward, what would start in the gap or last across it
 * is left out; where they are put back, slots start in the first of the two hours. Returns how many there are; at most `max` are written.
 */
size_t recurrence_plan(const struct recurrence *recurrence, const struct zone *zone, int64_t after,
	struct planned planned[], size_t max);
