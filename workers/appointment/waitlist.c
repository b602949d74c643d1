/* Commands about the waitlist: a patient joins, leaves, declines what is offered. */
#include <string.h>

#include "appointment.h"
#include "offer.h"
#include "refuse.h"
#include "tell.h"

/* A period that can be read, and does not end before it begins as far as its ends can be compared. */
static bool has_sense(const char *from, const char *to)
{
	struct moment first = { .date = NULL }, last = { .date = NULL };
	if ((from != NULL && !moment_read(from, &first)) || (to != NULL && !moment_read(to, &last)))
		return false;
	if (from == NULL || to == NULL || (first.date == NULL) != (last.date == NULL))
		return true;
	return first.date == NULL ? first.at <= last.at : strcmp(first.date, last.date) <= 0;
}

static void join(const struct message *message, struct state *state, struct outbox *outbox)
{
	const struct appointment_waitlist_join *command = message->body;
	struct entry *entry = state_add_entry(state, message->message_id);
	*entry = (struct entry){
		.waitlist_id = message->message_id,
		.version = 1,
		.status = ENTRY_WAITING,
		.provider_id = command->provider_id,
		.patient_ref = command->patient_ref,
		.from = command->from,
		.to = command->to,
		.priority = command->priority,
		.joined_at = state->now,
		.correlation_id = message->correlation_id,
		.traceparent = message->traceparent,
		.is_changed = true,
	};
	tell_joined(entry, outbox);
}

enum outcome decide_join(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	const struct appointment_waitlist_join *command = message->body;
	struct refusal refusal = { .provider_id = command->provider_id, .patient_ref = command->patient_ref };
	(void)why;
	if (!state_knows_provider(batch->state, command->provider_id))
		refusal.reason = APPOINTMENT_REFUSAL_UNKNOWN_PROVIDER;
	else if (!has_sense(command->from, command->to))
		refusal.reason = APPOINTMENT_REFUSAL_BAD_PERIOD;
	if (refusal.reason != APPOINTMENT_REFUSAL_NONE)
		refuse(message, &refusal, outbox);
	else
		join(message, batch->state, outbox);
	return DONE;
}

/* NULL: refused. */
static struct entry *find_entry(const struct message *message, const struct batch *batch,
	const char *waitlist_id, const char *patient_ref, struct outbox *outbox)
{
	struct entry *entry = state_entry(batch->state, waitlist_id);
	if (entry == NULL) {
		const struct refusal refusal = { .reason = APPOINTMENT_REFUSAL_UNKNOWN_ENTRY,
			.waitlist_id = waitlist_id };
		refuse(message, &refusal, outbox);
	} else if (patient_ref != NULL && strcmp(patient_ref, entry->patient_ref) != 0) {
		refuse_entry(message, entry, APPOINTMENT_REFUSAL_NOT_OWNER, outbox);
		entry = NULL;
	}
	return entry;
}

/* What is offered to who leaves is offered to the next. */
static void leave(struct state *state, struct entry *entry, struct outbox *outbox)
{
	struct slot *slot = state_slot(state, entry->slot_id);
	entry_end(entry, ENTRY_LEFT);
	tell_left(entry, outbox);
	if (slot == NULL)
		return;
	slot_end_hold(slot);
	offer_next(state, slot, outbox);
}

/* Whoever leaves again hears the same event again. */
enum outcome decide_leave(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	const struct appointment_waitlist_leave *command = message->body;
	struct entry *entry = find_entry(message, batch, command->waitlist_id, command->patient_ref, outbox);
	(void)why;
	if (entry == NULL)
		return DONE;
	if (entry->status == ENTRY_BOOKED)
		refuse_entry(message, entry, APPOINTMENT_REFUSAL_WRONG_STATE, outbox);
	else if (entry->status == ENTRY_LEFT)
		tell_left(entry, outbox);
	else
		leave(batch->state, entry, outbox);
	return DONE;
}

enum outcome decide_decline(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	const struct appointment_slot_decline *command = message->body;
	struct entry *entry = find_entry(message, batch, command->waitlist_id, command->patient_ref, outbox);
	(void)why;
	if (entry == NULL)
		return DONE;
	bool is_meant = entry->status == ENTRY_OFFERED
		&& (command->slot_id == NULL || strcmp(command->slot_id, entry->slot_id) == 0);
	if (is_meant)
		offer_end(batch->state, state_slot(batch->state, entry->slot_id), entry, APPOINTMENT_SLOT_DECLINED,
			outbox);
	else
		refuse_entry(message, entry, APPOINTMENT_REFUSAL_WRONG_STATE, outbox);
	return DONE;
}
