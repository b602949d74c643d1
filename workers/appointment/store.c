/* Changed items to rows: one statement for each table and kind of change. What goes, goes before what comes. */
#include <string.h>

#include "appointment.h"
#include "appointment_queries.h"
#include "day.h"

static void add_time(struct parameter *parameter, int64_t time_us)
{
	if (time_us != 0)
		parameter_time(parameter, time_us);
	else
		parameter_null(parameter);
}

static void send(struct database *database, const struct query *query, struct parameter column[],
	size_t columns)
{
	if (column[0].count > 0)
		database_send(database, query, column, columns);
	parameters_clear(column, columns);
}

static void store_terms(const struct state *state, struct database *database)
{
	enum { COLUMNS = 6 };
	struct parameter column[COLUMNS];
	parameters_arrays(column, "ttiiii");
	for (size_t i = 0; i < state->terms.count; i++) {
		const struct terms *terms = state->terms.items[i];
		if (!terms->is_changed)
			continue;
		parameter_text(&column[0], terms->provider_id);
		parameter_text(&column[1], terms->clinic_id);
		parameter_int(&column[2], terms->version);
		parameter_int(&column[3], terms->horizon_days);
		parameter_int(&column[4], terms->notice_minutes);
		parameter_int(&column[5], terms->cutoff_minutes);
	}
	send(database, &schedule_put, column, COLUMNS);
}

static void store_blocks(const struct state *state, struct database *database)
{
	enum { COLUMNS = 5 };
	struct parameter column[COLUMNS];
	parameters_arrays(column, "utzzt");
	for (const struct block *block = state->blocks; block != NULL; block = block->next) {
		if (block->block_id == NULL)
			continue;
		parameter_uuid(&column[0], block->block_id);
		parameter_text(&column[1], block->provider_id);
		parameter_time(&column[2], block->from_at);
		parameter_time(&column[3], block->to_at);
		parameter_text(&column[4], block->reason);
	}
	send(database, &block_add, column, COLUMNS);
}

static void store_gone_slots(const struct state *state, struct database *database)
{
	struct parameter ids;
	parameters_arrays(&ids, "t");
	for (size_t i = 0; i < state->slots.count; i++) {
		const struct slot *slot = state->slots.items[i];
		if (slot->is_gone && slot->is_stored)
			parameter_text(&ids, slot->slot_id);
	}
	send(database, &slot_remove, &ids, 1);
}

/* What was never changed was never told of. */
static void store_floors(const struct state *state, struct database *database)
{
	enum { COLUMNS = 3 };
	struct parameter column[COLUMNS];
	parameters_arrays(column, "tti");
	for (size_t i = 0; i < state->slots.count; i++) {
		const struct slot *slot = state->slots.items[i];
		if (!slot->is_gone || slot->version <= 1)
			continue;
		parameter_text(&column[0], slot->provider_id);
		parameter_text(&column[1], slot->date);
		parameter_int(&column[2], slot->version);
	}
	send(database, &floor_raise, column, COLUMNS);
}

static void add_slot(struct parameter column[], const struct slot *slot)
{
	parameter_text(&column[0], slot->slot_id);
	parameter_int(&column[1], slot->version);
	parameter_text(&column[2], slot->provider_id);
	parameter_text(&column[3], slot->clinic_id);
	parameter_text(&column[4], slot->room_id);
	parameter_text(&column[5], slot->appointment_type);
	parameter_text(&column[6], slot->date);
	parameter_time(&column[7], slot->starts_at);
	parameter_time(&column[8], slot->ends_at);
	parameter_bool(&column[9], slot->is_blocked);
	parameter_uuid(&column[10], slot->appointment_id);
	add_time(&column[11], slot->held_until);
	parameter_text(&column[12], slot->held_for);
	parameter_text(&column[13], slot->hold_token);
	parameter_text(&column[14], slot->hold_correlation_id);
	parameter_uuid(&column[15], slot->waitlist_id);
}

static void store_slots(const struct state *state, struct database *database, bool is_stored)
{
	enum { COLUMNS = 16 };
	struct parameter column[COLUMNS];
	parameters_arrays(column,
		"tittttt"
		"zzbuztttu");
	for (size_t i = 0; i < state->slots.count; i++) {
		const struct slot *slot = state->slots.items[i];
		if (slot->is_changed && !slot->is_gone && slot->is_stored == is_stored)
			add_slot(column, slot);
	}
	send(database, is_stored ? &slot_change : &slot_add, column, COLUMNS);
}

static void store_days(const struct state *state, struct database *database)
{
	struct parameter column[2];
	struct table days;
	days_changed(state, &days);
	parameters_arrays(column, "tt");
	for (size_t i = 0; i < days.count; i++) {
		const struct slot *slot = days.items[i];
		parameter_text(&column[0], slot->provider_id);
		parameter_text(&column[1], slot->date);
	}
	send(database, &day_raise, column, 2);
}

