/* What commands need. Locks are named by what they protect: a provider's waitlist and hours, a day's list, a patient's time. */
#include "need.h"

#include <string.h>

#include "calendar.h"
#include "clock.h"
#include "day.h"
#include "slot_id.h"

void need_init(struct need *need, const struct batch *batch)
{
	*need =
		(struct need){ .batch = batch, .arena = batch->arena, .rules = &rules_default, .now = batch->now };
	table_init(&need->looked_appointments, batch->arena);
	table_init(&need->looked_entries, batch->arena);
	parameters_arrays(&need->commands, "u");
	parameters_arrays(&need->keys, "t");
	parameters_arrays(&need->appointments, "u");
	parameters_arrays(&need->entries, "u");
	parameters_arrays(&need->slots, "t");
	parameters_arrays(&need->freed, "t");
	parameters_arrays(need->wanted, "tt");
	parameters_arrays(&need->providers, "t");
	parameters_arrays(&need->clinics, "t");
	parameters_arrays(need->ranges, "tzz");
	parameters_arrays(need->absences, "tzz");
	parameters_arrays(need->zones, "tzz");
}

void need_clear(struct need *need)
{
	struct parameter *const single[] = { &need->commands, &need->keys, &need->appointments, &need->entries,
		&need->slots, &need->freed, &need->providers, &need->clinics };
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
		parameter_clear(single[i]);
	parameters_clear(need->wanted, 2);
	parameters_clear(need->ranges, 3);
	parameters_clear(need->absences, 3);
	parameters_clear(need->zones, 3);
}

static void lock(struct need *need, const char *kind, const char *name)
{
	parameter_text(&need->keys, arena_print(need->arena, "%s %s", kind, name));
}

static void add_range(struct parameter range[3], const char *name, const struct period *period)
{
	parameter_text(&range[0], name);
	parameter_time(&range[1], period->from_at);
	parameter_time(&range[2], period->to_at);
}

static void need_provider(struct need *need, const char *provider_id)
{
	lock(need, "provider", provider_id);
	parameter_text(&need->providers, provider_id);
}

static void need_day(struct need *need, const char *provider_id, const char *date)
{
	lock(need, "day", day_key(provider_id, date, need->arena));
}

static void need_slot(struct need *need, const char *slot_id)
{
	const char *provider_id = slot_id_provider(slot_id, need->arena);
	need_provider(need, provider_id);
	need_day(need, provider_id, slot_id_date(slot_id, need->arena));
	parameter_text(&need->slots, slot_id);
}

static void need_wanted(struct need *need, const char *slot_id, const char *patient_ref)
{
	need_slot(need, slot_id);
	lock(need, "patient", patient_ref);
	parameter_text(&need->wanted[0], slot_id);
	parameter_text(&need->wanted[1], patient_ref);
}

void need_due_slot(struct need *need, const char *slot_id)
{
	need_slot(need, slot_id);
	parameter_text(&need->freed, slot_id);
}

/* Where an appointment is: there already, or made by the same batch. NULL: nowhere. */
static const struct looked *find_appointment(struct need *need, const char *appointment_id)
{
	struct looked *looked = table_find(&need->looked_appointments, appointment_id);
	for (size_t i = 0; looked != NULL && !looked->is_found && i < need->batch->count; i++) {
		const struct message *message = need->batch->messages[i];
		if (message->event != APPOINTMENT_SLOT_BOOK || strcmp(message->message_id, appointment_id) != 0)
			continue;
		const struct appointment_slot_book *command = message->body;
		*looked = (struct looked){
			.is_found = true, .slot_id = command->slot_id, .patient_ref = command->patient_ref
		};
	}
	return looked != NULL && looked->is_found ? looked : NULL;
}

void need_appointment(struct need *need, const char *appointment_id)
{
	const struct looked *looked = find_appointment(need, appointment_id);
	if (looked == NULL)
		return;
	need_due_slot(need, looked->slot_id);
	lock(need, "patient", looked->patient_ref);
}

static void need_entry(struct need *need, const char *waitlist_id)
{
	const struct looked *looked = table_find(&need->looked_entries, waitlist_id);
	if (looked == NULL || !looked->is_found)
		return;
	need_provider(need, looked->provider_id);
	if (looked->slot_id != NULL)
		need_due_slot(need, looked->slot_id);
}

/* Another command of the batch may free the new slot again. */
static void need_move(struct need *need, const struct appointment_slot_move *command)
{
	const struct looked *looked = find_appointment(need, command->appointment_id);
	need_appointment(need, command->appointment_id);
	if (looked == NULL)
		return;
	need_wanted(need, command->slot_id, looked->patient_ref);
	parameter_text(&need->freed, command->slot_id);
}

