/*
 * Loading. The first look takes no locks: it says which locks to take, and the rows are read again behind them. Providers, days and
 * patients are locked by name, in one order for all, before anything is decided: a day's list changes only under its lock.
 */
#include <string.h>

#include "appointment.h"
#include "appointment_queries.h"
#include "need.h"
#include "rows.h"

enum {
	LOOKS_MAX = 4,
	KEYS_MAX = 1024, /* locks of several messages together: the server has room for some thousands */
};

static void read_looked_appointment(struct need *need, const struct rows *rows, size_t row)
{
	struct looked *looked = table_find(&need->looked_appointments, rows_uuid(rows, row, 0, need->arena));
	*looked = (struct looked){
		.is_found = true,
		.provider_id = rows_text(rows, row, 1, need->arena),
		.slot_id = rows_text(rows, row, 2, need->arena),
		.patient_ref = rows_text(rows, row, 3, need->arena),
	};
}

static void read_looked_entry(struct need *need, const struct rows *rows, size_t row)
{
	struct looked *looked = table_find(&need->looked_entries, rows_uuid(rows, row, 0, need->arena));
	*looked = (struct looked){
		.is_found = true,
		.provider_id = rows_text(rows, row, 1, need->arena),
		.slot_id = rows_text(rows, row, 2, need->arena),
	};
}

static enum outcome look(struct need *need, struct database *database, struct why *why)
{
	if (need->appointments.count == 0 && need->entries.count == 0)
		return DONE;
	int appointments = database_send(database, &appointment_look, &need->appointments, 1);
	int entries = database_send(database, &entry_look, &need->entries, 1);
	const struct rows *appointment_rows = database_rows(database, appointments, why);
	const struct rows *entry_rows = appointment_rows == NULL ? NULL : database_rows(database, entries, why);
	if (entry_rows == NULL)
		return database_failure(database, why);
	for (size_t row = 0; row < rows_count(appointment_rows); row++)
		read_looked_appointment(need, appointment_rows, row);
	for (size_t row = 0; row < rows_count(entry_rows); row++)
		read_looked_entry(need, entry_rows, row);
	return DONE;
}

/* One statement, and what becomes of its rows. */
struct reading {
	const struct query *query;
	const struct parameter *parameters;
	size_t count;
	row_fn *read;
};

/* One round trip: all statements are sent before the first answer is read; those about nothing are left out. */
static enum outcome read_all(struct state *state, struct database *database, const struct reading readings[],
	size_t count, struct why *why)
{
	enum { READINGS_MAX = 16 };
	int tickets[READINGS_MAX] = { 0 };
	for (size_t i = 0; i < count; i++)
		if (readings[i].parameters[0].count > 0)
			tickets[i] =
				database_send(database, readings[i].query, readings[i].parameters, readings[i].count);
	for (size_t i = 0; i < count; i++) {
		if (readings[i].parameters[0].count == 0)
			continue;
		const struct rows *rows = database_rows(database, tickets[i], why);
		if (rows == NULL)
			return database_failure(database, why);
		for (size_t row = 0; row < rows_count(rows); row++)
			readings[i].read(state, rows, row);
	}
	return DONE;
}

/* Each freed slot or command takes away one of those who wait at most, and stands for one who is asked already. */
static void candidates_parameters(const struct need *need, const struct batch *batch,
	struct parameter parameters[2])
{
	size_t most = batch->count > need->freed.count ? batch->count : need->freed.count;
	parameters[0] = need->freed; /* borrowed */
	parameter_init(&parameters[1], PARAMETER_INT, false);
	parameter_int(&parameters[1], 2 * (int64_t)most + 1);
}