static void add_booking(struct parameter column[], const struct booking *booking)
{
	parameter_uuid(&column[0], booking->appointment_id);
	parameter_int(&column[1], booking->version);
	parameter_text(&column[2], appointment_status_name(booking->status));
	parameter_text(&column[3], booking->slot_id);
	parameter_text(&column[4], booking->provider_id);
	parameter_text(&column[5], booking->clinic_id);
	parameter_text(&column[6], booking->room_id);
	parameter_text(&column[7], booking->zone);
	parameter_text(&column[8], booking->appointment_type);
	parameter_text(&column[9], booking->date);
	parameter_time(&column[10], booking->starts_at);
	parameter_time(&column[11], booking->ends_at);
	parameter_text(&column[12], booking->patient_ref);
	parameter_text(&column[13], booking->content);
	parameter_bool(&column[14], booking->is_flagged);
	parameter_time(&column[15], booking->booked_at);
	add_time(&column[16], booking->arrived_at);
	add_time(&column[17], booking->ended_at);
	parameter_text(&column[18], booking->ended_by);
	parameter_text(&column[19], booking->reason);
	parameter_text(&column[20], booking->correlation_id);
	parameter_text(&column[21], booking->traceparent);
}

/* New ones, or changed ones: these without the last two columns, which never change. */
static void store_bookings(const struct state *state, struct database *database, bool is_stored)
{
	enum { COLUMNS = 22, CHANGING_COLUMNS = 20 };
	struct parameter column[COLUMNS];
	parameters_arrays(column,
		"uitttttttt"
		"zzttbzzzttt"
		"t");
	for (size_t i = 0; i < state->bookings.count; i++) {
		const struct booking *booking = state->bookings.items[i];
		if (booking->is_changed && booking->is_stored == is_stored)
			add_booking(column, booking);
	}
	if (is_stored)
		parameters_clear(column + CHANGING_COLUMNS, COLUMNS - CHANGING_COLUMNS);
	send(database, is_stored ? &appointment_change : &appointment_add, column,
		is_stored ? CHANGING_COLUMNS : COLUMNS);
}

/* What a patient said, as a day or as a time: one of the two columns. */
static void add_moment(struct parameter column[2], const char *text)
{
	struct moment moment = { .date = NULL };
	bool is_there = text != NULL && moment_read(text, &moment);
	parameter_text(&column[0], is_there ? moment.date : NULL);
	if (is_there && moment.date == NULL)
		parameter_time(&column[1], moment.at);
	else
		parameter_null(&column[1]);
}

static void store_new_entries(const struct state *state, struct database *database)
{
	enum { COLUMNS = 16 };
	struct parameter column[COLUMNS];
	parameters_arrays(column,
		"uitttttiz"
		"ttttztz");
	for (size_t i = 0; i < state->entries.count; i++) {
		const struct entry *entry = state->entries.items[i];
		if (entry->is_stored || !entry->is_changed)
			continue;
		parameter_uuid(&column[0], entry->waitlist_id);
		parameter_int(&column[1], entry->version);
		parameter_text(&column[2], entry_status_name(entry->status));
		parameter_text(&column[3], entry->provider_id);
		parameter_text(&column[4], entry->patient_ref);
		parameter_text(&column[5], entry->from);
		parameter_text(&column[6], entry->to);
		parameter_int(&column[7], entry->priority);
		parameter_time(&column[8], entry->joined_at);
		parameter_text(&column[9], entry->slot_id);
		parameter_text(&column[10], entry->correlation_id);
		parameter_text(&column[11], entry->traceparent);
		add_moment(&column[12], entry->from);
		add_moment(&column[14], entry->to);
	}
	send(database, &entry_add, column, COLUMNS);
}

static void store_changed_entries(const struct state *state, struct database *database)
{
	enum { COLUMNS = 4 };
	struct parameter column[COLUMNS];
	parameters_arrays(column, "uitt");
	for (size_t i = 0; i < state->entries.count; i++) {
		const struct entry *entry = state->entries.items[i];
		if (!entry->is_stored || !entry->is_changed)
			continue;
		parameter_uuid(&column[0], entry->waitlist_id);
		parameter_int(&column[1], entry->version);
		parameter_text(&column[2], entry_status_name(entry->status));
		parameter_text(&column[3], entry->slot_id);
	}
	send(database, &entry_change, column, COLUMNS);
}

static void store_offers(const struct state *state, struct database *database)
{
	enum { COLUMNS = 3 };
	struct parameter column[COLUMNS];
	parameters_arrays(column, "utz");
	for (const struct offer *offer = state->offers; offer != NULL; offer = offer->next) {
		parameter_uuid(&column[0], offer->waitlist_id);
		parameter_text(&column[1], offer->slot_id);
		parameter_time(&column[2], state->now);
	}
	send(database, &offer_add, column, COLUMNS);
}

static void store_commands(const struct state *state, struct database *database)
{
	struct parameter column[2];
	parameters_arrays(&column[0], "u");
	parameter_init(&column[1], PARAMETER_TIME, false);
	parameter_time(&column[1], state->now);
	for (size_t i = 0; i < state->commands.count; i++)
		parameter_uuid(&column[0], state->commands.items[i]);
	send(database, &command_add, column, 2);
}

enum outcome store_batch(struct batch *batch, struct database *database, struct why *why)
{
	const struct state *state = batch->state;
	(void)why; /* the commit tells of failures */
	store_terms(state, database);
	store_blocks(state, database);
	store_gone_slots(state, database);
	store_floors(state, database);
	store_slots(state, database, true);
	store_slots(state, database, false);
	store_days(state, database);
	store_bookings(state, database, true);
	store_bookings(state, database, false);
	store_new_entries(state, database);
	store_changed_entries(state, database);
	store_offers(state, database);
	store_commands(state, database);
	return DONE;
}
