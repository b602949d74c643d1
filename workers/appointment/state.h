/* What a batch knows: the slots, appointments and entries that it is about, and what stands around them. */
#pragma once

#include "booking.h"
#include "entry.h"
#include "rules.h"
#include "table.h"
#include "worker.h"
#include "zone.h"

struct clinic {
	const char *clinic_id;
	struct zone zone;
	size_t spans_capacity;
};

/* A time at which a provider is away. */
struct block {
	const char *block_id; /* NULL: stored already */
	const char *provider_id;
	const char *reason;
	int64_t from_at, to_at;
	struct block *next;
};

/* Who would take a slot, of all that the database knows. */
struct candidate {
	const char *slot_id;
	struct entry *entry;
	struct candidate *next; /* in the order in which they are asked */
};

/* One more offer, so that it is not made again. */
struct offer {
	const char *waitlist_id, *slot_id;
	struct offer *next;
};

struct state {
	struct arena *arena;
	const struct rules *rules;
	int64_t now;
	struct table slots, bookings, entries, clinics;
	struct table terms;    /* by provider and clinic */
	struct table floors;   /* versions of slots that are gone, by provider and day */
	struct table decided;  /* message ids of commands that were decided, here or long ago */
	struct table commands; /* those of this batch */
	struct block *blocks;
	struct candidate *candidates, **candidates_end;
	struct offer *offers; /* made in this batch */
	struct slot **due_slots;
	size_t due_slots_count;
	struct booking **due_bookings;
	size_t due_bookings_count;
	bool is_more_due;
};

struct state *state_new(const struct batch *batch);

/* NULL: there is none. Slots that are to go are none. */
struct slot *state_slot(const struct state *state, const char *slot_id);
struct booking *state_booking(const struct state *state, const char *appointment_id);
struct entry *state_entry(const struct state *state, const char *waitlist_id);
const struct clinic *state_clinic(const struct state *state, const char *clinic_id);

/* Never NULL where there is a slot: the foreign key sees to it. */
struct terms *state_terms(const struct state *state, const char *provider_id, const char *clinic_id);
bool state_knows_provider(const struct state *state, const char *provider_id);

/* Whether the command was decided before; if not, it is from now on. */
bool state_is_decided(struct state *state, const char *message_id);

/* Each adds an item with this identifier, which is borrowed, and nothing else in it; or returns the one that is there. */
struct slot *state_add_slot(struct state *state, const char *slot_id);
struct booking *state_add_booking(struct state *state, const char *appointment_id);
struct entry *state_add_entry(struct state *state, const char *waitlist_id);
struct clinic *state_add_clinic(struct state *state, const char *clinic_id);
struct terms *state_add_terms(struct state *state, const char *provider_id, const char *clinic_id);
void state_add_block(struct state *state, const struct block *block);

/* The highest version of a slot of the day that is gone, whatever its id; 0: none. New ones begin above it. */
void state_set_floor(struct state *state, const char *provider_id, const char *date, int64_t version);
int64_t state_floor(const struct state *state, const char *provider_id, const char *date);

void state_add_span(struct state *state, const char *clinic_id, const struct span *span);
void state_add_candidate(struct state *state, const char *slot_id, struct entry *entry);
