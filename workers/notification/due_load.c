/* Loading what is due. The first look takes no locks: it says which to take, and the rows are read again behind them. */
#include "escalation.h"
#include "load.h"
#include "notification.h"
#include "notification_queries.h"

enum { DIGESTS_MAX = 16 }; /* banks of one run, each with all its shelves */

/* The ids of what is due before a moment; NULL at a failure. */
static const struct rows *find_due(struct database *database, const struct query *query, int64_t before,
	int64_t limit, struct why *why)
{
	struct parameter parameters[2];
	parameter_init(&parameters[0], PARAMETER_TIME, false);
	parameter_time(&parameters[0], before);
	parameter_init(&parameters[1], PARAMETER_INT, false);
	parameter_int(&parameters[1], limit);
	int ticket = database_send(database, query, parameters, 2);
	parameters_clear(parameters, 2);
	return database_rows(database, ticket, why);
}

static int send_waiting_shelves(const struct state *state, struct database *database)
{
	struct parameter ids;
	parameters_arrays(&ids, "t");
	for (size_t i = 0; i < state->windows_count; i++)
		parameter_text(&ids, state->windows[i].bank_id);
	int ticket = database_send(database, &shelf_waiting, &ids, 1);
	parameter_clear(&ids);
	return ticket;
}

static enum outcome read_waiting_shelves(struct state *state, struct database *database, int ticket,
	struct why *why)
{
	const struct rows *rows = database_rows(database, ticket, why);
	if (rows == NULL)
		return database_failure(database, why);
	state->shelves = arena_array(state->arena, rows_count(rows), sizeof(*state->shelves));
	for (size_t row = 0; row < rows_count(rows); row++)
		state->shelves[state->shelves_count++] = (struct shelf){
			.bank_id = rows_text(rows, row, 0, state->arena),
			.component = component_find(rows_text(rows, row, 1, state->arena)),
			.group = blood_group_find(rows_text(rows, row, 2, state->arena)),
			.available = rows_int(rows, row, 3),
			.version = rows_int(rows, row, 4),
			.is_waiting = true,
		};
	return DONE;
}

/* The digests' ids follow from windows and shelves, so these are read first. */
static void list_digests(struct state *state, int64_t now)
{
	state_index(state);
	state->notices = arena_array(state->arena, state->windows_count, sizeof(*state->notices));
	for (size_t i = 0; i < state->windows_count; i++) {
		struct shelf *shelves;
		size_t count = state_shelves_of(state, state->windows[i].bank_id, &shelves);
		const struct notice *notice =
			stock_digest_notice(&state->windows[i], shelves, count, state->rules, now, state->arena);
		if (notice != NULL)
			state->notices[state->notices_count++].notification_id = notice->notification_id;
	}
	state_index(state);
}

static enum outcome load_digests(struct state *state, struct database *database, int64_t now, struct why *why)
{
	load_lock_banks(state, database);
	int windows = load_send_windows(state, database);
	int shelves = send_waiting_shelves(state, database);
	enum outcome outcome = load_read_windows(state, database, windows, why);
	if (outcome == DONE)
		outcome = read_waiting_shelves(state, database, shelves, why);
	if (outcome != DONE)
		return outcome;
	list_digests(state, now);
	return load_read_notices(state, database, load_send_notices(state, database), why);
}

enum outcome load_due_digests(struct batch *batch, struct database *database, struct why *why)
{
	struct state *state = state_new(batch);
	batch->state = state;
	const struct rows *rows =
		find_due(database, &window_due, batch->now - state->rules->digest_window_us, DIGESTS_MAX, why);
	if (rows == NULL)
		return database_failure(database, why);
	state->windows = arena_array(state->arena, DIGESTS_MAX, sizeof(*state->windows));
	for (size_t row = 0; row < rows_count(rows); row++)
		state->windows[state->windows_count++].bank_id = rows_text(rows, row, 0, state->arena);
	state_index(state);
	state->is_more_due = state->windows_count == DIGESTS_MAX;
	return state->windows_count == 0 ? DONE : load_digests(state, database, batch->now, why);
}

/* Both the emergency and its escalation. */
static void list_escalations(struct state *state, const struct rows *rows, int64_t now)
{
	size_t count = rows_count(rows);
	state->notices = arena_array(state->arena, 2 * count, sizeof(*state->notices));
	for (size_t row = 0; row < count; row++) {
		const struct notice due = {
			.notification_id = rows_uuid(rows, row, 0, state->arena),
			.facility_id = rows_text(rows, row, 1, state->arena),
			.role = "",
			.text = "",
		};
		const struct notice *escalated = escalation_notice(&due, state->rules, now, state->arena);
		state->notices[state->notices_count++].notification_id = due.notification_id;
		state->notices[state->notices_count++].notification_id = escalated->notification_id;
	}
	state_index(state);
}

enum outcome load_due_escalations(struct batch *batch, struct database *database, struct why *why)
{
	struct state *state = state_new(batch);
	batch->state = state;
	const struct rows *rows = find_due(database, &escalation_due, batch->now, WORKER_DUE_MAX, why);
	if (rows == NULL || rows_count(rows) == 0)
		return rows == NULL ? database_failure(database, why) : DONE;
	state->is_more_due = rows_count(rows) == WORKER_DUE_MAX;
	list_escalations(state, rows, batch->now);
	enum outcome outcome = load_read_notices(state, database, load_send_notices(state, database), why);
	state->due = arena_array(state->arena, rows_count(rows), sizeof(*state->due));
	for (size_t row = 0; outcome == DONE && row < rows_count(rows); row++)
		state->due[state->due_count++] = state_notice(state, rows_uuid(rows, row, 0, state->arena));
	return outcome;
}

/* Deletes at once: there is nothing to decide. */
enum outcome load_prune(struct batch *batch, struct database *database, struct why *why)
{
	struct state *state = state_new(batch);
	struct parameter before;
	batch->state = state;
	parameter_init(&before, PARAMETER_TIME, false);
	parameter_time(&before, batch->now - state->rules->kept_us);
	int ticket = database_send(database, &notification_prune, &before, 1);
	parameter_clear(&before);
	const struct rows *rows = database_rows(database, ticket, why);
	if (rows == NULL)
		return database_failure(database, why);
	state->is_more_due = rows_int(rows, 0, 0) > 0;
	return DONE;
}
