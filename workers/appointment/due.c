/* What time brings: holds and offers end, visits to which nobody came are missed. */
#include "appointment.h"
#include "offer.h"
#include "tell.h"

bool is_more_due(const struct batch *batch)
{
	const struct state *state = batch->state;
	return state->is_more_due;
}

static void end_hold(struct slot *slot, struct outbox *outbox)
{
	const struct origin origin = { .correlation_id = slot->hold_correlation_id };
	slot_end_hold(slot);
	tell_released(slot, APPOINTMENT_SLOT_RELEASED_REASON_EXPIRED, &origin, outbox);
}

/* For timers whose loading was all that was to be done. */
void decide_nothing(struct batch *batch, struct outbox *outbox)
{
	(void)batch;
	(void)outbox;
}

/* Between the look at what is due and the locks, someone may have booked it. */
void decide_due_slots(struct batch *batch, struct outbox *outbox)
{
	struct state *state = batch->state;
	for (size_t i = 0; i < state->due_slots_count; i++) {
		struct slot *slot = state->due_slots[i];
		if (slot->held_until == 0 || slot->held_until > batch->now)
			continue;
		struct entry *entry = state_entry(state, slot->waitlist_id);
		if (entry == NULL)
			end_hold(slot, outbox);
		else
			offer_end(state, slot, entry, APPOINTMENT_SLOT_OFFER_EXPIRED, outbox);
	}
}

void decide_due_bookings(struct batch *batch, struct outbox *outbox)
{
	struct state *state = batch->state;
	for (size_t i = 0; i < state->due_bookings_count; i++) {
		struct booking *booking = state->due_bookings[i];
		if (booking->status != APPOINTMENT_STATUS_BOOKED
			|| booking->ends_at + state->rules->missed_us > batch->now)
			continue;
		booking_end(booking, APPOINTMENT_STATUS_NO_SHOW, NULL, batch->now);
		tell_booking(booking, APPOINTMENT_VISIT_NO_SHOW, batch->arena, outbox);
	}
}
