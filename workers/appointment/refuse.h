/* Commands that are refused: by the event of their noun, with what they are about. */
#pragma once

#include "state.h"

struct refusal {
	enum appointment_refusal reason;
	const char *detail; /* for people; NULL: the usual one of the reason */
	const char *state;  /* that was met; NULL: none */
	const char *slot_id, *appointment_id, *waitlist_id, *provider_id, *clinic_id,
		*patient_ref; /* NULL: unknown, or the event has no such member */
};

void refuse(const struct message *message, const struct refusal *refusal, struct outbox *outbox);

/* The same, about a slot or an appointment or an entry as it is. */
void refuse_slot(const struct message *message, const struct slot *slot, const char *patient_ref,
	enum appointment_refusal reason, struct outbox *outbox);
void refuse_booking(const struct message *message, const struct booking *booking,
	enum appointment_refusal reason, struct outbox *outbox);
void refuse_entry(const struct message *message, const struct entry *entry, enum appointment_refusal reason,
	struct outbox *outbox);

/* What the machine itself cannot accept: another body under a known message id. */
void refuse_conflict(const struct message *message, const char *reason, const char *detail,
	struct outbox *outbox);
