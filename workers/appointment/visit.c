/* Commands about a visit: the patient has come, the visit has ended. */
#include <string.h>

#include "appointment.h"
#include "refuse.h"
#include "tell.h"

/* The appointment that may go from one status to the next; NULL: refused. */
static struct booking *find_ready(const struct message *message, const struct batch *batch,
	const char *appointment_id, const char *facility_id, enum appointment_status wanted,
	struct outbox *outbox)
{
	struct booking *booking = state_booking(batch->state, appointment_id);
	if (booking == NULL) {
		const struct refusal refusal = { .reason = APPOINTMENT_REFUSAL_UNKNOWN_APPOINTMENT,
			.appointment_id = appointment_id };
		refuse(message, &refusal, outbox);
		return NULL;
	}
	enum appointment_refusal reason = APPOINTMENT_REFUSAL_NONE;
	if (facility_id != NULL && strcmp(facility_id, booking->clinic_id) != 0)
		reason = APPOINTMENT_REFUSAL_NOT_OWNER;
	else if (booking->status != wanted)
		reason = APPOINTMENT_REFUSAL_WRONG_STATE;
	if (reason == APPOINTMENT_REFUSAL_NONE)
		return booking;
	refuse_booking(message, booking, reason, outbox);
	return NULL;
}

enum outcome decide_arrive(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	const struct appointment_visit_arrive *command = message->body;
	struct booking *booking = find_ready(message, batch, command->appointment_id, command->facility_id,
		APPOINTMENT_STATUS_BOOKED, outbox);
	(void)why;
	if (booking == NULL)
		return DONE;
	booking_arrive(booking, batch->now);
	tell_booking(booking, APPOINTMENT_VISIT_ARRIVED, batch->arena, outbox);
	return DONE;
}

enum outcome decide_complete(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	const struct appointment_visit_complete *command = message->body;
	struct booking *booking = find_ready(message, batch, command->appointment_id, command->facility_id,
		APPOINTMENT_STATUS_ARRIVED, outbox);
	(void)why;
	if (booking == NULL)
		return DONE;
	booking_end(booking, APPOINTMENT_STATUS_COMPLETED, command->by, batch->now);
	tell_booking(booking, APPOINTMENT_VISIT_COMPLETED, batch->arena, outbox);
	return DONE;
}
