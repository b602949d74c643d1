/* Rows to items. What is there already stays: the same row may be found by several ways. */
#include "rows.h"

#include "clock.h"

void read_slot(struct state *state, const struct rows *rows, size_t row)
{
	struct arena *arena = state->arena;
	struct slot *slot = state_add_slot(state, rows_text(rows, row, 0, arena));
	*slot = (struct slot){
		.slot_id = slot->slot_id,
		.version = rows_int(rows, row, 1),
		.provider_id = rows_text(rows, row, 2, arena),
		.clinic_id = rows_text(rows, row, 3, arena),
		.room_id = rows_text(rows, row, 4, arena),
		.appointment_type = rows_text(rows, row, 5, arena),
		.date = rows_text(rows, row, 6, arena),
		.starts_at = rows_time(rows, row, 7),
		.ends_at = rows_time(rows, row, 8),
		.is_blocked = rows_bool(rows, row, 9),
		.appointment_id = rows_uuid(rows, row, 10, arena),
		.held_until = rows_time(rows, row, 11),
		.held_for = rows_text(rows, row, 12, arena),
		.hold_token = rows_text(rows, row, 13, arena),
		.hold_correlation_id = rows_text(rows, row, 14, arena),
		.waitlist_id = rows_uuid(rows, row, 15, arena),
		.zone = rows_text(rows, row, 16, arena),
		.is_stored = true,
	};
}

void read_booking(struct state *state, const struct rows *rows, size_t row)
{
	struct arena *arena = state->arena;
	struct booking *booking = state_add_booking(state, rows_uuid(rows, row, 0, arena));
	*booking = (struct booking){
		.appointment_id = booking->appointment_id,
		.version = rows_int(rows, row, 1),
		.status = appointment_status_find(rows_text(rows, row, 2, arena)),
		.slot_id = rows_text(rows, row, 3, arena),
		.provider_id = rows_text(rows, row, 4, arena),
		.clinic_id = rows_text(rows, row, 5, arena),
		.room_id = rows_text(rows, row, 6, arena),
		.zone = rows_text(rows, row, 7, arena),
		.appointment_type = rows_text(rows, row, 8, arena),
		.date = rows_text(rows, row, 9, arena),
		.starts_at = rows_time(rows, row, 10),
		.ends_at = rows_time(rows, row, 11),
		.patient_ref = rows_text(rows, row, 12, arena),
		.content = rows_text(rows, row, 13, arena),
		.is_flagged = rows_bool(rows, row, 14),
		.booked_at = rows_time(rows, row, 15),
		.arrived_at = rows_time(rows, row, 16),
		.ended_at = rows_time(rows, row, 17),
		.ended_by = rows_text(rows, row, 18, arena),
		.reason = rows_text(rows, row, 19, arena),
		.correlation_id = rows_text(rows, row, 20, arena),
		.traceparent = rows_text(rows, row, 21, arena),
		.is_stored = true,
	};
}

void read_terms(struct state *state, const struct rows *rows, size_t row)
{
	struct terms *terms =
		state_add_terms(state, rows_text(rows, row, 0, state->arena), rows_text(rows, row, 1, state->arena));
	terms->version = rows_int(rows, row, 2);
	terms->horizon_days = rows_int(rows, row, 3);
	terms->notice_minutes = rows_int(rows, row, 4);
	terms->cutoff_minutes = rows_int(rows, row, 5);
}

void read_clinic(struct state *state, const struct rows *rows, size_t row)
{
	struct clinic *clinic = state_add_clinic(state, rows_text(rows, row, 0, state->arena));
	clinic->zone.name = rows_text(rows, row, 1, state->arena);
}

void read_span(struct state *state, const struct rows *rows, size_t row)
{
	const struct span span = {
		.from_at = rows_time(rows, row, 1),
		.shift_us = rows_int(rows, row, 2) * MICROSECONDS_PER_SECOND,
	};
	state_add_span(state, rows_text(rows, row, 0, state->arena), &span);
}

void read_floor(struct state *state, const struct rows *rows, size_t row)
{
	state_set_floor(state, rows_text(rows, row, 0, state->arena), rows_text(rows, row, 1, state->arena),
		rows_int(rows, row, 2));
}

void read_block(struct state *state, const struct rows *rows, size_t row)
{
	const struct block block = {
		.provider_id = rows_text(rows, row, 0, state->arena),
		.from_at = rows_time(rows, row, 1),
		.to_at = rows_time(rows, row, 2),
	};
	state_add_block(state, &block);
}

void read_entry(struct state *state, const struct rows *rows, size_t row)
{
	struct arena *arena = state->arena;
	struct entry *entry = state_add_entry(state, rows_uuid(rows, row, 0, arena));
	*entry = (struct entry){
		.waitlist_id = entry->waitlist_id,
		.version = rows_int(rows, row, 1),
		.status = entry_status_find(rows_text(rows, row, 2, arena)),
		.provider_id = rows_text(rows, row, 3, arena),
		.patient_ref = rows_text(rows, row, 4, arena),
		.from = rows_text(rows, row, 5, arena),
		.to = rows_text(rows, row, 6, arena),
		.priority = rows_int(rows, row, 7),
		.joined_at = rows_time(rows, row, 8),
		.slot_id = rows_text(rows, row, 9, arena),
		.correlation_id = rows_text(rows, row, 10, arena),
		.traceparent = rows_text(rows, row, 11, arena),
		.is_stored = true,
	};
}

void read_candidate(struct state *state, const struct rows *rows, size_t row)
{
	read_entry(state, rows, row);
	state_add_candidate(state, rows_text(rows, row, 12, state->arena),
		state_entry(state, rows_uuid(rows, row, 0, state->arena)));
}

void read_command(struct state *state, const struct rows *rows, size_t row)
{
	table_add(&state->decided, rows_uuid(rows, row, 0, state->arena), state);
}
