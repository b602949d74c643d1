/* Events of this worker. */
#include "tell.h"

void tell_held(const struct slot *slot, struct outbox *outbox)
{
	const struct appointment_slot_held held = {
		.slot_id = slot->slot_id,
		.provider_id = slot->provider_id,
		.clinic_id = slot->clinic_id,
		.patient_ref = slot->held_for,
		.starts_at = slot->starts_at,
		.ends_at = slot->ends_at,
		.held_until = slot->held_until,
		.version = slot->version,
	};
	outbox_event(outbox, APPOINTMENT_SLOT_HELD, &held, slot->slot_id, slot->version, false, NULL);
}

void tell_released(const struct slot *slot, enum appointment_slot_released_reason reason,
	const struct origin *origin, struct outbox *outbox)
{
	const struct appointment_slot_released released = {
		.slot_id = slot->slot_id,
		.provider_id = slot->provider_id,
		.clinic_id = slot->clinic_id,
		.starts_at = slot->starts_at,
		.ends_at = slot->ends_at,
		.reason = reason,
		.version = slot->version,
	};
	outbox_event(outbox, APPOINTMENT_SLOT_RELEASED, &released, slot->slot_id, slot->version, false, origin);
}

static struct origin origin_of_entry(const struct entry *entry)
{
	return (struct origin){ .correlation_id = entry->correlation_id, .traceparent = entry->traceparent };
}

void tell_offered(const struct slot *slot, const struct entry *entry, struct outbox *outbox)
{
	struct origin origin = origin_of_entry(entry);
	const struct appointment_slot_offered offered = {
		.waitlist_id = entry->waitlist_id,
		.slot_id = slot->slot_id,
		.provider_id = slot->provider_id,
		.clinic_id = slot->clinic_id,
		.patient_ref = entry->patient_ref,
		.zone = slot->zone,
		.starts_at = slot->starts_at,
		.ends_at = slot->ends_at,
		.held_until = slot->held_until,
		.version = slot->version,
	};
	outbox_event(outbox, APPOINTMENT_SLOT_OFFERED, &offered, slot->slot_id, slot->version, false, &origin);
}

/* The events have an appointment's members, each in a struct of its own. */
#define APPOINTMENT_BODY(a) \
	.appointment_id = (a).appointment_id, .status = (a).status, .slot_id = (a).slot_id, \
	.provider_id = (a).provider_id, .clinic_id = (a).clinic_id, .room_id = (a).room_id, .zone = (a).zone, \
	.appointment_type = (a).appointment_type, .patient_ref = (a).patient_ref, .starts_at = (a).starts_at, \
	.ends_at = (a).ends_at, .reason = (a).reason, .orders = (a).orders, .orders_count = (a).orders_count, \
	.is_flagged = (a).is_flagged, .has_is_flagged = (a).has_is_flagged, .booked_at = (a).booked_at, \
	.has_booked_at = (a).has_booked_at, .arrived_at = (a).arrived_at, .has_arrived_at = (a).has_arrived_at, \
	.ended_at = (a).ended_at, .has_ended_at = (a).has_ended_at, .ended_by = (a).ended_by, \
	.version = (a).version

static void send_booking(const struct booking *booking, enum event event, const void *body,
	struct outbox *outbox)
{
	struct origin origin = { .correlation_id = booking->correlation_id, .traceparent = booking->traceparent };
	outbox_event(outbox, event, body, booking->appointment_id, booking->version, false, &origin);
}

void tell_booking(const struct booking *booking, enum event event, struct arena *arena, struct outbox *outbox)
{
	struct appointment a;
	booking_describe(booking, arena, &a);
	const struct appointment_slot_booked booked = { APPOINTMENT_BODY(a) };
	const struct appointment_slot_cancelled cancelled = { APPOINTMENT_BODY(a) };
	const struct appointment_visit_arrived arrived = { APPOINTMENT_BODY(a) };
	const struct appointment_visit_completed completed = { APPOINTMENT_BODY(a) };
	const struct appointment_visit_no_show no_show = { APPOINTMENT_BODY(a) };
	const void *body = &booked;
	if (event == APPOINTMENT_SLOT_CANCELLED)
		body = &cancelled;
	else if (event == APPOINTMENT_VISIT_ARRIVED)
		body = &arrived;
	else if (event == APPOINTMENT_VISIT_COMPLETED)
		body = &completed;
	else if (event == APPOINTMENT_VISIT_NO_SHOW)
		body = &no_show;
	send_booking(booking, event, body, outbox);
}

void tell_moved(const struct booking *booking, const struct slot *from, const char *by, struct arena *arena,
	struct outbox *outbox)
{
	struct appointment a;
	booking_describe(booking, arena, &a);
	const struct appointment_slot_moved moved = {
		APPOINTMENT_BODY(a),
		.from_slot_id = from->slot_id,
		.from_starts_at = from->starts_at,
		.by = by,
	};
	send_booking(booking, APPOINTMENT_SLOT_MOVED, &moved, outbox);
}

void tell_joined(const struct entry *entry, struct outbox *outbox)
{
	const struct appointment_waitlist_joined joined = {
		.waitlist_id = entry->waitlist_id,
		.provider_id = entry->provider_id,
		.patient_ref = entry->patient_ref,
		.from = entry->from,
		.to = entry->to,
		.priority = entry->priority,
		.joined_at = entry->joined_at,
		.version = entry->version,
	};
	outbox_event(outbox, APPOINTMENT_WAITLIST_JOINED, &joined, entry->waitlist_id, entry->version, false,
		NULL);
}

void tell_left(const struct entry *entry, struct outbox *outbox)
{
	struct origin origin = origin_of_entry(entry);
	const struct appointment_waitlist_left left = {
		.waitlist_id = entry->waitlist_id,
		.provider_id = entry->provider_id,
		.patient_ref = entry->patient_ref,
		.reason = entry->status == ENTRY_BOOKED ? APPOINTMENT_WAITLIST_LEFT_REASON_BOOKED
												: APPOINTMENT_WAITLIST_LEFT_REASON_LEFT,
		.version = entry->version,
	};
	outbox_event(outbox, APPOINTMENT_WAITLIST_LEFT, &left, entry->waitlist_id, entry->version, false,
		&origin);
}

/* Both events have the same members. */
#define OFFER_BODY(entry, slot) \
	.waitlist_id = (entry)->waitlist_id, .slot_id = (slot)->slot_id, .provider_id = (slot)->provider_id, \
	.clinic_id = (slot)->clinic_id, .patient_ref = (entry)->patient_ref, .version = (entry)->version

void tell_offer_ended(const struct entry *entry, const struct slot *slot, enum event event,
	struct outbox *outbox)
{
	struct origin origin = origin_of_entry(entry);
	const struct appointment_slot_declined declined = { OFFER_BODY(entry, slot) };
	const struct appointment_slot_offer_expired expired = { OFFER_BODY(entry, slot) };
	const void *body = event == APPOINTMENT_SLOT_DECLINED ? (const void *)&declined : (const void *)&expired;
	outbox_event(outbox, event, body, entry->waitlist_id, entry->version, false, &origin);
}
