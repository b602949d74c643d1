/*
 * Loading: locks first, then everything the locks protect, in two round trips (three with cancels, see cancel_load.c). A hospital's
 * requests lock the shelves (bank, component) of all its banks, in the order of the key; whoever holds them alone changes the units,
 * counters and waiting requests that belong there. Whether a request is there at all is said by its own lock, taken before those.
 */
#include "load.h"

#include "bloodbank.h"
#include "clock.h"
#include "demand.h"
#include "bloodbank_queries.h"
#include "rows.h"

enum {
	WAITING_FIRST = 128, /* back-orders of each component and urgency */
};

static int64_t waiting_limit(const struct batch *batch)
{
	int64_t limit = (int64_t)WAITING_FIRST << (DEMAND_DEEPER_SHIFT * batch->round);
	return limit < WAITING_MAX ? limit : WAITING_MAX;
}

int load_send(struct load *load, const struct query *query, const enum need_list lists[], size_t count,
	struct parameter *last)
{
	struct parameter parameters[NEED_LISTS + 1];
	for (size_t i = 0; i < count; i++)
		parameters[i] = load->need.lists[lists[i]]; /* borrowed */
	if (last != NULL)
		parameters[count] = *last;
	int ticket = database_send(load->database, query, parameters, count + (last != NULL));
	if (last != NULL)
		parameter_clear(last);
	return ticket;
}

static void send_shelves(struct load *load)
{
	static const enum need_list pairs[] = { NEED_HOSPITALS, NEED_HOSPITAL_COMPONENTS, NEED_BANKS,
		NEED_BANK_COMPONENTS };
	static const enum need_list facilities[] = { NEED_HOSPITALS, NEED_BANKS };
	struct parameter soon;
	parameter_init(&soon, PARAMETER_TIME, false);
	parameter_time(&soon, load->batch->now + HOURS_US(24));
	load->tickets.shelves = load_send(load, &shelf_lock, pairs, 4, NULL);
	load->tickets.stock = load_send(load, &stock_find, pairs, 4, &soon);
	load->tickets.bins = load_send(load, &bin_find, pairs, 4, NULL);
	load->tickets.services = load_send(load, &service_find, facilities, 2, NULL);
}

static void send_arrivals(struct load *load)
{
	static const enum need_list waiting[] = { NEED_BANKS, NEED_BANK_COMPONENTS, NEED_GROUPS };
	static const enum need_list banks[] = { NEED_BANKS };
	static const enum need_list units[] = { NEED_UNITS };
	struct parameter limit, now;
	parameter_init(&limit, PARAMETER_INT, false);
	parameter_int(&limit, waiting_limit(load->batch));
	parameter_init(&now, PARAMETER_TIME, false);
	parameter_time(&now, load->batch->now);
	load->tickets.waiting = load_send(load, &request_waiting, waiting, 3, &limit);
	load->tickets.banks = load_send(load, &bank_find, banks, 1, &now);
	load->tickets.units = load_send(load, &unit_find, units, 1, NULL);
}

static void send_first(struct load *load)
{
	static const enum need_list requests[] = { NEED_REQUESTS };
	load->tickets = (struct tickets){ -1, -1, -1, -1, -1, -1, -1, -1, -1 };
	send_shelves(load);
	if (need_has(&load->need, NEED_BANKS))
		send_arrivals(load);
	if (!need_has(&load->need, NEED_REQUESTS))
		return;
	load->tickets.requests = load_send(load, &request_find, requests, 1, NULL);
	load->tickets.tombstones = load_send(load, &tombstone_find, requests, 1, NULL);
}

/* NULL for what was not asked for; a failure shows in `outcome`. */
static const struct rows *receive(struct load *load, int ticket, enum outcome *outcome, struct why *why)
{
	if (ticket < 0 || *outcome != DONE)
		return NULL;
	const struct rows *rows = database_rows(load->database, ticket, why);
	if (rows == NULL)
		*outcome = database_failure(load->database, why);
	return rows;
}

typedef void reader_fn(struct state *state, const struct rows *rows);

static void receive_with(struct load *load, int ticket, reader_fn *reader, enum outcome *outcome,
	struct why *why)
{
	const struct rows *rows = receive(load, ticket, outcome, why);
	if (rows != NULL)
		reader(load->state, rows);
}

static enum outcome receive_first(struct load *load, struct why *why)
{
	const struct tickets *tickets = &load->tickets;
	enum outcome outcome = DONE;
	const struct rows *rows = receive(load, tickets->shelves, &outcome, why);
	if (rows != NULL)
		outcome = read_shelves(load->state, rows, why);
	receive_with(load, tickets->stock, read_stock, &outcome, why);
	receive_with(load, tickets->bins, read_bins, &outcome, why);
	receive_with(load, tickets->services, read_services, &outcome, why);
	rows = receive(load, tickets->waiting, &outcome, why);
	if (rows != NULL)
		outcome = read_waiting(load->state, rows, waiting_limit(load->batch), why);
	receive_with(load, tickets->banks, read_banks, &outcome, why);
	receive_with(load, tickets->units, read_units, &outcome, why);
	rows = receive(load, tickets->requests, &outcome, why);
	if (rows != NULL)
		outcome = read_requests(load->state, rows, why);
	receive_with(load, tickets->tombstones, read_tombstones, &outcome, why);
	return outcome;
}

/* A request of this batch that isn't in the database, as the allocator will be asked. */
static struct wanted wanted_new(const struct state *state, const struct hospital_blood_requested *asked)
{
	const struct request request = { .asked = asked };
	return state_wanted(state, &request, false);
}

