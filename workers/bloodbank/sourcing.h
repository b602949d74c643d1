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
	size_t supplier; /* index into the wish's suppliers */
	int64_t distance_m;
	int32_t rank, penalty;
};

struct cursors {
	struct cursor *list; /* in the arena */
	size_t count;
};

enum cursor_order {
	BY_RANK,     /* rank, penalty, then units by age, distance, id */
	BY_DISTANCE, /* distance, rank, penalty, then units by age, id */
};

/* The bins that may hold units with that concession, of all suppliers, sorted. */
void cursors_find(const struct wish *wish, unsigned int concession, enum cursor_order order, struct arena *arena,
	struct cursors *out);

/* Those before `from` belong to the same class (rank and penalty, and distance BY_DISTANCE) as the first. */
size_t cursors_class_end(const struct cursors *cursors, size_t from, enum cursor_order order);

/*
 * Adds up to `quantity` units with exactly that concession to `picks`, by the sourcing rule: an emergency takes the
 * nearest bank able to fill it all, others the able bank with the lowest (sum of ranks, of penalties, distance,
 * bank_id); when no bank is able, units of all banks. Takes nothing off the shelves yet.
 */
void source_units(const struct wish *wish, unsigned int concession, size_t quantity, struct shelves *shelves,
	struct arena *arena, struct picks *picks);
