/* Reading rows into the state. */
#include "rows.h"

#include <string.h>

#include "clock.h"
#include "request_body.h"
#include "schema.h"

static enum component component_at(const struct state *state, const struct rows *rows, size_t row,
	unsigned column)
{
	return component_find(rows_text(rows, row, column, state->arena));
}

static enum blood_group group_at(const struct state *state, const struct rows *rows, size_t row,
	unsigned column)
{
	return blood_group_find(rows_text(rows, row, column, state->arena));
}

/* The line that a row's first three columns name; NULL when its shelf isn't locked. */
static struct line *line_at(const struct state *state, const struct rows *rows, size_t row)
{
	const char *bank_id = rows_text(rows, row, 0, state->arena);
	return state_line(state, bank_id, component_at(state, rows, row, 1), group_at(state, rows, row, 2));
}

enum outcome read_shelves(struct state *state, const struct rows *rows, struct why *why)
{
	for (size_t row = 0; row < rows_count(rows); row++)
		if (shelves_bank(&state->shelves, rows_text(rows, row, 0, state->arena)) == NULL)
			return reject(why, "too_many_banks", "one batch reaches more than %d banks", BANKS_MAX);
	return DONE;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The clocks of two processes differ: the counter never goes back. */
void read_stock(struct state *state, const struct rows *rows)
{
	for (size_t row = 0; row < rows_count(rows); row++) {
		struct line *line = state_add_line(state, rows_text(rows, row, 0, state->arena),
			component_at(state, rows, row, 1), group_at(state, rows, row, 2));
		if (line == NULL)
			continue;
		line->available = rows_int(rows, row, 3);
		line->reserved = rows_int(rows, row, 4);
		line->version = rows_int(rows, row, 5);
		line->demand_28_days = rows_int(rows, row, 6);
		line->expiring_until = later(rows_time(rows, row, 7), state->now + HOURS_US(24));
		line->expiring = rows_int(rows, row, 8);
		line->level = stock_level_find(rows_text(rows, row, 9, state->arena));
	}
}

void read_bins(struct state *state, const struct rows *rows)
{
	for (size_t row = 0; row < rows_count(rows); row++) {
		struct line *line = line_at(state, rows, row);
		if (line == NULL)
			continue;
		struct bin_line *bin_line = line_bin(state, line, (uint32_t)rows_int(rows, row, 3));
		bin_line->available = rows_int(rows, row, 4);
		bin_line->is_new = false;
		line->undesignated += bin_line->available;
		struct bank *bank = shelves_bank(&state->shelves, line->bank_id);
		struct bin *bin =
			shelves_bin(&state->shelves, bank, line->component, line->group, bin_line->profile, NULL);
		bin_count(bin, bin_line->available);
	}
}

static struct service *service_of(struct state *state, const char *hospital_id, size_t banks_max)
{
	struct service *service = lookup_find(&state->services, hospital_id);
	if (service != NULL)
		return service;
	service = arena_new(state->arena, sizeof(*service));
	service->hospital_id = hospital_id;
	service->suppliers = arena_array(state->arena, banks_max, sizeof(struct supplier));
	lookup_put(&state->services, hospital_id, service);
	return service;
}

static struct bank *locked_bank(const struct state *state, const char *bank_id)
{
	for (size_t i = 0; i < state->shelves.banks_count; i++)
		if (strcmp(state->shelves.banks[i]->bank_id, bank_id) == 0)
			return state->shelves.banks[i];
	return NULL;
}

/* A hospital without banks has one row, with no bank. */
void read_services(struct state *state, const struct rows *rows)
{
	for (size_t row = 0; row < rows_count(rows); row++) {
		struct service *service = service_of(state, rows_text(rows, row, 0, state->arena), BANKS_MAX);
		if (rows_is_null(rows, row, 1))
			continue;
		struct bank *bank = locked_bank(state, rows_text(rows, row, 1, state->arena));
		if (bank != NULL && service->suppliers_count < BANKS_MAX)
			service->suppliers[service->suppliers_count++] =
				(struct supplier){ bank, rows_int(rows, row, 2) * 1000 };
	}
}

void read_banks(struct state *state, const struct rows *rows)
{
	for (size_t row = 0; row < rows_count(rows); row++) {
		struct bank_facts *facts = arena_new(state->arena, sizeof(*facts));
		facts->utc_offset_s = (int32_t)rows_int(rows, row, 1);
		lookup_put(&state->banks, rows_text(rows, row, 0, state->arena), facts);
	}
}

void read_tombstones(struct state *state, const struct rows *rows)
{
	for (size_t row = 0; row < rows_count(rows); row++)
		state_ending(state, rows_uuid(rows, row, 0, state->arena))->is_buried = true;
}

void read_blind(struct state *state, const struct rows *rows)
{
	for (size_t row = 0; row < rows_count(rows); row++)
		state_patient(state, rows_text(rows, row, 0, state->arena))->blind_o_negative =
			rows_int(rows, row, 1);
}

static enum progress progress_find(const char *name)
{
	static const char *const names[] = {
		[PROGRESS_SCHEDULED] = "scheduled",
		[PROGRESS_WAITING] = "waiting",
		[PROGRESS_SETTLED] = "settled",
		[PROGRESS_REJECTED] = "rejected",
		[PROGRESS_CANCELLED] = "cancelled",
	};
	enum progress progress = PROGRESS_SCHEDULED;
	while (progress < PROGRESS_CANCELLED && strcmp(names[progress], name) != 0)
		progress++;
	return progress;
}

/* The request of a row, found or added; NULL: its body isn't what our schema allows. */
static struct request *request_at(struct state *state, const struct rows *rows, size_t row, struct why *why)
{
	const char *request_id = rows_uuid(rows, row, 0, state->arena);
	struct request *request = state_request(state, request_id);
	if (request != NULL)
		return request;
	const char *body = rows_text(rows, row, 11, state->arena);
	const struct hospital_blood_requested *asked;
	if (!request_body_read(body, state->arena, &asked, why))
		return NULL;
	request = state_add_request(state, request_id);
	request->asked = asked;
	request->body = body;
	request->progress = progress_find(rows_text(rows, row, 1, state->arena));
	request->allocated = rows_int(rows, row, 2);
	request->lapsed = rows_int(rows, row, 3);
	request->blind_o_negative = rows_int(rows, row, 4);
	request->allocation_no = rows_int(rows, row, 5);
	request->version = rows_int(rows, row, 6);
	request->received_at = rows_time(rows, row, 7);
	request->allocate_at = rows_time(rows, row, 8);
	request->origin.correlation_id = rows_text(rows, row, 9, state->arena);
	request->origin.traceparent = rows_text(rows, row, 10, state->arena);
	return request;
}

static bool read_decision(struct state *state, struct request *request, const struct rows *rows, size_t row,
	struct why *why)
{
	enum { VERSION = 12, EVENT, BODY };
	if (rows_is_null(rows, row, VERSION))
		return true;
	enum event event = event_find(rows_text(rows, row, EVENT, state->arena));
	const char *body = rows_text(rows, row, BODY, state->arena);
	void *content;
	if (!schema_read(event_type(event)->schema, body, strlen(body), state->arena, &content, why))
		return false;
	request_add_decision(state, request,
		&(struct decision_record){
			.event = event,
			.version = rows_int(rows, row, VERSION),
			.body = body,
			.content = content,
		});
	return true;
}

enum outcome read_requests(struct state *state, const struct rows *rows, struct why *why)
{
	for (size_t row = 0; row < rows_count(rows); row++) {
		struct request *request = request_at(state, rows, row, why);
		if (request == NULL || !read_decision(state, request, rows, row, why))
			return stop(why, "stored_body", "a kept request or decision can't be read: %s", why->text);
	}
	return DONE;
}

enum outcome read_waiting(struct state *state, const struct rows *rows, int64_t limit, struct why *why)
{
	int64_t counts[COMPONENTS][URGENCIES] = { { 0 } };
	for (size_t row = 0; row < rows_count(rows); row++) {
		struct request *request = request_at(state, rows, row, why);
		if (request == NULL)
			return stop(why, "stored_body", "a kept request can't be read: %s", why->text);
		state_list_waiting(state, request);
		if (++counts[request->asked->component][request->asked->urgency] == limit && limit < WAITING_MAX)
			state->is_waiting_truncated = true;
	}
	return DONE;
}

static struct stored_unit *facts_at(const struct state *state, const struct rows *rows, size_t row)
{
	enum {
		COLLECTED_AT = 8,
		EXPIRES_AT,
		DIN = 11,
		PRODUCT,
		DIVISION,
		VOLUME,
		INITIAL,
		ATTRIBUTE_LIST,
		ANTIGEN_LIST,
		PARENT_LIST,
		DESIGNATED,
		ANTICOAGULANT,
		ADDITIVE,
		BATCH,
		DONOR
	};
	struct arena *arena = state->arena;
	struct stored_unit *facts = arena_new(arena, sizeof(*facts));
	*facts = (struct stored_unit){
		.din = rows_text(rows, row, DIN, arena),
		.product_code = rows_text(rows, row, PRODUCT, arena),
		.division = rows_text(rows, row, DIVISION, arena),
		.component = component_at(state, rows, row, 2),
		.group = group_at(state, rows, row, 3),
		.collected_at = rows_time(rows, row, COLLECTED_AT),
		.expires_at = rows_time(rows, row, EXPIRES_AT),
		.volume_ml = rows_int(rows, row, VOLUME),
		.has_volume_ml = !rows_is_null(rows, row, VOLUME),
		.initial_status = unit_status_find(rows_text(rows, row, INITIAL, arena)),
		.anticoagulant = rows_text(rows, row, ANTICOAGULANT, arena),
		.additive = rows_text(rows, row, ADDITIVE, arena),
		.batch = rows_text(rows, row, BATCH, arena),
		.donor_ref = rows_text(rows, row, DONOR, arena),
		.designated_for = rows_text(rows, row, DESIGNATED, arena),
	};
	facts->attributes = rows_texts(rows, row, ATTRIBUTE_LIST, &facts->attributes_count, arena);
	facts->antigens = rows_texts(rows, row, ANTIGEN_LIST, &facts->antigens_count, arena);
	facts->parents = rows_texts(rows, row, PARENT_LIST, &facts->parents_count, arena);
	return facts;
}

static void read_unit(struct state *state, const struct rows *rows, size_t row)
{
	struct stored_unit *facts = facts_at(state, rows, row);
	facts->unit_id = rows_text(rows, row, 0, state->arena);
	facts->status = unit_status_find(rows_text(rows, row, 5, state->arena));
	const struct unit unit = {
		.unit_id = facts->unit_id,
		.bank_id = rows_text(rows, row, 1, state->arena),
		.designated_for = facts->designated_for,
		.antigens = facts->antigens,
		.antigens_count = facts->antigens_count,
		.codes = facts->attributes,
		.codes_count = facts->attributes_count,
		.collected_at = facts->collected_at,
		.expires_at = facts->expires_at,
		.attributes = (uint32_t)rows_int(rows, row, 4),
		.component = facts->component,
		.group = facts->group,
	};
	struct bag *bag = state_add_bag(state, &unit, facts->status);
	bag->facts = facts;
	bag->request_id = rows_uuid(rows, row, 6, state->arena);
	bag->reserved_until = rows_time(rows, row, 7);
	bag->version = rows_int(rows, row, 10);
}

void read_units(struct state *state, const struct rows *rows)
{
	for (size_t row = 0; row < rows_count(rows); row++)
		read_unit(state, rows, row);
}

/* The columns that follow each other from `first` on, the same in both statements. */
static void read_candidate(struct unit *unit, const struct state *state, const struct rows *rows, size_t row,
	unsigned first)
{
	unit->unit_id = rows_text(rows, row, first, state->arena);
	unit->collected_at = rows_time(rows, row, first + 1);
	unit->expires_at = rows_time(rows, row, first + 2);
	unit->codes = rows_texts(rows, row, first + 3, &unit->codes_count, state->arena);
	unit->antigens = rows_texts(rows, row, first + 4, &unit->antigens_count, state->arena);
}

void read_candidates(struct state *state, const struct rows *rows, const struct bin *const bins[],
	enum shelf_order order)
{
	for (size_t row = 0; row < rows_count(rows); row++) {
		const struct bin *bin = bins[rows_int(rows, row, 0) - 1];
		struct unit unit = {
			.bank_id = bin->shelf->bank->bank_id,
			.component = bin->shelf->component,
			.group = bin->shelf->group,
			.attributes = bin->attributes,
		};
		read_candidate(&unit, state, rows, row, 1);
		shelves_add(&state->shelves, &unit, order);
	}
}

/* They come in both orders: each queue of a designated bin holds all of it. */
void read_designated(struct state *state, const struct rows *rows)
{
	for (size_t row = 0; row < rows_count(rows); row++) {
		struct unit unit = {
			.bank_id = rows_text(rows, row, 0, state->arena),
			.component = component_at(state, rows, row, 1),
			.group = group_at(state, rows, row, 2),
			.attributes = (uint32_t)rows_int(rows, row, 3),
			.designated_for = rows_text(rows, row, 4, state->arena),
		};
		read_candidate(&unit, state, rows, row, 5);
		if (state_line(state, unit.bank_id, unit.component, unit.group) == NULL)
			continue;
		shelves_add(&state->shelves, &unit, OLDEST_FIRST);
		shelves_add(&state->shelves, &unit, FRESHEST_FIRST);
	}
}
