/* Wall time to UTC. */
#include "zone.h"

static bool is_in_span(const struct zone *zone, size_t i, int64_t at)
{
	bool has_begun = i == 0 || at >= zone->spans[i].from_at;
	bool is_over = i + 1 < zone->count && at >= zone->spans[i + 1].from_at;
	return has_begun && !is_over;
}

bool zone_instant(const struct zone *zone, int64_t wall_us, int64_t *at)
{
	for (size_t i = 0; i < zone->count; i++) {
		int64_t there = wall_us - zone->spans[i].shift_us;
		if (!is_in_span(zone, i, there))
			continue;
		*at = there;
		return true;
	}
	return false;
}

bool zone_has_gap(const struct zone *zone, int64_t from_at, int64_t to_at)
{
	for (size_t i = 1; i < zone->count; i++) {
		const struct span *span = &zone->spans[i];
		if (span->from_at > from_at && span->from_at < to_at && span->shift_us > zone->spans[i - 1].shift_us)
			return true;
	}
	return false;
}
