/* A time zone over some years: from which moment on its wall clocks are how far from UTC. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	int64_t from_at;  /* of the first one: as early as anyone asks */
	int64_t shift_us; /* wall time = UTC + shift */
};

struct zone {
	const char *name;
	struct span *spans; /* by time, at least one */
	size_t count;
};

/*
 * The moment at which clocks show a wall time (microseconds since 1970 as if the clock were on UTC). Where they show it twice, the
 * first. False: they never do, it falls into a gap.
 */
bool zone_instant(const struct zone *zone, int64_t wall_us, int64_t *at);

/* Whether clocks are put forward within the interval, its ends left out. */
bool zone_has_gap(const struct zone *zone, int64_t from_at, int64_t to_at);
