/* A provider's hours become slots. What is held or booked stays, and what is there already stays as it is. */
#include <stdlib.h>
#include <string.h>

#include "appointment.h"
#include "calendar.h"
#include "period.h"
#include "refuse.h"
#include "slot_id.h"

struct publication {
	struct state *state;
	const struct appointment_schedule_publish *command;
	const struct clinic *clinic;
	struct planned *planned; /* by time */
	size_t planned_count;
	struct slot **there; /* slots of the provider, by time; no two overlap */
	size_t there_count;
	int64_t added, removed, kept;
};

static int planned_compare(const void *a, const void *b)
{
	int64_t first = ((const struct planned *)a)->starts_at, second = ((const struct planned *)b)->starts_at;
	return (first > second) - (first < second);
}

static int slot_compare(const void *a, const void *b)
{
	int64_t first = (*(struct slot *const *)a)->starts_at, second = (*(struct slot *const *)b)->starts_at;
	return (first > second) - (first < second);
}

/* At the same clinic, on one of the days. */
static bool is_of_schedule(const struct publication *publication, const struct slot *slot)
{
	const struct appointment_schedule_publish *command = publication->command;
	return strcmp(slot->clinic_id, command->clinic_id) == 0 && strcmp(slot->date, command->from) >= 0
		&& strcmp(slot->date, command->to) <= 0;
}

static bool is_replaceable(const struct publication *publication, const struct slot *slot)
{
	return is_of_schedule(publication, slot) && slot->starts_at > publication->state->now
		&& slot->appointment_id == NULL && slot->held_until == 0;
}

static void find_there(struct publication *publication)
{
	const struct table *slots = &publication->state->slots;
	publication->there = arena_array(publication->state->arena, slots->count, sizeof(struct slot *));
	for (size_t i = 0; i < slots->count; i++) {
		struct slot *slot = slots->items[i];
		if (slot->version > 0 && !slot->is_gone
			&& strcmp(slot->provider_id, publication->command->provider_id) == 0)
			publication->there[publication->there_count++] = slot;
	}
	qsort(publication->there, publication->there_count, sizeof(struct slot *), slot_compare);
}

/* Moves `*from` to the first slot that is not over when the planned one begins. True: it stands in its way. */
static bool meets(const struct publication *publication, const struct planned *planned, size_t *from)
{
	while (*from < publication->there_count && publication->there[*from]->ends_at <= planned->starts_at)
		(*from)++;
	return *from < publication->there_count && publication->there[*from]->starts_at < planned->ends_at;
}

static bool overlaps_another_clinic(const struct publication *publication)
{
	size_t from = 0;
	for (size_t i = 0; i < publication->planned_count; i++) {
		const struct planned *planned = &publication->planned[i];
		meets(publication, planned, &from);
		for (size_t k = from; k < publication->there_count; k++) {
			const struct slot *slot = publication->there[k];
			if (slot->starts_at >= planned->ends_at)
				break;
			if (strcmp(slot->clinic_id, publication->command->clinic_id) != 0)
				return true;
		}
	}
	return false;
}

static bool is_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_as_planned(const struct publication *publication, const struct slot *slot,
	const struct planned *planned)
{
	const struct appointment_schedule_publish *command = publication->command;
	return slot->starts_at == planned->starts_at && slot->ends_at == planned->ends_at
		&& strcmp(slot->clinic_id, command->clinic_id) == 0 && is_same_text(slot->room_id, command->room_id)
		&& is_same_text(slot->appointment_type, command->appointment_type);
}

static bool is_blocked(const struct state *state, const struct slot *slot)
{
	for (const struct block *block = state->blocks; block != NULL; block = block->next)
		if (strcmp(block->provider_id, slot->provider_id) == 0
			&& slot_overlaps(slot, block->from_at, block->to_at))
			return true;
	return false;
}

/* Its versions go on where those of an earlier slot of the same id ended. */
static void add_slot(struct publication *publication, const char *slot_id, const struct planned *planned)
{
	const struct appointment_schedule_publish *command = publication->command;
	struct slot *slot = state_add_slot(publication->state, slot_id);
	char date[DATE_TEXT_BYTES];
	calendar_print(planned->day, date);
	int64_t floor = state_floor(publication->state, command->provider_id, date);
	*slot = (struct slot){
		.slot_id = slot_id,
		.version = (slot->version > floor ? slot->version : floor) + 1,
		.provider_id = command->provider_id,
		.clinic_id = command->clinic_id,
		.room_id = command->room_id,
		.appointment_type = command->appointment_type,
		.zone = publication->clinic->zone.name,
		.date = arena_text(publication->state->arena, date),
		.starts_at = planned->starts_at,
		.ends_at = planned->ends_at,
		.is_stored = slot->is_stored,
		.is_changed = true,
		.is_listed_anew = true,
	};
	slot->is_blocked = is_blocked(publication->state, slot);
	publication->added++;
}

/* Everything replaceable goes; what the plan wants just so is taken back below. */
static void remove_replaceable(struct publication *publication)
{
	size_t left = 0;
	for (size_t i = 0; i < publication->there_count; i++) {
		struct slot *slot = publication->there[i];
		if (!is_replaceable(publication, slot)) {
			publication->there[left++] = slot;
			publication->kept += is_of_schedule(publication, slot);
			continue;
		}
		slot->is_gone = true;
		publication->removed++;
	}
	publication->there_count = left;
}

