/* Commands about a free slot: it is held, given back, booked. */
#include "appointment.h"
#include "clock.h"
#include "place.h"
#include "refuse.h"
#include "tell.h"

static void refuse_unknown(const struct message *message, const char *slot_id, const char *patient_ref,
	struct outbox *outbox)
{
	const struct refusal refusal = {
		.reason = APPOINTMENT_REFUSAL_UNKNOWN_SLOT, .slot_id = slot_id, .patient_ref = patient_ref
	};
	refuse(message, &refusal, outbox);
}

/* The token goes to the asker alone. */
static void answer_hold(const struct slot *slot, struct outbox *outbox)
{
	const struct appointment_hold_answered answered = {
		.slot_id = slot->slot_id, .held_until = slot->held_until, .hold_token = slot->hold_token
	};
	outbox_reply(outbox, APPOINTMENT_HOLD_ANSWERED, &answered);
}

enum outcome decide_hold(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	const struct appointment_slot_hold *command = message->body;
	const struct claim claim = { .patient_ref = command->patient_ref };
	struct slot *slot = state_slot(batch->state, command->slot_id);
	(void)why;
	if (slot == NULL) {
		refuse_unknown(message, command->slot_id, command->patient_ref, outbox);
		return DONE;
	}
	enum appointment_refusal reason = place_refusal(batch->state, slot, &claim, NULL);
	if (reason == APPOINTMENT_REFUSAL_NONE && slot_is_held(slot, batch->now))
		reason = APPOINTMENT_REFUSAL_HELD; /* offered to the same patient: it is booked, not held */
	if (reason != APPOINTMENT_REFUSAL_NONE) {
		refuse_slot(message, slot, command->patient_ref, reason, outbox);
		return DONE;
	}
	char token[TOKEN_TEXT_BYTES];
	outbox_token(outbox, token);
	slot_hold(slot, command->patient_ref, batch->now + command->hold_seconds * MICROSECONDS_PER_SECOND,
		arena_text(batch->arena, token), message->correlation_id);
	tell_held(slot, outbox);
	answer_hold(slot, outbox);
	return DONE;
}

enum outcome decide_release(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	const struct appointment_slot_release *command = message->body;
	struct slot *slot = state_slot(batch->state, command->slot_id);
	(void)why;
	if (slot == NULL) {
		refuse_unknown(message, command->slot_id, NULL, outbox);
		return DONE;
	}
	enum appointment_refusal reason = slot_release_refusal(slot, command->hold_token, batch->now);
	if (reason != APPOINTMENT_REFUSAL_NONE) {
		refuse_slot(message, slot, NULL, reason, outbox);
		return DONE;
	}
	slot_end_hold(slot);
	tell_released(slot, APPOINTMENT_SLOT_RELEASED_REASON_RELEASED, NULL, outbox);
	return DONE;
}

/* An appointment is known by the message that asked for it, so that a slot that was freed can be booked again by whoever had it. */
static struct booking *add_booking(const struct message *message, struct state *state)
{
	struct booking *booking = state_add_booking(state, message->message_id);
	const struct appointment_slot_book *command = message->body;
	booking->patient_ref = command->patient_ref;
	booking->content = booking_content(command, state->arena);
	booking->correlation_id = message->correlation_id;
	booking->traceparent = message->traceparent;
	return booking;
}

enum outcome decide_book(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	const struct appointment_slot_book *command = message->body;
	const struct claim claim = { .patient_ref = command->patient_ref, .token = command->hold_token };
	struct slot *slot = state_slot(batch->state, command->slot_id);
	(void)why;
	if (slot == NULL) {
		refuse_unknown(message, command->slot_id, command->patient_ref, outbox);
		return DONE;
	}
	enum appointment_refusal reason = place_refusal(batch->state, slot, &claim, NULL);
	if (reason != APPOINTMENT_REFUSAL_NONE) {
		refuse_slot(message, slot, command->patient_ref, reason, outbox);
		return DONE;
	}
	struct booking *booking = add_booking(message, batch->state);
	place_serve(batch->state, slot, outbox);
	booking_make(booking, slot, batch->now);
	tell_booking(booking, APPOINTMENT_SLOT_BOOKED, batch->arena, outbox);
	return DONE;
}
