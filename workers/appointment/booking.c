/* The life of an appointment. */
#include "booking.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define MINUTES_US(n) ((int64_t)(n)*60 * MICROSECONDS_PER_SECOND)

const char *booking_content(const struct appointment_slot_book *command, struct arena *arena)
{
	struct appointment_slot_book bare = *command;
	struct buffer text;
	bare.hold_token = NULL;
	buffer_init(&text);
	if (!schema_write(&appointment_slot_book_schema, &bare, &text))
		abort(); /* it was read by the same schema */
	const char *content = arena_bytes(arena, buffer_text(&text), text.length_bytes);
	buffer_clear(&text);
	return content;
}

static void note_change(struct booking *booking)
{
	booking->version++;
	booking->is_changed = true;
}

static void take_place(struct booking *booking, struct slot *slot)
{
	booking->slot_id = slot->slot_id;
	booking->provider_id = slot->provider_id;
	booking->clinic_id = slot->clinic_id;
	booking->room_id = slot->room_id;
	booking->zone = slot->zone;
	booking->appointment_type = slot->appointment_type;
	booking->date = slot->date;
	booking->starts_at = slot->starts_at;
	booking->ends_at = slot->ends_at;
	booking->is_flagged = false;
	slot_take(slot, booking->appointment_id);
}

void booking_make(struct booking *booking, struct slot *slot, int64_t now)
{
	booking->status = APPOINTMENT_STATUS_BOOKED;
	booking->booked_at = now;
	take_place(booking, slot);
	note_change(booking);
}

bool booking_is_live(const struct booking *booking)
{
	return booking->status == APPOINTMENT_STATUS_BOOKED || booking->status == APPOINTMENT_STATUS_ARRIVED
		|| booking->status == APPOINTMENT_STATUS_COMPLETED;
}

bool booking_overlaps(const struct booking *booking, const struct slot *slot)
{
	return booking_is_live(booking) && slot_overlaps(slot, booking->starts_at, booking->ends_at);
}

static bool is_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* A caller of whom nothing is known but a name is taken by the name: the patient, or the clinic. */
bool booking_belongs_to(const struct booking *booking, const struct caller *caller)
{
	if (caller->facility_id != NULL || caller->patient_ref != NULL)
		return is_same(caller->facility_id, booking->clinic_id)
			|| is_same(caller->patient_ref, booking->patient_ref);
	return is_same(caller->role, "admin") || is_same(caller->by, booking->patient_ref)
		|| is_same(caller->by, booking->clinic_id);
}

bool booking_is_cut_off(const struct booking *booking, const struct terms *terms, int64_t now)
{
	return now > booking->starts_at - MINUTES_US(terms->cutoff_minutes);
}

void booking_move(struct booking *booking, struct slot *from, struct slot *to)
{
	slot_leave(from);
	take_place(booking, to);
	note_change(booking);
}

void booking_cancel(struct booking *booking, struct slot *slot, const char *by, const char *reason,
	int64_t now)
{
	booking->reason = reason;
	booking_end(booking, APPOINTMENT_STATUS_CANCELLED, by, now);
	slot_leave(slot);
}

void booking_arrive(struct booking *booking, int64_t now)
{
	booking->status = APPOINTMENT_STATUS_ARRIVED;
	booking->arrived_at = now;
	note_change(booking);
}

void booking_end(struct booking *booking, enum appointment_status status, const char *by, int64_t now)
{
	booking->status = status;
	booking->ended_by = by;
	booking->ended_at = now;
	note_change(booking);
}

void booking_flag(struct booking *booking)
{
	booking->is_flagged = true;
	note_change(booking);
}

static const struct appointment_slot_book *read_content(const struct booking *booking, struct arena *arena)
{
	struct why why;
	void *content;
	if (!schema_read(&appointment_slot_book_schema, booking->content, strlen(booking->content), arena,
			&content, &why))
		abort(); /* it was written by the same schema, or a migration brought it there */
	return content;
}

void booking_describe(const struct booking *booking, struct arena *arena, struct appointment *out)
{
	const struct appointment_slot_book *asked = read_content(booking, arena);
	*out = (struct appointment){
		.appointment_id = booking->appointment_id,
		.status = booking->status,
		.slot_id = booking->slot_id,
		.provider_id = booking->provider_id,
		.clinic_id = booking->clinic_id,
		.room_id = booking->room_id,
		.zone = booking->zone,
		.appointment_type = booking->appointment_type,
		.patient_ref = booking->patient_ref,
		.starts_at = booking->starts_at,
		.ends_at = booking->ends_at,
		.reason = booking->reason == NULL ? asked->reason : booking->reason,
		.orders = asked->orders,
		.orders_count = asked->orders_count,
		.is_flagged = booking->is_flagged,
		.has_is_flagged = booking->is_flagged,
		.booked_at = booking->booked_at,
		.has_booked_at = true,
		.arrived_at = booking->arrived_at,
		.has_arrived_at = booking->arrived_at != 0,
		.ended_at = booking->ended_at,
		.has_ended_at = booking->ended_at != 0,
		.ended_by = booking->ended_by,
		.version = booking->version,
	};
}