static void put_planned(struct publication *publication, const struct planned *planned)
{
	struct state *state = publication->state;
	const char *slot_id =
		slot_id_print(publication->command->provider_id, planned->day, planned->minute, state->arena);
	struct slot *before = table_find(&state->slots, slot_id);
	if (state_slot(state, slot_id) != NULL)
		return; /* the same wall time at another clinic, or before the zone's rules changed */
	if (before == NULL || before->version == 0 || !is_as_planned(publication, before, planned)) {
		add_slot(publication, slot_id, planned);
		return;
	}
	before->is_gone = false;
	publication->removed--;
	publication->kept++;
}

static void note_gone(struct publication *publication)
{
	const struct table *slots = &publication->state->slots;
	for (size_t i = 0; i < slots->count; i++) {
		struct slot *slot = slots->items[i];
		if (slot->is_gone)
			slot->is_listed_anew = true;
	}
}

static void put_slots(struct publication *publication)
{
	size_t from = 0;
	remove_replaceable(publication);
	for (size_t i = 0; i < publication->planned_count; i++)
		if (!meets(publication, &publication->planned[i], &from))
			put_planned(publication, &publication->planned[i]);
	note_gone(publication);
}

static struct terms *put_terms(struct publication *publication)
{
	const struct appointment_schedule_publish *command = publication->command;
	struct terms *terms = state_add_terms(publication->state, command->provider_id, command->clinic_id);
	terms->version++;
	terms->horizon_days = command->horizon_days;
	terms->notice_minutes = command->notice_minutes;
	terms->cutoff_minutes = command->cutoff_minutes;
	terms->is_changed = true;
	return terms;
}

static void tell_published(const struct publication *publication, const struct terms *terms,
	struct outbox *outbox)
{
	const struct appointment_schedule_publish *command = publication->command;
	const struct appointment_schedule_published published = {
		.provider_id = command->provider_id,
		.clinic_id = command->clinic_id,
		.zone = publication->clinic->zone.name,
		.room_id = command->room_id,
		.appointment_type = command->appointment_type,
		.from = command->from,
		.to = command->to,
		.slots_added = publication->added,
		.slots_removed = publication->removed,
		.slots_kept = publication->kept,
		.version = terms->version,
	};
	const char *aggregate =
		arena_print(publication->state->arena, "schedule %s %s", command->provider_id, command->clinic_id);
	outbox_event(outbox, APPOINTMENT_SCHEDULE_PUBLISHED, &published, aggregate, terms->version, false, NULL);
}

/* Fills the plan. Why it cannot be carried out; 0: it can. */
static enum appointment_refusal plan(struct publication *publication)
{
	const struct recurrence recurrence = period_recurrence(publication->command);
	struct state *state = publication->state;
	size_t max = state->rules->slots_max;
	if (!recurrence_has_sense(&recurrence))
		return APPOINTMENT_REFUSAL_BAD_PERIOD;
	if (recurrence_overlaps_itself(&recurrence))
		return APPOINTMENT_REFUSAL_OVERLAPPING_SCHEDULE;
	publication->planned = arena_array(state->arena, max, sizeof(struct planned));
	publication->planned_count =
		recurrence_plan(&recurrence, &publication->clinic->zone, state->now, publication->planned, max);
	if (publication->planned_count > max)
		return APPOINTMENT_REFUSAL_TOO_MANY_SLOTS;
	qsort(publication->planned, publication->planned_count, sizeof(struct planned), planned_compare);
	find_there(publication);
	return overlaps_another_clinic(publication) ? APPOINTMENT_REFUSAL_OVERLAPPING_SCHEDULE
												: APPOINTMENT_REFUSAL_NONE;
}

static enum appointment_refusal publish_refusal(struct publication *publication)
{
	const struct appointment_schedule_publish *command = publication->command;
	struct period period;
	if (publication->clinic == NULL)
		return APPOINTMENT_REFUSAL_UNKNOWN_CLINIC;
	if (command->facility_id != NULL && strcmp(command->facility_id, command->clinic_id) != 0)
		return APPOINTMENT_REFUSAL_NOT_OWNER;
	if (!period_of_publish(command, publication->state->rules, publication->state->now, &period))
		return APPOINTMENT_REFUSAL_BAD_PERIOD;
	return plan(publication);
}

enum outcome decide_publish(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	const struct appointment_schedule_publish *command = message->body;
	struct publication publication = {
		.state = batch->state, .command = command, .clinic = state_clinic(batch->state, command->clinic_id)
	};
	enum appointment_refusal reason = publish_refusal(&publication);
	(void)why;
	if (reason != APPOINTMENT_REFUSAL_NONE) {
		const struct refusal refusal = {
			.reason = reason, .provider_id = command->provider_id, .clinic_id = command->clinic_id
		};
		refuse(message, &refusal, outbox);
		return DONE;
	}
	put_slots(&publication);
	tell_published(&publication, put_terms(&publication), outbox);
	return DONE;
}
