/* The rows of a batch in memory: finding, adding, counting. */
#include "state.h"

#include <assert.h>
#include <string.h>

#include "clock.h"

enum { WAITING_CAPACITY_FIRST = 64 };

struct state *state_new(struct arena *arena, const struct rules *rules, int64_t now)
{
	struct state *state = arena_new(arena, sizeof(*state));
	state->arena = arena;
	state->rules = rules;
	state->now = now;
	shelves_init(&state->shelves, arena);
	lookup_init(&state->services, arena);
	lookup_init(&state->banks, arena);
	lookup_init(&state->requests, arena);
	lookup_init(&state->bags, arena);
	lookup_init(&state->endings, arena);
	lookup_init(&state->patients, arena);
	return state;
}

struct request *state_request(const struct state *state, const char *request_id)
{
	return lookup_find(&state->requests, request_id);
}

struct request *state_add_request(struct state *state, const char *request_id)
{
	struct request *request = arena_new(state->arena, sizeof(*request));
	request->request_id = request_id;
	lookup_put(&state->requests, request_id, request);
	if (state->last_request == NULL)
		state->first_request = request;
	else
		state->last_request->next = request;
	state->last_request = request;
	return request;
}

void request_add_decision(struct state *state, struct request *request,
	const struct decision_record *decision)
{
	struct decision_record *record = arena_new(state->arena, sizeof(*record));
	*record = *decision;
	record->next = NULL;
	if (request->last_decision == NULL)
		request->decisions = record;
	else
		request->last_decision->next = record;
	request->last_decision = record;
}

const struct bloodbank_blood_approved *decision_approval(const struct decision_record *decision)
{
	return decision->event == BLOODBANK_BLOOD_APPROVED ? decision->content : NULL;
}

void request_touch(struct request *request)
{
	request->version++;
	request->is_changed = !request->is_new;
}

int64_t request_missing(const struct request *request)
{
	if (request->progress == PROGRESS_CANCELLED)
		return 0;
	return request->asked->quantity - request->allocated - request->lapsed;
}

static int64_t blind_o_negative_before(const struct state *state, const struct request *request)
{
	const struct patient *patient = request->asked->patient;
	if (patient == NULL || patient->ref == NULL)
		return request->blind_o_negative;
	const struct patient_record *record = lookup_find(&state->patients, patient->ref);
	return record == NULL ? 0 : record->blind_o_negative;
}

struct wanted state_wanted(const struct state *state, const struct request *request, bool is_followup)
{
	const struct service *service = lookup_find(&state->services, request->asked->hospital_id);
	return (struct wanted){
		.request = request->asked,
		.suppliers = service == NULL ? NULL : service->suppliers,
		.suppliers_count = service == NULL ? 0 : service->suppliers_count,
		.quantity = request_missing(request),
		.blind_o_negative_before = blind_o_negative_before(state, request),
		.is_facility_known = service != NULL,
		.is_followup = is_followup,
	};
}

struct ending *state_ending(struct state *state, const char *request_id)
{
	struct ending *ending = lookup_find(&state->endings, request_id);
	if (ending != NULL)
		return ending;
	ending = arena_new(state->arena, sizeof(*ending));
	*ending = (struct ending){ .next = state->first_ending, .request_id = request_id };
	state->first_ending = ending;
	lookup_put(&state->endings, request_id, ending);
	return ending;
}

bool state_is_ending(const struct state *state, const char *request_id)
{
	return lookup_find(&state->endings, request_id) != NULL;
}

void state_list_waiting(struct state *state, struct request *request)
{
	if (request->is_waiting_listed)
		return;
	if (state->waiting_count == state->waiting_capacity) {
		size_t capacity = state->waiting_capacity == 0 ? WAITING_CAPACITY_FIRST : state->waiting_capacity * 2;
		struct request **larger = arena_array(state->arena, capacity, sizeof(struct request *));
		if (state->waiting_count > 0)
			memcpy(larger, state->waiting, state->waiting_count * sizeof(struct request *));
		state->waiting = larger;
		state->waiting_capacity = capacity;
	}
	state->waiting[state->waiting_count++] = request;
	request->is_waiting_listed = true;
}

