/* The state of a batch: items by their identifiers. */
#include "state.h"

#include <string.h>

enum { SPANS_FIRST = 8 };

struct state *state_new(const struct batch *batch)
{
	struct state *state = arena_new(batch->arena, sizeof(*state));
	state->arena = batch->arena;
	state->rules = &rules_default;
	state->now = batch->now;
	struct table *const tables[] = { &state->slots, &state->bookings, &state->entries, &state->clinics,
		&state->terms, &state->floors, &state->decided, &state->commands };
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		table_init(tables[i], batch->arena);
	state->candidates_end = &state->candidates;
	return state;
}

struct slot *state_slot(const struct state *state, const char *slot_id)
{
	struct slot *slot = table_find(&state->slots, slot_id);
	return slot == NULL || slot->is_gone || slot->version == 0 ? NULL : slot;
}

struct booking *state_booking(const struct state *state, const char *appointment_id)
{
	return table_find(&state->bookings, appointment_id);
}

struct entry *state_entry(const struct state *state, const char *waitlist_id)
{
	return table_find(&state->entries, waitlist_id);
}

const struct clinic *state_clinic(const struct state *state, const char *clinic_id)
{
	return table_find(&state->clinics, clinic_id);
}

/* Neither of the two has a space in it. */
static const char *pair_key(const struct state *state, const char *provider_id, const char *other)
{
	return arena_print(state->arena, "%s %s", provider_id, other);
}

struct terms *state_terms(const struct state *state, const char *provider_id, const char *clinic_id)
{
	return table_find(&state->terms, pair_key(state, provider_id, clinic_id));
}

bool state_knows_provider(const struct state *state, const char *provider_id)
{
	for (size_t i = 0; i < state->terms.count; i++) {
		const struct terms *terms = state->terms.items[i];
		if (strcmp(terms->provider_id, provider_id) == 0)
			return true;
	}
	return false;
}

bool state_is_decided(struct state *state, const char *message_id)
{
	if (table_find(&state->decided, message_id) != NULL)
		return true;
	table_add(&state->decided, message_id, state);
	table_add(&state->commands, message_id, arena_text(state->arena, message_id));
	return false;
}

/* The item of that id, new and empty where it is not there yet. */
static void *add(struct state *state, struct table *table, const char *id, size_t bytes)
{
	void *item = table_find(table, id);
	if (item == NULL) {
		item = arena_new(state->arena, bytes);
		table_add(table, id, item);
	}
	return item;
}

struct slot *state_add_slot(struct state *state, const char *slot_id)
{
	struct slot *slot = add(state, &state->slots, slot_id, sizeof(*slot));
	slot->slot_id = slot_id;
	return slot;
}

struct booking *state_add_booking(struct state *state, const char *appointment_id)
{
	struct booking *booking = add(state, &state->bookings, appointment_id, sizeof(*booking));
	booking->appointment_id = appointment_id;
	return booking;
}

struct entry *state_add_entry(struct state *state, const char *waitlist_id)
{
	struct entry *entry = add(state, &state->entries, waitlist_id, sizeof(*entry));
	entry->waitlist_id = waitlist_id;
	return entry;
}

struct clinic *state_add_clinic(struct state *state, const char *clinic_id)
{
	struct clinic *clinic = add(state, &state->clinics, clinic_id, sizeof(*clinic));
	clinic->clinic_id = clinic_id;
	return clinic;
}

struct terms *state_add_terms(struct state *state, const char *provider_id, const char *clinic_id)
{
	struct terms *terms = add(state, &state->terms, pair_key(state, provider_id, clinic_id), sizeof(*terms));
	terms->provider_id = provider_id;
	terms->clinic_id = clinic_id;
	return terms;
}

void state_set_floor(struct state *state, const char *provider_id, const char *date, int64_t version)
{
	int64_t *floor = add(state, &state->floors, pair_key(state, provider_id, date), sizeof(*floor));
	*floor = version;
}

int64_t state_floor(const struct state *state, const char *provider_id, const char *date)
{
	const int64_t *floor = table_find(&state->floors, pair_key(state, provider_id, date));
	return floor == NULL ? 0 : *floor;
}

void state_add_block(struct state *state, const struct block *block)
{
	struct block *copy = arena_new(state->arena, sizeof(*copy));
	*copy = *block;
	copy->next = state->blocks;
	state->blocks = copy;
}

void state_add_span(struct state *state, const char *clinic_id, const struct span *span)
{
	struct clinic *clinic = state_add_clinic(state, clinic_id);
	struct zone *zone = &clinic->zone;
	if (zone->count == clinic->spans_capacity) {
		clinic->spans_capacity = zone->count == 0 ? SPANS_FIRST : zone->count * 2;
		struct span *spans = arena_array(state->arena, clinic->spans_capacity, sizeof(*spans));
		if (zone->count > 0)
			memcpy(spans, zone->spans, zone->count * sizeof(*spans));
		zone->spans = spans;
	}
	zone->spans[zone->count++] = *span;
}

void state_add_candidate(struct state *state, const char *slot_id, struct entry *entry)
{
	struct candidate *candidate = arena_new(state->arena, sizeof(*candidate));
	*candidate = (struct candidate){ .slot_id = slot_id, .entry = entry };
	*state->candidates_end = candidate;
	state->candidates_end = &candidate->next;
}
