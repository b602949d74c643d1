/* Refusals, and what they tell people. */
#include "refuse.h"

#include <string.h>

static const char *const details[] = {
	[APPOINTMENT_REFUSAL_TAKEN] = "somebody else has the time; look for another slot",
	[APPOINTMENT_REFUSAL_HELD] = "the slot is kept for someone; try again when the hold is over",
	[APPOINTMENT_REFUSAL_HOLD_EXPIRED] = "this hold is over; hold the slot again",
	[APPOINTMENT_REFUSAL_BLOCKED] = "the provider is away at that time",
	[APPOINTMENT_REFUSAL_PATIENT_OVERLAP] = "the patient has an appointment at that time",
	[APPOINTMENT_REFUSAL_TOO_LATE] = "it is too late for that: the time is over, or too near",
	[APPOINTMENT_REFUSAL_BEYOND_HORIZON] = "the slot is further ahead than the provider can be booked",
	[APPOINTMENT_REFUSAL_UNKNOWN_SLOT] =
		"there is no slot of this id; ask for the provider's slots of the day",
	[APPOINTMENT_REFUSAL_NOT_OWNER] = "it is another's",
	[APPOINTMENT_REFUSAL_WRONG_STATE] = "that cannot be done in this state",
	[APPOINTMENT_REFUSAL_UNKNOWN_CLINIC] = "no clinic of this id is registered; check clinic_id",
	[APPOINTMENT_REFUSAL_UNKNOWN_PROVIDER] = "nothing was published for this provider; check provider_id",
	[APPOINTMENT_REFUSAL_UNKNOWN_APPOINTMENT] = "there is no appointment of this id",
	[APPOINTMENT_REFUSAL_UNKNOWN_ENTRY] = "there is no entry of this id on the waitlist",
	[APPOINTMENT_REFUSAL_BAD_PERIOD] =
		"the period ends before it begins, lasts too long, or lies too far away",
	[APPOINTMENT_REFUSAL_OVERLAPPING_SCHEDULE] =
		"the hours overlap each other, or the provider's at another clinic",
	[APPOINTMENT_REFUSAL_TOO_MANY_SLOTS] =
		"these are more slots than one publication may bring; publish in parts",
};

static const char *detail_of(const struct refusal *refusal)
{
	bool is_told = (size_t)refusal->reason < sizeof(details) / sizeof(details[0]);
	return refusal->detail != NULL || !is_told ? refusal->detail : details[refusal->reason];
}

/* The four events share these. */
#define REFUSED(message, refusal) \
	.command = event_type((message)->event)->name, .causation = (message)->message_id, \
	.reason = (refusal)->reason, .detail = detail_of(refusal), .state = (refusal)->state

static void refuse_schedule(const struct message *message, const struct refusal *refusal,
	struct outbox *outbox)
{
	const struct appointment_schedule_refused refused = {
		REFUSED(message, refusal),
		.provider_id = refusal->provider_id,
		.clinic_id = refusal->clinic_id,
	};
	outbox_answer(outbox, APPOINTMENT_SCHEDULE_REFUSED, &refused, false);
}

static void refuse_visit(const struct message *message, const struct refusal *refusal, struct outbox *outbox)
{
	const struct appointment_visit_refused refused = {
		REFUSED(message, refusal),
		.appointment_id = refusal->appointment_id,
		.clinic_id = refusal->clinic_id,
	};
	outbox_answer(outbox, APPOINTMENT_VISIT_REFUSED, &refused, false);
}

static void refuse_waitlist(const struct message *message, const struct refusal *refusal,
	struct outbox *outbox)
{
	const struct appointment_waitlist_refused refused = {
		REFUSED(message, refusal),
		.waitlist_id = refusal->waitlist_id,
		.provider_id = refusal->provider_id,
		.patient_ref = refusal->patient_ref,
	};
	outbox_answer(outbox, APPOINTMENT_WAITLIST_REFUSED, &refused, false);
}

void refuse(const struct message *message, const struct refusal *refusal, struct outbox *outbox)
{
	const char *noun = strchr(event_type(message->event)->name, '.') + 1;
	if (strncmp(noun, "schedule.", strlen("schedule.")) == 0) {
		refuse_schedule(message, refusal, outbox);
	} else if (strncmp(noun, "visit.", strlen("visit.")) == 0) {
		refuse_visit(message, refusal, outbox);
	} else if (strncmp(noun, "waitlist.", strlen("waitlist.")) == 0) {
		refuse_waitlist(message, refusal, outbox);
	} else {
		const struct appointment_slot_refused refused = {
			REFUSED(message, refusal),
			.slot_id = refusal->slot_id,
			.appointment_id = refusal->appointment_id,
			.waitlist_id = refusal->waitlist_id,
			.provider_id = refusal->provider_id,
			.clinic_id = refusal->clinic_id,
			.patient_ref = refusal->patient_ref,
		};
		outbox_answer(outbox, APPOINTMENT_SLOT_REFUSED, &refused, false);
	}
}

void refuse_slot(const struct message *message, const struct slot *slot, const char *patient_ref,
	enum appointment_refusal reason, struct outbox *outbox)
{
	const struct refusal refusal = {
		.reason = reason,
		.state = slot_state_name(slot_state(slot)),
		.slot_id = slot->slot_id,
		.provider_id = slot->provider_id,
		.clinic_id = slot->clinic_id,
		.patient_ref = patient_ref,
	};
	refuse(message, &refusal, outbox);
}

void refuse_booking(const struct message *message, const struct booking *booking,
	enum appointment_refusal reason, struct outbox *outbox)
{
	const struct refusal refusal = {
		.reason = reason,
		.state = appointment_status_name(booking->status),
		.slot_id = booking->slot_id,
		.appointment_id = booking->appointment_id,
		.provider_id = booking->provider_id,
		.clinic_id = booking->clinic_id,
	};
	refuse(message, &refusal, outbox);
}

void refuse_entry(const struct message *message, const struct entry *entry, enum appointment_refusal reason,
	struct outbox *outbox)
{
	const struct refusal refusal = {
		.reason = reason,
		.state = entry_status_name(entry->status),
		.waitlist_id = entry->waitlist_id,
		.provider_id = entry->provider_id,
	};
	refuse(message, &refusal, outbox);
}

void refuse_conflict(const struct message *message, const char *reason, const char *detail,
	struct outbox *outbox)
{
	const struct refusal refusal = { .reason = appointment_refusal_find(reason), .detail = detail };
	refuse(message, &refusal, outbox);
}