static size_t collect_wanted(const struct load *load, struct wanted wanted[])
{
	const struct state *state = load->state;
	size_t count = 0;
	for (size_t i = 0; i < load->batch->count; i++) {
		const struct message *message = load->batch->messages[i];
		if (message->event != HOSPITAL_BLOOD_REQUESTED)
			continue;
		const struct hospital_blood_requested *asked = message->body;
		if (state_request(state, asked->request_id) == NULL)
			wanted[count++] = wanted_new(state, asked);
	}
	for (const struct request *request = state->first_request; request != NULL; request = request->next)
		if (request->progress == PROGRESS_WAITING || request->progress == PROGRESS_SCHEDULED)
			wanted[count++] = state_wanted(state, request, request->progress == PROGRESS_WAITING);
	return count;
}

static size_t count_requests(const struct state *state)
{
	size_t count = 0;
	for (const struct request *request = state->first_request; request != NULL; request = request->next)
		count++;
	return count;
}

static void find_demand(struct load *load)
{
	struct state *state = load->state;
	struct wanted *wanted =
		arena_array(state->arena, load->batch->count + count_requests(state), sizeof(*wanted));
	size_t count = collect_wanted(load, wanted);
	demand_batch(state->rules, wanted, count, state->now, state->arena, &state->shelves);
	if (load->batch->round > 0)
		demand_deeper(&state->shelves, load->batch->round);
}

/* What one statement loads: the bins in the order in which they are asked for. */
struct search {
	const struct bin **bins;
	int ticket;
};

static size_t count_bins(const struct state *state)
{
	size_t count = 0;
	for (const struct bin *bin = state->shelves.bins; bin != NULL; bin = bin->next_of_all)
		count++;
	return count;
}

static struct search send_search(struct load *load, const struct query *query, enum shelf_order order)
{
	struct search search = { .ticket = -1 };
	struct parameter parameters[5];
	size_t count = 0;
	search.bins = arena_array(load->state->arena, count_bins(load->state), sizeof(struct bin *));
	parameters_arrays(parameters, "tttii");
	for (struct bin *bin = load->state->shelves.bins; bin != NULL; bin = bin->next_of_all) {
		if (bin->queues[order].asked == 0 || bin->available_count <= 0)
			continue;
		search.bins[count++] = bin;
		parameter_text(&parameters[0], bin->shelf->bank->bank_id);
		parameter_text(&parameters[1], component_name(bin->shelf->component));
		parameter_text(&parameters[2], blood_group_name(bin->shelf->group));
		parameter_int(&parameters[3], bin->attributes);
		parameter_int(&parameters[4], (int64_t)bin->queues[order].asked);
	}
	if (count > 0)
		search.ticket = database_send(load->database, query, parameters, 5);
	parameters_clear(parameters, 5);
	return search;
}

static enum outcome load_candidates(struct load *load, struct why *why)
{
	static const enum need_list patients[] = { NEED_PATIENTS };
	static const enum need_list blind_patients[] = { NEED_BLIND_PATIENTS };
	enum outcome outcome = DONE;
	find_demand(load);
	struct search oldest = send_search(load, &unit_oldest, OLDEST_FIRST);
	struct search freshest = send_search(load, &unit_freshest, FRESHEST_FIRST);
	int designated = -1, blind = -1;
	if (need_has(&load->need, NEED_PATIENTS))
		designated = load_send(load, &unit_designated, patients, 1, NULL);
	if (need_has(&load->need, NEED_BLIND_PATIENTS))
		blind = load_send(load, &blind_count, blind_patients, 1, NULL);
	const struct rows *rows = receive(load, oldest.ticket, &outcome, why);
	if (rows != NULL)
		read_candidates(load->state, rows, oldest.bins, OLDEST_FIRST);
	rows = receive(load, freshest.ticket, &outcome, why);
	if (rows != NULL)
		read_candidates(load->state, rows, freshest.bins, FRESHEST_FIRST);
	receive_with(load, designated, read_designated, &outcome, why);
	receive_with(load, blind, read_blind, &outcome, why);
	shelves_ready(&load->state->shelves, load->state->now);
	return outcome;
}

void load_start(struct load *load, struct batch *batch, struct database *database)
{
	*load = (struct load){ .batch = batch, .database = database };
	load->state = state_new(batch->arena, &rules_default, batch->now);
	need_init(&load->need, batch->arena);
	batch->state = load->state;
	batch->wants_more = false;
}

/* The patients of waiting and due requests are known only after the first round trip. */
enum outcome load_finish(struct load *load, struct why *why)
{
	need_finish(&load->need);
	send_first(load);
	enum outcome outcome = receive_first(load, why);
	for (const struct request *request = load->state->first_request; request != NULL; request = request->next)
		need_patient(&load->need, request->asked);
	if (outcome == DONE)
		outcome = load_candidates(load, why);
	need_clear(&load->need);
	return outcome;
}

enum outcome load_batch(struct batch *batch, struct database *database, struct why *why)
{
	static const enum need_list requests[] = { NEED_REQUESTS };
	struct load load;
	enum outcome outcome = DONE;
	load_start(&load, batch, database);
	for (size_t i = 0; i < batch->count; i++)
		need_message(&load.need, load.state->rules, batch->messages[i]);
	if (need_has(&load.need, NEED_REQUESTS))
		load_send(&load, &request_lock, requests, 1, NULL);
	if (need_has(&load.need, NEED_CANCELLED))
		outcome = load_cancelled(&load, why);
	if (outcome == DONE)
		return load_finish(&load, why);
	need_clear(&load.need);
	return outcome;
}
