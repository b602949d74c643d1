/* Commands about an appointment: it is cancelled, or gets another slot. */
#include "appointment.h"
#include "offer.h"
#include "place.h"
#include "refuse.h"
#include "tell.h"

static void refuse_unknown(const struct message *message, const char *appointment_id, struct outbox *outbox)
{
	const struct refusal refusal = { .reason = APPOINTMENT_REFUSAL_UNKNOWN_APPOINTMENT,
		.appointment_id = appointment_id };
	refuse(message, &refusal, outbox);
}

/* Why this caller cannot change the appointment now; 0: they can. */
static enum appointment_refusal change_refusal(const struct state *state, const struct booking *booking,
	const struct caller *caller)
{
	const struct terms *terms = state_terms(state, booking->provider_id, booking->clinic_id);
	if (!booking_belongs_to(booking, caller))
		return APPOINTMENT_REFUSAL_NOT_OWNER;
	if (booking->status != APPOINTMENT_STATUS_BOOKED)
		return APPOINTMENT_REFUSAL_WRONG_STATE;
	return booking_is_cut_off(booking, terms, state->now) ? APPOINTMENT_REFUSAL_TOO_LATE
														  : APPOINTMENT_REFUSAL_NONE;
}

static void cancel(struct state *state, struct booking *booking,
	const struct appointment_slot_cancel *command, struct outbox *outbox)
{
	struct slot *slot = state_slot(state, booking->slot_id);
	booking_cancel(booking, slot, command->by, command->reason, state->now);
	tell_booking(booking, APPOINTMENT_SLOT_CANCELLED, state->arena, outbox);
	offer_next(state, slot, outbox);
}

/* Whoever cancels again hears the same event again. */
enum outcome decide_cancel(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	const struct appointment_slot_cancel *command = message->body;
	const struct caller caller = { command->by, command->facility_id, command->role, command->patient_ref };
	struct booking *booking = state_booking(batch->state, command->appointment_id);
	(void)why;
	if (booking == NULL) {
		refuse_unknown(message, command->appointment_id, outbox);
		return DONE;
	}
	enum appointment_refusal reason = change_refusal(batch->state, booking, &caller);
	if (reason == APPOINTMENT_REFUSAL_NONE)
		cancel(batch->state, booking, command, outbox);
	else if (reason == APPOINTMENT_REFUSAL_WRONG_STATE && booking->status == APPOINTMENT_STATUS_CANCELLED)
		tell_booking(booking, APPOINTMENT_SLOT_CANCELLED, batch->arena, outbox);
	else
		refuse_booking(message, booking, reason, outbox);
	return DONE;
}

/* The old slot is free if and only if the new one was got. */
static void move(struct state *state, struct booking *booking, struct slot *to, const char *by,
	struct outbox *outbox)
{
	struct slot *from = state_slot(state, booking->slot_id);
	place_serve(state, to, outbox);
	booking_move(booking, from, to);
	tell_moved(booking, from, by, state->arena, outbox);
	offer_next(state, from, outbox);
}

enum outcome decide_move(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	const struct appointment_slot_move *command = message->body;
	const struct caller caller = { command->by, command->facility_id, command->role, command->patient_ref };
	struct booking *booking = state_booking(batch->state, command->appointment_id);
	struct slot *to = state_slot(batch->state, command->slot_id);
	(void)why;
	if (booking == NULL) {
		refuse_unknown(message, command->appointment_id, outbox);
		return DONE;
	}
	const struct claim claim = { .patient_ref = booking->patient_ref };
	enum appointment_refusal reason = change_refusal(batch->state, booking, &caller);
	if (reason == APPOINTMENT_REFUSAL_NONE)
		reason =
			to == NULL ? APPOINTMENT_REFUSAL_UNKNOWN_SLOT : place_refusal(batch->state, to, &claim, booking);
	if (reason != APPOINTMENT_REFUSAL_NONE)
		refuse_booking(message, booking, reason, outbox);
	else
		move(batch->state, booking, to, command->by, outbox);
	return DONE;
}
