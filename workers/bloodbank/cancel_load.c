/*
 * Loading what cancels are about. Which shelves they concern is known from the requests alone: who sent them, and what they were
 * given. So these are read first, behind the requests' own locks, which no shelf's lock precedes; then the shelves are locked, and
 * all is read again behind them. What a timer or an arrival gave in between is found by the decision, which asks for another load.
 */
#include "bloodbank_queries.h"
#include "load.h"
#include "rows.h"

/* Whatever became of the units: those that are still held come free. */
static void need_given(struct load *load, const struct bloodbank_blood_approved *approval)
{
	for (size_t i = 0; i < approval->units_count; i++) {
		const struct allocated_unit *unit = &approval->units[i];
		need_unit(&load->need, unit->unit_id);
		need_arrival(&load->need, load->state->rules, unit->bank_id, unit->component, unit->group);
	}
}

static void need_ending(struct load *load, const struct request *request)
{
	if (request->progress == PROGRESS_REJECTED || request->progress == PROGRESS_CANCELLED)
		return;
	need_hospital(&load->need, request->asked->hospital_id, request->asked->component);
	for (const struct decision_record *decision = request->decisions; decision != NULL;
		 decision = decision->next)
		if (decision_approval(decision) != NULL)
			need_given(load, decision_approval(decision));
}

static void mark_endings(const struct load *load)
{
	for (size_t i = 0; i < load->batch->count; i++) {
		const struct message *message = load->batch->messages[i];
		if (message->event == HOSPITAL_BLOOD_CANCELLED)
			state_ending(load->state, ((const struct hospital_blood_cancelled *)message->body)->request_id);
	}
}

enum outcome load_cancelled(struct load *load, struct why *why)
{
	static const enum need_list cancelled[] = { NEED_CANCELLED };
	struct state *look = state_new(load->state->arena, load->state->rules, load->batch->now);
	int ticket = load_send(load, &request_find, cancelled, 1, NULL);
	const struct rows *rows = database_rows(load->database, ticket, why);
	if (rows == NULL)
		return database_failure(load->database, why);
	enum outcome outcome = read_requests(look, rows, why);
	for (const struct request *request = look->first_request; request != NULL; request = request->next)
		need_ending(load, request);
	mark_endings(load);
	return outcome;
}
