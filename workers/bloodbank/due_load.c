/*
 * Loading what is due. The first look takes no locks: it says which locks to take, and the rows are read again behind them. One
 * run deals with one hospital's requests, or one bank's units, so that it reaches no more shelves than any other batch.
 */
#include <string.h>

#include "bloodbank.h"
#include "bloodbank_queries.h"
#include "load.h"

/* Looks for what is due at `batch->now`; NULL at a failure. */
static const struct rows *find_due(struct load *load, const struct query *query, struct why *why)
{
	struct parameter parameters[2];
	parameter_init(&parameters[0], PARAMETER_TIME, false);
	parameter_time(&parameters[0], load->batch->now);
	parameter_init(&parameters[1], PARAMETER_INT, false);
	parameter_int(&parameters[1], WORKER_DUE_MAX);
	int ticket = database_send(load->database, query, parameters, 2);
	parameters_clear(parameters, 2);
	return database_rows(load->database, ticket, why);
}

/* Whether a row belongs to the same facility (column 1) as the first. */
static bool is_first_facility(const struct load *load, const struct rows *rows, size_t row)
{
	struct arena *arena = load->state->arena;
	return strcmp(rows_text(rows, row, 1, arena), rows_text(rows, 0, 1, arena)) == 0;
}

static void need_due_request(struct load *load, const struct rows *rows, size_t row)
{
	struct arena *arena = load->state->arena;
	need_request(&load->need, rows_uuid(rows, row, 0, arena), rows_text(rows, row, 1, arena),
		component_find(rows_text(rows, row, 2, arena)));
}

static void need_due_unit(struct load *load, const struct rows *rows, size_t row)
{
	struct arena *arena = load->state->arena;
	enum component component = component_find(rows_text(rows, row, 2, arena));
	need_unit(&load->need, rows_text(rows, row, 0, arena));
	need_arrival(&load->need, load->state->rules, rows_text(rows, row, 1, arena), component,
		blood_group_find(rows_text(rows, row, 3, arena)));
	if (!rows_is_null(rows, row, 4))
		need_request(&load->need, rows_uuid(rows, row, 4, arena), NULL, component);
}

static void list_due_request(struct load *load, const struct rows *rows, size_t row)
{
	struct state *state = load->state;
	struct request *request = state_request(state, rows_uuid(rows, row, 0, state->arena));
	if (request != NULL)
		state->due_requests[state->due_requests_count++] = request;
}

static void list_due_unit(struct load *load, const struct rows *rows, size_t row)
{
	struct state *state = load->state;
	struct bag *bag = state_bag(state, rows_text(rows, row, 0, state->arena));
	if (bag != NULL)
		state->due_bags[state->due_bags_count++] = bag;
}

typedef void row_fn(struct load *load, const struct rows *rows, size_t row);

static enum outcome load_due(struct load *load, const struct query *query, row_fn *need_row, row_fn *list_row,
	struct why *why)
{
	const struct rows *rows = find_due(load, query, why);
	size_t count = rows == NULL ? 0 : rows_count(rows);
	if (count == 0) {
		need_clear(&load->need);
		return rows == NULL ? database_failure(load->database, why) : DONE;
	}
	load->state->is_more_due = count == WORKER_DUE_MAX;
	for (size_t row = 0; row < count; row++)
		if (is_first_facility(load, rows, row))
			need_row(load, rows, row);
		else
			load->state->is_more_due = true;
	enum outcome outcome = load_finish(load, why);
	for (size_t row = 0; outcome == DONE && row < count; row++)
		if (is_first_facility(load, rows, row))
			list_row(load, rows, row);
	return outcome;
}

enum outcome load_due_requests(struct batch *batch, struct database *database, struct why *why)
{
	struct load load;
	load_start(&load, batch, database);
	load.state->due_requests = arena_array(batch->arena, WORKER_DUE_MAX, sizeof(struct request *));
	return load_due(&load, &request_due, need_due_request, list_due_request, why);
}

enum outcome load_due_units(struct batch *batch, struct database *database, struct why *why)
{
	struct load load;
	load_start(&load, batch, database);
	load.state->due_bags = arena_array(batch->arena, WORKER_DUE_MAX, sizeof(struct bag *));
	return load_due(&load, &unit_due, need_due_unit, list_due_unit, why);
}
