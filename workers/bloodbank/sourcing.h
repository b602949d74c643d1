/* From which banks, and in which order, units are picked for a wish. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "shelf.h"
#include "unit.h"
#include "wish.h"

enum { PICKS_MAX = 100 };

struct pick {
	struct unit *unit;
	unsigned int concession; /* bits of enum concession */
};

struct picks {
	struct pick list[PICKS_MAX];
	size_t count;
	bool is_floor_met; /* a usable unit was left because of a floor */
};

/* A bin on the way of one wish: its units that fall short in exactly one way, in the wish's order. */
struct cursor {
	struct bin *bin;
	const struct queue *queue;
	size_t position;
	int64_t distance_m;
	int32_t rank, penalty;
};

/* The bins of one rank, of some suppliers, the lowest penalty first. */
struct cursors {
	struct cursor *list;
	size_t count, capacity;
};

enum { RANKS_MAX = 16 };

/*
 * Finds the bins of suppliers[from, to) that may hold units of that rank with that concession. `cursors` begins as
 * { 0 } and may be used again and again; its memory is in the arena.
 */
void cursors_find(const struct wish *wish, unsigned int concession, int32_t rank, size_t from, size_t to,
	struct arena *arena, struct cursors *cursors);

/*
 * Adds up to `quantity` units with exactly that concession to `picks`, by the sourcing rule: an emergency takes the
 * nearest bank able to fill it all, others the able bank with the lowest (sum of ranks, of penalties, distance,
 * bank_id); when no bank is able, units of all banks. Takes nothing off the shelves yet.
 */
void source_units(const struct wish *wish, unsigned int concession, size_t quantity, struct shelves *shelves,
	struct arena *arena, struct picks *picks);
