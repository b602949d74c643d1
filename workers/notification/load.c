/* Rows of a batch. One round trip: all statements are sent before the first answer is read. */
#include "load.h"

#include "notice_rows.h"
#include "notification.h"
#include "notification_queries.h"
#include "subject.h"

static int send_bank_ids(const struct state *state, struct database *database, const struct query *query)
{
	struct parameter ids;
	parameters_arrays(&ids, "t");
	for (size_t i = 0; i < state->windows_count; i++)
		parameter_text(&ids, state->windows[i].bank_id);
	int ticket = database_send(database, query, &ids, 1);
	parameter_clear(&ids);
	return ticket;
}

void load_lock_banks(const struct state *state, struct database *database)
{
	if (state->windows_count > 0)
		send_bank_ids(state, database, &bank_lock);
}

int load_send_notices(const struct state *state, struct database *database)
{
	struct parameter ids;
	parameters_arrays(&ids, "u");
	for (size_t i = 0; i < state->notices_count; i++)
		parameter_uuid(&ids, state->notices[i].notification_id);
	int ticket = database_send(database, &notification_load, &ids, 1);
	parameter_clear(&ids);
	return ticket;
}

enum outcome load_read_notices(struct state *state, struct database *database, int ticket, struct why *why)
{
	const struct rows *rows = database_rows(database, ticket, why);
	if (rows == NULL)
		return database_failure(database, why);
	for (size_t row = 0; row < rows_count(rows); row++) {
		const struct notice notice = notice_of_row(rows, row, state->arena);
		*state_notice(state, notice.notification_id) = notice;
	}
	return DONE;
}

int load_send_windows(const struct state *state, struct database *database)
{
	return send_bank_ids(state, database, &window_load);
}

enum outcome load_read_windows(struct state *state, struct database *database, int ticket, struct why *why)
{
	const struct rows *rows = database_rows(database, ticket, why);
	if (rows == NULL)
		return database_failure(database, why);
	for (size_t row = 0; row < rows_count(rows); row++) {
		struct window *window = state_window(state, rows_text(rows, row, 0, state->arena));
		window->opened_at = rows_time(rows, row, 1);
		window->is_stored = true;
	}
	return DONE;
}

static int send_shelves(const struct state *state, struct database *database)
{
	enum { COLUMNS = 3 };
	struct parameter column[COLUMNS];
	parameters_arrays(column, "ttt");
	for (size_t i = 0; i < state->shelves_count; i++) {
		parameter_text(&column[0], state->shelves[i].bank_id);
		parameter_text(&column[1], component_name(state->shelves[i].component));
		parameter_text(&column[2], blood_group_name(state->shelves[i].group));
	}
	int ticket = database_send(database, &shelf_load, column, COLUMNS);
	parameters_clear(column, COLUMNS);
	return ticket;
}

static enum outcome read_shelves(struct state *state, struct database *database, int ticket, struct why *why)
{
	const struct rows *rows = database_rows(database, ticket, why);
	if (rows == NULL)
		return database_failure(database, why);
	for (size_t row = 0; row < rows_count(rows); row++) {
		struct shelf *shelf = state_shelf(state, rows_text(rows, row, 0, state->arena),
			component_find(rows_text(rows, row, 1, state->arena)),
			blood_group_find(rows_text(rows, row, 2, state->arena)));
		shelf->available = rows_int(rows, row, 3);
		shelf->version = rows_int(rows, row, 4);
		shelf->is_waiting = rows_bool(rows, row, 5);
	}
	return DONE;
}

enum outcome load_batch(struct batch *batch, struct database *database, struct why *why)
{
	struct state *state = subject_state(batch);
	load_lock_banks(state, database);
	int notices = load_send_notices(state, database);
	int windows = load_send_windows(state, database);
	int shelves = send_shelves(state, database);
	enum outcome outcome = load_read_notices(state, database, notices, why);
	if (outcome == DONE)
		outcome = load_read_windows(state, database, windows, why);
	if (outcome == DONE)
		outcome = read_shelves(state, database, shelves, why);
	batch->state = state;
	return outcome;
}
