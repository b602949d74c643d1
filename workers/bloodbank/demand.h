/*
 * How many units of each bin a batch should load, from the counters alone, so that the allocator most probably needs
 * no second load: first the groups each request would take, others only where the counters say those are short.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "rules.h"
#include "shelf.h"
#include "wish.h"

enum { DEMAND_DEEPER_SHIFT = 3 }; /* each round loads eight times as deep */

/*
 * Raises queue->asked of the bins that hold nothing but counters yet (shelves_bin, bin_count). The caller then loads,
 * for every bin and order with asked > 0, the first `asked` available units in that order, and of the designated
 * units all that are for one of the batch's patients.
 */
void demand_batch(const struct rules *rules, const struct wanted *wanted, size_t wanted_count, int64_t now,
	struct arena *arena, struct shelves *shelves);

/* After an allocation that wanted more (round 1, 2, ..): asks for at least so many units of each bin, every round deeper. */
void demand_deeper(struct shelves *shelves, unsigned round);
