/* Writing a batch's changes, each kind of row with one statement. */
#include <string.h>

#include "bloodbank.h"
#include "bloodbank_queries.h"
#include "state.h"

static const char *const progress_names[] = {
	[PROGRESS_SCHEDULED] = "scheduled",
	[PROGRESS_WAITING] = "waiting",
	[PROGRESS_SETTLED] = "settled",
	[PROGRESS_REJECTED] = "rejected",
	[PROGRESS_CANCELLED] = "cancelled",
};

enum { STORE_PARAMETERS_MAX = 24 };

/* One statement under way: its parameters are arrays, one element of each for every row. */
struct writing {
	const struct query *query;
	struct parameter parameters[STORE_PARAMETERS_MAX];
	size_t parameters_count;
	int64_t rows;
};

static void writing_init(struct writing *writing, const struct query *query, const char *letters)
{
	writing->query = query;
	writing->parameters_count = strlen(letters);
	writing->rows = 0;
	parameters_arrays(writing->parameters, letters);
}

static void writing_send(struct writing *writing, struct database *database)
{
	if (writing->rows > 0)
		database_send(database, writing->query, writing->parameters, writing->parameters_count);
	parameters_clear(writing->parameters, writing->parameters_count);
}

/* Only those asked blindly are ever looked up by their patient. */
static const char *blind_patient(const struct request *request)
{
	return request->asked->group == BLOOD_GROUP_UNKNOWN && request->asked->patient != NULL
		? request->asked->patient->ref
		: NULL;
}

static void add_request(struct writing *writing, const struct request *request)
{
	struct parameter *parameters = writing->parameters;
	const struct hospital_blood_requested *asked = request->asked;
	parameter_uuid(parameters++, request->request_id);
	parameter_text(parameters++, asked->hospital_id);
	parameter_text(parameters++, component_name(asked->component));
	parameter_text(parameters++, blood_group_name(asked->group));
	parameter_text(parameters++, urgency_name(asked->urgency));
	parameter_int(parameters++, asked->quantity);
	parameter_int(parameters++, request->allocated);
	parameter_int(parameters++, request->blind_o_negative);
	parameter_text(parameters++, blind_patient(request));
	parameter_text(parameters++, progress_names[request->progress]);
	parameter_int(parameters++, request->allocation_no);
	parameter_int(parameters++, request->version);
	parameter_time(parameters++, request->received_at);
	if (request->progress == PROGRESS_SCHEDULED)
		parameter_time(parameters++, request->allocate_at);
	else
		parameter_null(parameters++);
	parameter_text(parameters++, request->origin.correlation_id);
	parameter_text(parameters++, request->origin.traceparent);
	parameter_text(parameters++, request->body);
	writing->rows++;
}

static void store_new_requests(const struct state *state, struct database *database)
{
	struct writing writing;
	writing_init(&writing, &request_insert, "uttttiiittiizzttt");
	for (const struct request *request = state->first_request; request != NULL; request = request->next)
		if (request->is_new)
			add_request(&writing, request);
	writing_send(&writing, database);
}

static void store_changed_requests(const struct state *state, struct database *database)
{
	struct writing writing;
	writing_init(&writing, &request_update, "utiiiii");
	for (const struct request *request = state->first_request; request != NULL; request = request->next) {
		if (!request->is_changed)
			continue;
		struct parameter *parameters = writing.parameters;
		parameter_uuid(parameters++, request->request_id);
		parameter_text(parameters++, progress_names[request->progress]);
		parameter_int(parameters++, request->allocated);
		parameter_int(parameters++, request->lapsed);
		parameter_int(parameters++, request->blind_o_negative);
		parameter_int(parameters++, request->allocation_no);
		parameter_int(parameters++, request->version);
		writing.rows++;
	}
	writing_send(&writing, database);
}

static void store_tombstones(const struct state *state, struct database *database)
{
	struct writing writing;
	writing_init(&writing, &tombstone_insert, "uz");
	for (const struct ending *ending = state->first_ending; ending != NULL; ending = ending->next) {
		if (!ending->is_new)
			continue;
		parameter_uuid(&writing.parameters[0], ending->request_id);
		parameter_time(&writing.parameters[1], state->now);
		writing.rows++;
	}
	writing_send(&writing, database);
}

static void add_decisions(struct writing *writing, const struct request *request)
{
	for (const struct decision_record *record = request->decisions; record != NULL; record = record->next) {
		if (!record->is_new)
			continue;
		parameter_uuid(&writing->parameters[0], request->request_id);
		parameter_int(&writing->parameters[1], record->version);
		parameter_text(&writing->parameters[2], event_type(record->event)->name);
		parameter_text(&writing->parameters[3], record->body);
		writing->rows++;
	}
}

static void store_decisions(const struct state *state, struct database *database)
{
	struct writing writing;
	writing_init(&writing, &decision_insert, "uitt");
	for (const struct request *request = state->first_request; request != NULL; request = request->next)
		add_decisions(&writing, request);
	writing_send(&writing, database);
}

/* The text form of an array: every item quoted. */
static const char *array_text(const struct state *state, const char *const *items, size_t count)
{
	struct buffer text = { 0 };
	buffer_add_byte(&text, '{');
	for (size_t i = 0; i < count; i++) {
		buffer_add_text(&text, i == 0 ? "\"" : ",\"");
		for (const char *at = items[i]; *at != '\0'; at++) {
			if (*at == '"' || *at == '\\')
				buffer_add_byte(&text, '\\');
			buffer_add_byte(&text, (unsigned char)*at);
		}
		buffer_add_byte(&text, '"');
	}
	buffer_add_byte(&text, '}');
	const char *kept = arena_bytes(state->arena, text.data, text.length_bytes);
	buffer_clear(&text);
	return kept;
}

