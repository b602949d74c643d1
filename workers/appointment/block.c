/* A provider is away for a time: slots cannot be booked, appointments are flagged, nothing is deleted. */
#include <stdlib.h>
#include <string.h>

#include "appointment.h"
#include "period.h"
#include "refuse.h"

enum { FLAGGED_A_PART = 200 }; /* the contract's limit */

struct flagged {
	struct flagged_appointment *items;
	size_t count;
};

static int64_t block_slots(const struct state *state, const struct block *block)
{
	int64_t count = 0;
	for (size_t i = 0; i < state->slots.count; i++) {
		struct slot *slot = state->slots.items[i];
		if (slot->version == 0 || slot->is_gone || strcmp(slot->provider_id, block->provider_id) != 0
			|| !slot_overlaps(slot, block->from_at, block->to_at))
			continue;
		count++;
		if (!slot->is_blocked)
			slot_block(slot);
	}
	return count;
}

static bool is_hit(const struct booking *booking, const struct block *block)
{
	return booking->status == APPOINTMENT_STATUS_BOOKED
		&& strcmp(booking->provider_id, block->provider_id) == 0 && booking->starts_at < block->to_at
		&& block->from_at < booking->ends_at;
}

static void flag_bookings(const struct state *state, const struct block *block, struct flagged *flagged)
{
	flagged->items = arena_array(state->arena, state->bookings.count, sizeof(*flagged->items));
	for (size_t i = 0; i < state->bookings.count; i++) {
		struct booking *booking = state->bookings.items[i];
		if (!is_hit(booking, block))
			continue;
		if (!booking->is_flagged)
			booking_flag(booking);
		flagged->items[flagged->count++] = (struct flagged_appointment){
			.appointment_id = booking->appointment_id,
			.slot_id = booking->slot_id,
			.clinic_id = booking->clinic_id,
			.patient_ref = booking->patient_ref,
			.starts_at = booking->starts_at,
		};
	}
}

/* By clinic; that of the one who asks comes first. */
static int flagged_compare(const void *a, const void *b, void *asker)
{
	const struct flagged_appointment *first = a, *second = b;
	const char *facility_id = *(const char *const *)asker;
	int order = strcmp(first->clinic_id, second->clinic_id);
	if (order == 0 || facility_id == NULL)
		return order;
	if (strcmp(first->clinic_id, facility_id) == 0)
		return -1;
	return strcmp(second->clinic_id, facility_id) == 0 ? 1 : order;
}

/* From there on, as many of one clinic as an event holds. */
static struct flagged part_from(const struct flagged *flagged, size_t first)
{
	struct flagged part = { .items = flagged->items + first };
	while (first + part.count < flagged->count && part.count < FLAGGED_A_PART
		&& strcmp(part.items[part.count].clinic_id, part.items[0].clinic_id) == 0)
		part.count++;
	return part;
}

/*
 * Who a clinic's patients are is nobody else's business: each part is of one clinic. Who asks is answered with the first one, which is its
 * own clinic's, and may be empty. Returns how many there are.
 */
static size_t cut(const struct flagged *flagged, const char *facility_id, struct flagged parts[])
{
	bool has_own =
		flagged->count > 0 && (facility_id == NULL || strcmp(flagged->items[0].clinic_id, facility_id) == 0);
	size_t count = has_own ? 0 : 1;
	parts[0] = (struct flagged){ .count = 0 };
	for (size_t first = 0; first < flagged->count; count++) {
		parts[count] = part_from(flagged, first);
		first += parts[count].count;
	}
	return count;
}

static void tell_blocked(const struct message *message, const struct flagged *flagged, int64_t slots_blocked,
	struct outbox *outbox)
{
	const struct appointment_schedule_block *command = message->body;
	struct flagged *parts = arena_array(message->arena, flagged->count + 1, sizeof(*parts));
	size_t count = cut(flagged, command->facility_id, parts);
	for (size_t i = 0; i < count; i++) {
		const struct appointment_schedule_blocked blocked = {
			.provider_id = command->provider_id,
			.from = command->from,
			.to = command->to,
			.reason = command->reason,
			.by = command->by,
			.slots_blocked = slots_blocked,
			.flagged = parts[i].items,
			.flagged_count = parts[i].count,
			.part = (int64_t)i + 1,
			.parts = (int64_t)count,
		};
		outbox_event(outbox, APPOINTMENT_SCHEDULE_BLOCKED, &blocked, message->message_id, blocked.part, false,
			NULL);
	}
}

static enum appointment_refusal block_refusal(const struct state *state,
	const struct appointment_schedule_block *command)
{
	struct period period;
	if (!state_knows_provider(state, command->provider_id))
		return APPOINTMENT_REFUSAL_UNKNOWN_PROVIDER;
	if (command->facility_id != NULL
		&& state_terms(state, command->provider_id, command->facility_id) == NULL)
		return APPOINTMENT_REFUSAL_NOT_OWNER;
	return period_of_block(command, state->rules, state->now, &period) ? APPOINTMENT_REFUSAL_NONE
																	   : APPOINTMENT_REFUSAL_BAD_PERIOD;
}

enum outcome decide_block(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	const struct appointment_schedule_block *command = message->body;
	const struct block block = { message->message_id, command->provider_id, command->reason, command->from,
		command->to, NULL };
	enum appointment_refusal reason = block_refusal(batch->state, command);
	struct flagged flagged = { .count = 0 };
	const char *facility_id = command->facility_id;
	(void)why;
	if (reason != APPOINTMENT_REFUSAL_NONE) {
		const struct refusal refusal = { .reason = reason, .provider_id = command->provider_id };
		refuse(message, &refusal, outbox);
		return DONE;
	}
	state_add_block(batch->state, &block);
	int64_t slots_blocked = block_slots(batch->state, &block);
	flag_bookings(batch->state, &block, &flagged);
	qsort_r(flagged.items, flagged.count, sizeof(*flagged.items), flagged_compare, &facility_id);
	tell_blocked(message, &flagged, slots_blocked, outbox);
	return DONE;
}
