/* PURE. The fictional stock of the demo world: the same seed and day give the same units. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "events.h"

enum { WORLD_UNITS_MAX = 1000000 }; /* as many serial numbers a year has */

struct world {
	const char *seed;
	int64_t day_us;           /* collection days count back from here */
	enum component component; /* 0 = mixed */
	enum blood_group group;   /* 0 = mixed */
	bool is_fresh;            /* all collected on the last day: the longest life that is left */
};

/* The unit of that number; texts are in the arena. */
void world_unit(const struct world *world, unsigned long number, struct arena *arena,
	struct received_unit *out);