struct bag *state_bag(const struct state *state, const char *unit_id)
{
	return lookup_find(&state->bags, unit_id);
}

struct bag *state_add_bag(struct state *state, const struct unit *unit, enum unit_status before)
{
	struct bag *bag = arena_new(state->arena, sizeof(*bag));
	*bag = (struct bag){ .unit = *unit, .before = before, .status = before, .version = 1 };
	lookup_put(&state->bags, bag->unit.unit_id, bag);
	if (state->last_bag == NULL)
		state->first_bag = bag;
	else
		state->last_bag->next = bag;
	state->last_bag = bag;
	return bag;
}

static size_t find_bank(const struct state *state, const char *bank_id)
{
	const struct shelves *shelves = &state->shelves;
	size_t i = 0;
	while (i < shelves->banks_count && shelves->banks[i]->bank_id != bank_id
		&& strcmp(shelves->banks[i]->bank_id, bank_id) != 0)
		i++;
	return i;
}

struct line *state_line(const struct state *state, const char *bank_id, enum component component,
	enum blood_group group)
{
	size_t place = find_bank(state, bank_id);
	return place == state->shelves.banks_count ? NULL : state->lines[place][component][group];
}

struct line *state_add_line(struct state *state, const char *bank_id, enum component component,
	enum blood_group group)
{
	const struct bank *bank = shelves_bank(&state->shelves, bank_id);
	if (bank == NULL)
		return NULL;
	struct line *line = arena_new(state->arena, sizeof(*line));
	*line = (struct line){ .bank_id = bank->bank_id, .component = component, .group = group };
	state->lines[find_bank(state, bank->bank_id)][component][group] = line;
	if (state->last_line == NULL)
		state->first_line = line;
	else
		state->last_line->next = line;
	state->last_line = line;
	return line;
}

struct bin_line *line_bin(struct state *state, struct line *line, uint32_t profile)
{
	for (struct bin_line *bin = line->bins; bin != NULL; bin = bin->next)
		if (bin->profile == profile)
			return bin;
	struct bin_line *bin = arena_new(state->arena, sizeof(*bin));
	*bin = (struct bin_line){ .next = line->bins, .profile = profile, .is_new = true };
	line->bins = bin;
	return bin;
}

/*
 * Counts a unit in (+1) or out (-1) of what its status means for the stock. `expiring` is for information: an expiry that somebody
 * corrected by hand must not stop the bank.
 */
static void count(struct state *state, struct line *line, const struct bag *bag, int64_t change)
{
	if (bag->status == UNIT_STATUS_RESERVED)
		line->reserved += change;
	if (bag->status != UNIT_STATUS_AVAILABLE)
		return;
	line->available += change;
	line->is_taken_from = line->is_taken_from || change < 0;
	if (bag->unit.expires_at <= line->expiring_until)
		line->expiring = line->expiring + change > 0 ? line->expiring + change : 0;
	if (bag->unit.designated_for != NULL)
		return;
	struct bin_line *bin = line_bin(state, line, bag->unit.attributes);
	bin->available += change;
	bin->is_changed = true;
	line->undesignated += change;
}

void state_change_unit(struct state *state, struct bag *bag, enum unit_status status, const char *request_id,
	int64_t reserved_until)
{
	struct line *line = state_line(state, bag->unit.bank_id, bag->unit.component, bag->unit.group);
	assert(line != NULL && (status == UNIT_STATUS_RESERVED) == (request_id != NULL));
	count(state, line, bag, -1);
	bag->status = status;
	bag->request_id = request_id;
	bag->reserved_until = reserved_until;
	bag->is_changed = true;
	count(state, line, bag, +1);
	line->is_changed = true;
}

struct patient_record *state_patient(struct state *state, const char *patient_ref)
{
	struct patient_record *record = lookup_find(&state->patients, patient_ref);
	if (record == NULL) {
		record = arena_new(state->arena, sizeof(*record));
		lookup_put(&state->patients, patient_ref, record);
	}
	return record;
}
