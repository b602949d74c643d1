/* Who gets a slot. The database's exclusion constraints say the same, whatever is overlooked here. */
#include "place.h"

#include <string.h>

#include "tell.h"

static bool is_same_room(const struct booking *booking, const struct slot *slot)
{
	return slot->room_id != NULL && booking->room_id != NULL && strcmp(booking->room_id, slot->room_id) == 0
		&& strcmp(booking->clinic_id, slot->clinic_id) == 0;
}

static enum appointment_refusal overlap_refusal(const struct state *state, const struct slot *slot,
	const char *patient_ref, const struct booking *self)
{
	enum appointment_refusal reason = APPOINTMENT_REFUSAL_NONE;
	for (size_t i = 0; i < state->bookings.count; i++) {
		const struct booking *booking = state->bookings.items[i];
		if (booking == self || !booking_overlaps(booking, slot))
			continue;
		if (strcmp(booking->patient_ref, patient_ref) == 0)
			return APPOINTMENT_REFUSAL_PATIENT_OVERLAP;
		if (is_same_room(booking, slot) || strcmp(booking->provider_id, slot->provider_id) == 0)
			reason = APPOINTMENT_REFUSAL_TAKEN;
	}
	return reason;
}

enum appointment_refusal place_refusal(const struct state *state, const struct slot *slot,
	const struct claim *claim, const struct booking *self)
{
	const struct terms *terms = state_terms(state, slot->provider_id, slot->clinic_id);
	enum appointment_refusal reason = slot_refusal(slot, terms, claim, state->now);
	return reason != APPOINTMENT_REFUSAL_NONE ? reason
											  : overlap_refusal(state, slot, claim->patient_ref, self);
}

void place_serve(struct state *state, const struct slot *slot, struct outbox *outbox)
{
	struct entry *entry = state_entry(state, slot->waitlist_id);
	if (entry == NULL)
		return;
	entry_end(entry, ENTRY_BOOKED);
	tell_left(entry, outbox);
}