static void add_reservation(struct parameter *request_id, struct parameter *reserved_until,
	const struct bag *bag)
{
	parameter_uuid(request_id, bag->request_id);
	if (bag->status == UNIT_STATUS_RESERVED)
		parameter_time(reserved_until, bag->reserved_until);
	else
		parameter_null(reserved_until);
}

static void add_unit(const struct state *state, struct writing *writing, const struct bag *bag)
{
	struct parameter *parameters = writing->parameters;
	const struct stored_unit *facts = bag->facts;
	parameter_text(parameters++, bag->unit.unit_id);
	parameter_text(parameters++, facts->din);
	parameter_text(parameters++, facts->product_code);
	parameter_text(parameters++, facts->division);
	parameter_text(parameters++, bag->unit.bank_id);
	parameter_text(parameters++, component_name(facts->component));
	parameter_text(parameters++, blood_group_name(facts->group));
	parameter_int(parameters++, bag->unit.attributes);
	parameter_text(parameters++, unit_status_name(bag->status));
	add_reservation(parameters, parameters + 1, bag);
	parameters += 2;
	parameter_time(parameters++, facts->collected_at);
	parameter_time(parameters++, facts->expires_at);
	if (facts->has_volume_ml)
		parameter_int(parameters++, facts->volume_ml);
	else
		parameter_null(parameters++);
	parameter_text(parameters++, unit_status_name(facts->initial_status));
	parameter_text(parameters++, array_text(state, facts->attributes, facts->attributes_count));
	parameter_text(parameters++, array_text(state, facts->antigens, facts->antigens_count));
	parameter_text(parameters++, array_text(state, facts->parents, facts->parents_count));
	parameter_text(parameters++, facts->designated_for);
	parameter_text(parameters++, facts->anticoagulant);
	parameter_text(parameters++, facts->additive);
	parameter_text(parameters++, facts->batch);
	parameter_text(parameters++, facts->donor_ref);
	writing->rows++;
}

static void store_new_units(const struct state *state, struct database *database)
{
	struct writing writing;
	writing_init(&writing, &unit_insert, "tttttttituzzzittttttttt");
	for (const struct bag *bag = state->first_bag; bag != NULL; bag = bag->next)
		if (bag->before == 0)
			add_unit(state, &writing, bag);
	writing_send(&writing, database);
}

/* A unit that came free and was given on in one batch has the same status as before, but another owner. */
static void store_changed_units(const struct state *state, struct database *database)
{
	struct writing writing;
	writing_init(&writing, &unit_update, "tttuz");
	for (const struct bag *bag = state->first_bag; bag != NULL; bag = bag->next) {
		if (bag->before == 0 || !bag->is_changed)
			continue;
		parameter_text(&writing.parameters[0], bag->unit.unit_id);
		parameter_text(&writing.parameters[1], unit_status_name(bag->before));
		parameter_text(&writing.parameters[2], unit_status_name(bag->status));
		add_reservation(&writing.parameters[3], &writing.parameters[4], bag);
		writing.rows++;
	}
	writing_send(&writing, database);
}

static void add_key(struct writing *writing, const struct line *line)
{
	parameter_text(&writing->parameters[0], line->bank_id);
	parameter_text(&writing->parameters[1], component_name(line->component));
	parameter_text(&writing->parameters[2], blood_group_name(line->group));
	writing->rows++;
}

static void add_bins(struct writing *changed, struct writing *added, const struct line *line)
{
	for (const struct bin_line *bin = line->bins; bin != NULL; bin = bin->next) {
		if (!bin->is_changed)
			continue;
		struct writing *writing = bin->is_new ? added : changed;
		add_key(writing, line);
		parameter_int(&writing->parameters[3], bin->profile);
		parameter_int(&writing->parameters[4], bin->available);
	}
}

struct counters {
	struct writing stock, bins, new_bins;
};

static void add_line(struct counters *counters, const struct line *line)
{
	add_key(&counters->stock, line);
	parameter_int(&counters->stock.parameters[3], line->available);
	parameter_int(&counters->stock.parameters[4], line->reserved);
	parameter_int(&counters->stock.parameters[5], line->expiring);
	parameter_time(&counters->stock.parameters[6], line->expiring_until);
	parameter_int(&counters->stock.parameters[7], line->version);
	parameter_text(&counters->stock.parameters[8], stock_level_name(line->level));
	add_bins(&counters->bins, &counters->new_bins, line);
}

static void store_counters(const struct state *state, struct database *database)
{
	struct counters counters;
	writing_init(&counters.stock, &stock_update, "tttiiizit");
	writing_init(&counters.bins, &bin_update, "tttii");
	writing_init(&counters.new_bins, &bin_insert, "tttii");
	for (const struct line *line = state->first_line; line != NULL; line = line->next)
		if (line->is_changed)
			add_line(&counters, line);
	writing_send(&counters.stock, database);
	writing_send(&counters.bins, database);
	writing_send(&counters.new_bins, database);
}

enum outcome store_batch(struct batch *batch, struct database *database, struct why *why)
{
	const struct state *state = batch->state;
	(void)why;
	store_new_requests(state, database);
	store_changed_requests(state, database);
	store_tombstones(state, database);
	store_decisions(state, database);
	store_new_units(state, database);
	store_changed_units(state, database);
	store_counters(state, database);
	return DONE;
}
