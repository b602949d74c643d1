/* Offers. */
#include "offer.h"

#include <string.h>

#include "tell.h"

static bool is_made(const struct state *state, const struct entry *entry, const struct slot *slot)
{
	for (const struct offer *offer = state->offers; offer != NULL; offer = offer->next)
		if (strcmp(offer->waitlist_id, entry->waitlist_id) == 0 && strcmp(offer->slot_id, slot->slot_id) == 0)
			return true;
	return false;
}

static bool may_be_asked(const struct state *state, const struct entry *entry, const struct slot *slot)
{
	return entry->status == ENTRY_WAITING && strcmp(entry->provider_id, slot->provider_id) == 0
		&& entry_wants(entry, slot) && !is_made(state, entry, slot);
}

/* Of those whom the database proposes, and of those who joined in this batch. */
static struct entry *find_first(const struct state *state, const struct slot *slot)
{
	struct entry *first = NULL;
	for (const struct candidate *next = state->candidates; next != NULL; next = next->next)
		if (strcmp(next->slot_id, slot->slot_id) == 0 && may_be_asked(state, next->entry, slot)
			&& (first == NULL || entry_precedes(next->entry, first)))
			first = next->entry;
	for (size_t i = 0; i < state->entries.count; i++) {
		struct entry *entry = state->entries.items[i];
		if (!entry->is_stored && may_be_asked(state, entry, slot)
			&& (first == NULL || entry_precedes(entry, first)))
			first = entry;
	}
	return first;
}

static void note_offer(struct state *state, const struct entry *entry, const struct slot *slot)
{
	struct offer *offer = arena_new(state->arena, sizeof(*offer));
	*offer = (struct offer){ entry->waitlist_id, slot->slot_id, state->offers };
	state->offers = offer;
}

void offer_next(struct state *state, struct slot *slot, struct outbox *outbox)
{
	const struct terms *terms = state_terms(state, slot->provider_id, slot->clinic_id);
	bool is_bookable = slot_state(slot) == SLOT_STATE_FREE
		&& slot_time_refusal(slot, terms, state->now) == APPOINTMENT_REFUSAL_NONE;
	struct entry *entry = is_bookable ? find_first(state, slot) : NULL;
	if (entry == NULL)
		return;
	int64_t until = state->now + state->rules->offer_us;
	entry_offer(entry, slot->slot_id);
	slot_offer(slot, entry->patient_ref, until < slot->starts_at ? until : slot->starts_at,
		entry->waitlist_id);
	note_offer(state, entry, slot);
	tell_offered(slot, entry, outbox);
}

void offer_end(struct state *state, struct slot *slot, struct entry *entry, enum event event,
	struct outbox *outbox)
{
	slot_end_hold(slot);
	entry_end_offer(entry);
	tell_offer_ended(entry, slot, event, outbox);
	offer_next(state, slot, outbox);
}
