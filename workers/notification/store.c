/* Changes to rows: one statement for each table and kind of change. */
#include "database.h"
#include "notification.h"
#include "notification_queries.h"
#include "state.h"

static void add_time(struct parameter *parameter, int64_t time_us)
{
	if (time_us != 0)
		parameter_time(parameter, time_us);
	else
		parameter_null(parameter);
}

static void add_created(struct parameter column[], const struct notice *notice)
{
	parameter_uuid(&column[0], notice->notification_id);
	parameter_text(&column[1], notice->facility_id);
	parameter_text(&column[2], notice->role);
	parameter_text(&column[3], notice->kind);
	parameter_bool(&column[4], notice->is_emergency);
	parameter_text(&column[5], notice->entity);
	parameter_text(&column[6], notice->transition);
	parameter_text(&column[7], notice->text);
	parameter_time(&column[8], notice->created_at);
	add_time(&column[9], notice->delivered_at);
	add_time(&column[10], notice->acknowledged_at);
	parameter_text(&column[11], notice->acknowledged_by);
	add_time(&column[12], notice->escalate_at);
	parameter_text(&column[13], notice->correlation_id);
	parameter_text(&column[14], notice->traceparent);
	parameter_text(&column[15], notice->recipient_ref);
}

/* In the order of their creation, which gives them their places in the list. */
static void store_created(const struct state *state, struct database *database)
{
	enum { COLUMNS = 16 };
	struct parameter column[COLUMNS];
	parameters_arrays(column,
		"utttbtttzz"
		"ztzttt");
	for (const struct notice *notice = state->created; notice != NULL; notice = notice->next)
		add_created(column, notice);
	if (column[0].count > 0)
		database_send(database, &notification_add, column, COLUMNS);
	parameters_clear(column, COLUMNS);
}

static void store_changed(const struct state *state, struct database *database)
{
	enum { COLUMNS = 5 };
	struct parameter column[COLUMNS];
	parameters_arrays(column, "uzztz");
	for (size_t i = 0; i < state->notices_count; i++) {
		const struct notice *notice = &state->notices[i];
		if (!notice->is_stored || !notice->is_changed)
			continue;
		parameter_uuid(&column[0], notice->notification_id);
		add_time(&column[1], notice->delivered_at);
		add_time(&column[2], notice->acknowledged_at);
		parameter_text(&column[3], notice->acknowledged_by);
		add_time(&column[4], notice->escalate_at);
	}
	if (column[0].count > 0)
		database_send(database, &notification_change, column, COLUMNS);
	parameters_clear(column, COLUMNS);
}

static void store_shelves(const struct state *state, struct database *database)
{
	enum { COLUMNS = 6 };
	struct parameter column[COLUMNS];
	parameters_arrays(column, "tttiib");
	for (size_t i = 0; i < state->shelves_count; i++) {
		const struct shelf *shelf = &state->shelves[i];
		if (!shelf->is_changed)
			continue;
		parameter_text(&column[0], shelf->bank_id);
		parameter_text(&column[1], component_name(shelf->component));
		parameter_text(&column[2], blood_group_name(shelf->group));
		parameter_int(&column[3], shelf->available);
		parameter_int(&column[4], shelf->version);
		parameter_bool(&column[5], shelf->is_waiting);
	}
	if (column[0].count > 0)
		database_send(database, &shelf_put, column, COLUMNS);
	parameters_clear(column, COLUMNS);
}

/* Windows that opened, or closed. */
static void store_windows(const struct state *state, struct database *database)
{
	struct parameter opened[2], closed;
	parameters_arrays(opened, "tz");
	parameters_arrays(&closed, "t");
	for (size_t i = 0; i < state->windows_count; i++) {
		const struct window *window = &state->windows[i];
		if (!window->is_stored && window->opened_at != 0) {
			parameter_text(&opened[0], window->bank_id);
			parameter_time(&opened[1], window->opened_at);
		} else if (window->is_stored && window->opened_at == 0) {
			parameter_text(&closed, window->bank_id);
		}
	}
	if (opened[0].count > 0)
		database_send(database, &window_open, opened, 2);
	if (closed.count > 0)
		database_send(database, &window_close, &closed, 1);
	parameters_clear(opened, 2);
	parameter_clear(&closed);
}

enum outcome store_batch(struct batch *batch, struct database *database, struct why *why)
{
	const struct state *state = batch->state;
	(void)why; /* the commit tells of failures */
	store_changed(state, database);
	store_shelves(state, database);
	store_windows(state, database);
	store_created(state, database);
	return DONE;
}