static enum outcome lock_and_read(struct need *need, struct batch *batch, struct database *database,
	struct why *why)
{
	struct parameter candidates[2];
	candidates_parameters(need, batch, candidates);
	const struct reading readings[] = {
		{ &command_load, &need->commands, 1, read_command },
		{ &slot_load, &need->slots, 1, read_slot },
		{ &slot_load_between, need->ranges, 3, read_slot },
		{ &appointment_load, &need->appointments, 1, read_booking },
		{ &appointment_of_patients, need->wanted, 2, read_booking },
		{ &appointment_in_rooms, need->wanted, 1, read_booking },
		{ &appointment_between, need->absences, 3, read_booking },
		{ &terms_load, &need->providers, 1, read_terms },
		{ &clinic_load, &need->clinics, 1, read_clinic },
		{ &span_load, need->zones, 3, read_span },
		{ &floor_load, need->ranges, 3, read_floor },
		{ &block_load, need->ranges, 3, read_block },
		{ &entry_load, &need->entries, 1, read_entry },
		{ &entry_of_slots, &need->slots, 1, read_entry },
		{ &entry_candidates, candidates, 2, read_candidate },
	};
	if (need->keys.count > 0)
		database_send(database, &key_lock, &need->keys, 1);
	enum outcome outcome =
		read_all(batch->state, database, readings, sizeof(readings) / sizeof(readings[0]), why);
	parameter_clear(&candidates[1]);
	return outcome;
}

static bool is_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What nobody names is where it is; what is named must be where it was seen, and have been seen. */
static bool is_where(const struct table *looked_at, const char *id, const char *slot_id)
{
	const struct looked *looked = table_find(looked_at, id);
	return looked == NULL || (looked->is_found && is_same_text(looked->slot_id, slot_id));
}

/* Whether what was looked at was still so when it was locked; else somebody moved or made it meanwhile. */
static bool is_steady(const struct need *need, const struct state *state)
{
	for (size_t i = 0; i < state->bookings.count; i++) {
		const struct booking *booking = state->bookings.items[i];
		if (!is_where(&need->looked_appointments, booking->appointment_id, booking->slot_id))
			return false;
	}
	for (size_t i = 0; i < state->entries.count; i++) {
		const struct entry *entry = state->entries.items[i];
		if (!is_where(&need->looked_entries, entry->waitlist_id, entry->slot_id))
			return false;
	}
	return true;
}

/* Fills `need` beyond what has to be looked up; it is given what the caller found to be due. */
typedef void gather_fn(struct need *need, const struct batch *batch, const struct rows *due);

/* Names what has to be looked up. */
static void name_batch(struct need *need, const struct batch *batch, const struct rows *due)
{
	(void)due;
	for (size_t i = 0; i < batch->count; i++)
		need_look(need, batch->messages[i]);
}

static void gather_batch(struct need *need, const struct batch *batch, const struct rows *due)
{
	(void)due;
	for (size_t i = 0; i < batch->count; i++)
		need_message(need, batch->messages[i]);
}

static enum outcome load_once(struct batch *batch, struct database *database, gather_fn *name,
	gather_fn *gather, const struct rows *due, bool *is_done, struct why *why)
{
	struct need need;
	need_init(&need, batch);
	batch->state = state_new(batch);
	name(&need, batch, due);
	enum outcome outcome = look(&need, database, why);
	if (outcome == DONE)
		gather(&need, batch, due);
	if (outcome == DONE && need.keys.count > KEYS_MAX && batch->count > 1)
		outcome =
			retry(why, "conflict", "the batch would take %zu locks, %d are allowed: its messages run alone",
				need.keys.count, KEYS_MAX);
	if (outcome == DONE)
		outcome = lock_and_read(&need, batch, database, why);
	*is_done = outcome == DONE && is_steady(&need, batch->state);
	need_clear(&need);
	return outcome;
}

static enum outcome load(struct batch *batch, struct database *database, gather_fn *name, gather_fn *gather,
	const struct rows *due, struct why *why)
{
	for (unsigned looks = 0; looks < LOOKS_MAX; looks++) {
		bool is_done;
		enum outcome outcome = load_once(batch, database, name, gather, due, &is_done, why);
		if (outcome != DONE || is_done)
			return outcome;
	}
	return retry(why, "conflict", "an appointment was moved at each of %d looks", LOOKS_MAX);
}

