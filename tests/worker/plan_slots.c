/*
 * Plans slots for another program: reads "plan SPANS FIRST_DAY LAST_DAY SLOT_MINUTES BUFFER_MINUTES" and so many "FROM_US SHIFT_US" from
 * stdin, again and again, and writes "DAY MINUTE STARTS_US ENDS_US" for each slot of all seven days around the clock, then "end".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "recurrence.h"

enum { SPANS_MAX = 256, SLOTS_MAX = 4096, WEEKDAYS = 7 };

static bool read_plan(struct recurrence *recurrence, struct zone *zone)
{
	size_t spans;
	if (scanf(" plan %zu %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &spans, &recurrence->first_day,
			&recurrence->last_day, &recurrence->slot_minutes, &recurrence->buffer_minutes)
			!= 5
		|| spans > SPANS_MAX)
		return false;
	for (zone->count = 0; zone->count < spans; zone->count++) {
		struct span *span = &zone->spans[zone->count];
		if (scanf("%" SCNd64 " %" SCNd64, &span->from_at, &span->shift_us) != 2)
			return false;
	}
	return true;
}

int main(void)
{
	static struct span spans[SPANS_MAX];
	static struct planned planned[SLOTS_MAX];
	struct weekly_hours weekly[WEEKDAYS];
	struct zone zone = { .spans = spans };
	struct recurrence recurrence = { .weekly = weekly, .weekly_count = WEEKDAYS };
	for (int i = 0; i < WEEKDAYS; i++)
		weekly[i] = (struct weekly_hours){ .weekday = i + 1, .from = "00:00", .to = "24:00" };
	while (read_plan(&recurrence, &zone)) {
		size_t count = recurrence_plan(&recurrence, &zone, INT64_MIN, planned, SLOTS_MAX);
		if (count > SLOTS_MAX)
			return EXIT_FAILURE;
		for (size_t i = 0; i < count; i++)
			printf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", planned[i].day, planned[i].minute,
				planned[i].starts_at, planned[i].ends_at);
		printf("end\n");
	}
	return feof(stdin) ? EXIT_SUCCESS : EXIT_FAILURE;
}
