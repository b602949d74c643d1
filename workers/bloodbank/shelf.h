/*
 * The shelves the allocator chooses from: a copy, for one batch, of what the banks have.
 *
 * bank -> shelf (component, group) -> bins. All units of a bin have the same attributes, so that within a bin one
 * request prefers them in one plain order: oldest first, or freshest first for neonates. A bin holds as many units as
 * were loaded from either end, and the counters say how many there are. A choice that would need more than was loaded
 * sets wants_more: load deeper (demand.h) and decide again.
 *
 * Filling: shelves_init, shelves_bank and shelves_bin from the counters, demand (demand.h), shelves_add for each row
 * that was loaded, shelves_ready.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "events.h"
#include "rules.h"
#include "unit.h"

enum { BANKS_MAX = 64 };

enum shelf_order {
	OLDEST_FIRST,   /* by expires_at, unit_id */
	FRESHEST_FIRST, /* by collected_at downwards, unit_id */
	SHELF_ORDERS,
};

/* The units of a bin in one order. */
struct queue {
	struct unit **units;
	size_t count, capacity;
	size_t first;      /* the units before this one are taken */
	size_t asked;      /* how many the caller should load, see demand.h */
	bool is_truncated; /* more exist than were loaded; set by shelves_ready */
};

struct bin {
	struct shelf *shelf;
	struct bin *next;        /* of the same shelf */
	struct bin *next_of_all; /* of all shelves */
	const char
		*designated_for; /* NULL: for anyone. Such units are never counted, and loaded all or not at all */
	struct queue queues[SHELF_ORDERS];
	int64_t available_count; /* available units, by the database's counter less what the batch took */
	int64_t demanded;        /* working memory of demand.c */
	uint32_t attributes;
};

struct shelf {
	struct bank *bank;
	struct bin *bins;
	int64_t available_count; /* undesignated units of all bins: what a floor is measured against */
	int64_t planned;         /* working memory of sourcing.c and demand.c */
	enum component component;
	enum blood_group group;
};

struct bank {
	const char *bank_id;
	struct shelf shelves[COMPONENTS][BLOOD_GROUPS];
};

/* One choice made, so that it can be unmade. */
struct taken {
	struct unit *unit;
	struct taken *before;
};

struct shelves {
	struct arena *arena; /* borrowed; holds everything */
	struct bank *banks[BANKS_MAX];
	size_t banks_count;
	struct bin *bins;    /* all of them, by next_of_all */
	struct unit **index; /* by unit_id: open addressing, a power of two */
	size_t index_size, index_count;
	struct taken *taken;
	bool wants_more;
};

void shelves_init(struct shelves *shelves, struct arena *arena);

/* The bank of that id, made when it is new; NULL when there are BANKS_MAX others. The id is copied. */
struct bank *shelves_bank(struct shelves *shelves, const char *bank_id);

/*
 * The bin of that kind, made when it is new. `designated_for` NULL: for anyone. `attributes` = attribute_set_of_unit.
 */
struct bin *shelves_bin(struct shelves *shelves, struct bank *bank, enum component component,
	enum blood_group group, uint32_t attributes, const char *designated_for);

/* Sets the database's counter of a bin (of undesignated units). */
void bin_count(struct bin *bin, int64_t available_count);

/*
 * Adds a copy of a loaded unit to its bin's queue, found by the unit's own members; the texts are borrowed and must
 * live as long as the arena. The same unit may come once per order. False: the unit's bank isn't among the banks.
 */
bool shelves_add(struct shelves *shelves, const struct unit *unit, enum shelf_order order);

/*
 * Sorts what was added, counts out what has expired at `now`, and finds out which queues are truncated: fewer units
 * than the counter says, and not fewer than asked for.
 */
void shelves_ready(struct shelves *shelves, int64_t now);

/* After shelves_ready: a unit that became available in this batch. Counts it, and adds it where it can be seen. */
bool shelves_insert(struct shelves *shelves, const struct unit *unit);

/* The unit of that id, taken or not; NULL when it was not loaded. */
struct unit *shelves_find(const struct shelves *shelves, const char *unit_id);

/* Marks a unit as taken and counts it out. */
void shelves_take(struct shelves *shelves, struct unit *unit);

/* Unmakes all that was taken, and wants_more: for a rehearsal before the real decisions. */
void shelves_rewind(struct shelves *shelves);

/* The first unit of a queue that isn't taken is at queue->first or behind; moves `first` up to it. */
void queue_settle(struct queue *queue);
