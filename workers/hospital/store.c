/* Changed requests to rows: one statement for each table. */
#include "store.h"

#include "hospital_queries.h"

static void add_time(struct parameter *parameter, bool is_there, int64_t time_us)
{
	if (is_there)
		parameter_time(parameter, time_us);
	else
		parameter_null(parameter);
}

static void add_request(struct parameter column[], const struct request *request)
{
	parameter_uuid(&column[0], request->request_id);
	parameter_int(&column[1], request->version);
	parameter_text(&column[2], request_status_name(request->status));
	parameter_text(&column[3], request->content);
	parameter_text(&column[4], request->order_id);
	parameter_text(&column[5], request->hospital_id);
	parameter_text(&column[6], component_name(request->component));
	parameter_text(&column[7], blood_group_name(request->group));
	parameter_text(&column[8], urgency_name(request->urgency));
	if (request->quantity > 0)
		parameter_int(&column[9], request->quantity);
	else
		parameter_null(&column[9]);
	add_time(&column[10], request->has_needed_at, request->needed_at);
	add_time(&column[11], request->has_requested_at, request->requested_at);
	parameter_bool(&column[12], request->is_scheduled);
	parameter_text(&column[13], rejection_name(request->reason));
	parameter_text(&column[14], request->detail);
	add_time(&column[15], request->reason != REJECTION_NONE, request->rejected_at);
	parameter_text(&column[16], request->correlation_id);
	parameter_text(&column[17], request->traceparent);
}

/* New ones, or changed ones: these without the last two columns, which never change. */
static void store_requests(const struct requests *requests, struct database *database, bool is_stored)
{
	enum { COLUMNS = 18, CHANGING_COLUMNS = 16 };
	struct parameter column[COLUMNS];
	parameters_arrays(column,
		"uittttttt"
		"izzb"
		"ttztt");
	for (size_t i = 0; i < requests->count; i++)
		if (requests->items[i].is_changed && requests->items[i].is_stored == is_stored)
			add_request(column, &requests->items[i]);
	if (column[0].count > 0)
		database_send(database, is_stored ? &request_change : &request_add, column,
			is_stored ? CHANGING_COLUMNS : COLUMNS);
	parameters_clear(column, COLUMNS);
}

/* Adds the rows of one new allocation to the columns of a table. */
typedef void add_allocation_fn(struct parameter column[], const char *request_id,
	const struct allocation *allocation);

static void add_allocation(struct parameter column[], const char *request_id,
	const struct allocation *allocation)
{
	parameter_uuid(&column[0], request_id);
	parameter_int(&column[1], allocation->allocation_no);
	parameter_text(&column[2], decision_name(allocation->decision));
	parameter_int(&column[3], allocation->quantity_requested);
	parameter_int(&column[4], allocation->backordered);
	parameter_text(&column[5], allocation->rules_version);
	parameter_time(&column[6], allocation->decided_at);
}

static void add_units(struct parameter column[], const char *request_id, const struct allocation *allocation)
{
	for (size_t i = 0; i < allocation->units_count; i++) {
		const struct allocated_unit *unit = &allocation->units[i];
		parameter_uuid(&column[0], request_id);
		parameter_int(&column[1], allocation->allocation_no);
		parameter_int(&column[2], (int64_t)i);
		parameter_text(&column[3], unit->unit_id);
		parameter_text(&column[4], unit->bank_id);
		parameter_text(&column[5], component_name(unit->component));
		parameter_text(&column[6], blood_group_name(unit->group));
		parameter_time(&column[7], unit->expires_at);
		add_time(&column[8], unit->has_reserved_until, unit->reserved_until);
		parameter_text(&column[9], match_status_name(unit->match_status));
	}
}

static void add_warnings(struct parameter column[], const char *request_id,
	const struct allocation *allocation)
{
	for (size_t i = 0; i < allocation->warnings_count; i++) {
		parameter_uuid(&column[0], request_id);
		parameter_int(&column[1], allocation->allocation_no);
		parameter_int(&column[2], (int64_t)i);
		parameter_text(&column[3], warning_code_name(allocation->warnings[i].code));
		parameter_text(&column[4], allocation->warnings[i].detail);
	}
}

static const struct {
	const struct query *query;
	const char *columns;
	size_t column_count;
	add_allocation_fn *add;
} allocation_tables[] = {
	{ &allocation_add, "uitiitz", 7, add_allocation },
	{ &unit_add, "uiittttzzt", 10, add_units },
	{ &warning_add, "uiitt", 5, add_warnings },
};

static void store_allocations(const struct requests *requests, struct database *database)
{
	for (size_t t = 0; t < sizeof(allocation_tables) / sizeof(allocation_tables[0]); t++) {
		struct parameter column[DATABASE_PARAMETERS_MAX];
		parameters_arrays(column, allocation_tables[t].columns);
		for (size_t i = 0; i < requests->count; i++)
			for (const struct allocation *next = requests->items[i].allocations; next != NULL;
				 next = next->next)
				if (next->is_new)
					allocation_tables[t].add(column, requests->items[i].request_id, next);
		if (column[0].count > 0)
			database_send(database, allocation_tables[t].query, column, allocation_tables[t].column_count);
		parameters_clear(column, allocation_tables[t].column_count);
	}
}

static void add_release(struct parameter column[], const char *request_id, const struct release *release)
{
	parameter_uuid(&column[0], request_id);
	parameter_text(&column[1], release->unit_id);
	parameter_time(&column[2], release->released_at);
	parameter_text(&column[3], release_reason_name(release->reason));
	if (release->has_backordered)
		parameter_int(&column[4], release->backordered);
	else
		parameter_null(&column[4]);
}

static void store_releases(const struct requests *requests, struct database *database)
{
	enum { COLUMNS = 5 };
	struct parameter column[COLUMNS];
	parameters_arrays(column, "utzti");
	for (size_t i = 0; i < requests->count; i++)
		for (const struct release *next = requests->items[i].releases; next != NULL; next = next->next)
			if (next->is_new)
				add_release(column, requests->items[i].request_id, next);
	if (column[0].count > 0)
		database_send(database, &release_add, column, COLUMNS);
	parameters_clear(column, COLUMNS);
}

static void add_cancellation(struct parameter column[], const char *request_id,
	const struct cancellation *cancellation)
{
	parameter_uuid(&column[0], request_id);
	parameter_int(&column[1], cancellation->version);
	parameter_text(&column[2], cancellation->reason);
	parameter_text(&column[3], cancellation->cancelled_by);
	parameter_time(&column[4], cancellation->cancelled_at);
	parameter_text(&column[5], cancellation->hospital_id);
	parameter_text(&column[6], urgency_name(cancellation->urgency));
}

static void store_cancellations(const struct requests *requests, struct database *database)
{
	enum { COLUMNS = 7 };
	struct parameter column[COLUMNS];
	parameters_arrays(column, "uittztt");
	for (size_t i = 0; i < requests->count; i++)
		if (requests->items[i].cancellation != NULL && requests->items[i].cancellation->is_new)
			add_cancellation(column, requests->items[i].request_id, requests->items[i].cancellation);
	if (column[0].count > 0)
		database_send(database, &cancellation_add, column, COLUMNS);
	parameters_clear(column, COLUMNS);
}

enum outcome store_changes(struct batch *batch, struct database *database, struct why *why)
{
	const struct requests *requests = batch->state;
	(void)why; /* the commit tells of failures */
	store_requests(requests, database, false);
	store_requests(requests, database, true);
	store_allocations(requests, database);
	store_releases(requests, database);
	store_cancellations(requests, database);
	return DONE;
}