/* From the one to the other, both inclusive. */
static void need_days(struct need *need, const char *provider_id, int64_t first, int64_t last)
{
	for (int64_t day = first; day <= last; day++) {
		char date[DATE_TEXT_BYTES];
		calendar_print(day, date);
		need_day(need, provider_id, date);
	}
}

static void need_publish(struct need *need, const struct appointment_schedule_publish *command)
{
	struct period period;
	need_provider(need, command->provider_id);
	parameter_text(&need->clinics, command->clinic_id);
	if (!period_of_publish(command, need->rules, need->now, &period))
		return;
	add_range(need->ranges, command->provider_id, &period);
	add_range(need->zones, command->clinic_id, &period);
	need_days(need, command->provider_id, calendar_day(command->from), calendar_day(command->to));
}

/* Wall time may be a day before or behind. */
static void need_block(struct need *need, const struct appointment_schedule_block *command)
{
	struct period period;
	need_provider(need, command->provider_id);
	if (!period_of_block(command, need->rules, need->now, &period))
		return;
	add_range(need->ranges, command->provider_id, &period);
	add_range(need->absences, command->provider_id, &period);
	need_days(need, command->provider_id, period.from_at / DAYS_US(1) - 1, period.to_at / DAYS_US(1) + 1);
}

/* The appointment that a command is about; NULL: of another kind. */
static const char *appointment_of(const struct message *message)
{
	switch ((int)message->event) {
	case APPOINTMENT_SLOT_CANCEL:
		return ((const struct appointment_slot_cancel *)message->body)->appointment_id;
	case APPOINTMENT_SLOT_MOVE:
		return ((const struct appointment_slot_move *)message->body)->appointment_id;
	case APPOINTMENT_VISIT_ARRIVE:
		return ((const struct appointment_visit_arrive *)message->body)->appointment_id;
	case APPOINTMENT_VISIT_COMPLETE:
		return ((const struct appointment_visit_complete *)message->body)->appointment_id;
	default:
		return NULL;
	}
}

/* The same, for the entry of a waitlist. */
static const char *entry_of(const struct message *message)
{
	switch ((int)message->event) {
	case APPOINTMENT_SLOT_DECLINE:
		return ((const struct appointment_slot_decline *)message->body)->waitlist_id;
	case APPOINTMENT_WAITLIST_LEAVE:
		return ((const struct appointment_waitlist_leave *)message->body)->waitlist_id;
	default:
		return NULL;
	}
}

static void look(struct need *need, struct parameter *ids, struct table *looked, const char *id)
{
	parameter_uuid(ids, id);
	if (table_find(looked, id) == NULL)
		table_add(looked, id, arena_new(need->arena, sizeof(struct looked)));
}

void need_look_appointment(struct need *need, const char *appointment_id)
{
	look(need, &need->appointments, &need->looked_appointments, appointment_id);
}

void need_look(struct need *need, const struct message *message)
{
	const char *appointment_id = appointment_of(message), *waitlist_id = entry_of(message);
	if (appointment_id != NULL)
		need_look_appointment(need, appointment_id);
	if (waitlist_id != NULL)
		look(need, &need->entries, &need->looked_entries, waitlist_id);
}

void need_message(struct need *need, const struct message *message)
{
	const void *body = message->body;
	parameter_uuid(&need->commands, message->message_id);
	switch ((int)message->event) {
	case APPOINTMENT_SCHEDULE_PUBLISH:
		need_publish(need, body);
		break;
	case APPOINTMENT_SCHEDULE_BLOCK:
		need_block(need, body);
		break;
	case APPOINTMENT_SLOT_HOLD:
		need_wanted(need, ((const struct appointment_slot_hold *)body)->slot_id,
			((const struct appointment_slot_hold *)body)->patient_ref);
		break;
	case APPOINTMENT_SLOT_RELEASE:
		need_slot(need, ((const struct appointment_slot_release *)body)->slot_id);
		break;
	case APPOINTMENT_SLOT_BOOK:
		need_wanted(need, ((const struct appointment_slot_book *)body)->slot_id,
			((const struct appointment_slot_book *)body)->patient_ref);
		break;
	case APPOINTMENT_SLOT_MOVE:
		need_move(need, body);
		break;
	case APPOINTMENT_WAITLIST_JOIN:
		need_provider(need, ((const struct appointment_waitlist_join *)body)->provider_id);
		break;
	default:
		if (appointment_of(message) != NULL)
			need_appointment(need, appointment_of(message));
		if (entry_of(message) != NULL)
			need_entry(need, entry_of(message));
	}
}