enum outcome load_batch(struct batch *batch, struct database *database, struct why *why)
{
	return load(batch, database, name_batch, gather_batch, NULL, why);
}

static const struct rows *find_due(const struct batch *batch, struct database *database,
	const struct query *query, struct why *why)
{
	struct parameter parameters[2];
	parameter_init(&parameters[0], PARAMETER_TIME, false);
	parameter_time(&parameters[0], batch->now);
	parameter_init(&parameters[1], PARAMETER_INT, false);
	parameter_int(&parameters[1], WORKER_DUE_MAX);
	int ticket = database_send(database, query, parameters, 2);
	parameters_clear(parameters, 2);
	return database_rows(database, ticket, why);
}

static void name_nothing(struct need *need, const struct batch *batch, const struct rows *due)
{
	(void)need;
	(void)batch;
	(void)due;
}

static void gather_slots(struct need *need, const struct batch *batch, const struct rows *due)
{
	(void)batch;
	for (size_t row = 0; row < rows_count(due); row++)
		need_due_slot(need, rows_text(due, row, 0, need->arena));
}

enum outcome load_due_slots(struct batch *batch, struct database *database, struct why *why)
{
	const struct rows *due = find_due(batch, database, &slot_due, why);
	if (due == NULL)
		return database_failure(database, why);
	enum outcome outcome = load(batch, database, name_nothing, gather_slots, due, why);
	struct state *state = batch->state;
	state->is_more_due = rows_count(due) == WORKER_DUE_MAX;
	state->due_slots = arena_array(state->arena, rows_count(due), sizeof(struct slot *));
	for (size_t row = 0; outcome == DONE && row < rows_count(due); row++) {
		struct slot *slot = state_slot(state, rows_text(due, row, 0, state->arena));
		if (slot != NULL)
			state->due_slots[state->due_slots_count++] = slot;
	}
	return outcome;
}

static void name_bookings(struct need *need, const struct batch *batch, const struct rows *due)
{
	(void)batch;
	for (size_t row = 0; row < rows_count(due); row++)
		need_look_appointment(need, rows_uuid(due, row, 0, need->arena));
}

static void gather_bookings(struct need *need, const struct batch *batch, const struct rows *due)
{
	(void)batch;
	for (size_t row = 0; row < rows_count(due); row++)
		need_appointment(need, rows_uuid(due, row, 0, need->arena));
}

enum outcome load_due_bookings(struct batch *batch, struct database *database, struct why *why)
{
	const struct rows *due = find_due(batch, database, &appointment_due, why);
	if (due == NULL)
		return database_failure(database, why);
	enum outcome outcome = load(batch, database, name_bookings, gather_bookings, due, why);
	struct state *state = batch->state;
	state->is_more_due = rows_count(due) == WORKER_DUE_MAX;
	state->due_bookings = arena_array(state->arena, rows_count(due), sizeof(struct booking *));
	for (size_t row = 0; outcome == DONE && row < rows_count(due); row++)
		state->due_bookings[state->due_bookings_count++] =
			state_booking(state, rows_uuid(due, row, 0, state->arena));
	return outcome;
}

/* What was decided so long ago that every slot and period it could name is over. Deletes at once: there is nothing to decide. */
enum outcome load_old_commands(struct batch *batch, struct database *database, struct why *why)
{
	struct state *state = state_new(batch);
	struct parameter before;
	batch->state = state;
	parameter_init(&before, PARAMETER_TIME, false);
	parameter_time(&before, batch->now - DAYS_US(state->rules->ahead_days + state->rules->period_days));
	int ticket = database_send(database, &command_prune, &before, 1);
	parameter_clear(&before);
	const struct rows *rows = database_rows(database, ticket, why);
	if (rows == NULL)
		return database_failure(database, why);
	state->is_more_due = rows_int(rows, 0, 0) > 0;
	return DONE;
}
