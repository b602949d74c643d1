/* Rows to requests. One round trip: all statements are sent before the first answer is read. */
#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "hospital_queries.h"

/* Answers that belong to requests, in the order in which they are read. */
struct reader {
	const struct query *query;
	void (*read)(struct request *request, const struct rows *rows, size_t row, struct arena *arena);
};

static void read_request(struct request *request, const struct rows *rows, size_t row, struct arena *arena)
{
	request->is_stored = true;
	request->version = rows_int(rows, row, 1);
	request->status = request_status_find(rows_text(rows, row, 2, arena));
	request->content = rows_text(rows, row, 3, arena);
	request->order_id = rows_text(rows, row, 4, arena);
	request->hospital_id = rows_text(rows, row, 5, arena);
	request->component = component_find(rows_text(rows, row, 6, arena));
	request->group = blood_group_find(rows_text(rows, row, 7, arena));
	request->urgency = urgency_find(rows_text(rows, row, 8, arena));
	request->quantity = rows_int(rows, row, 9);
	request->needed_at = rows_time(rows, row, 10);
	request->has_needed_at = !rows_is_null(rows, row, 10);
	request->requested_at = rows_time(rows, row, 11);
	request->has_requested_at = !rows_is_null(rows, row, 11);
	request->is_scheduled = rows_bool(rows, row, 12);
	request->reason = rejection_find(rows_text(rows, row, 13, arena));
	request->detail = rows_text(rows, row, 14, arena);
	request->rejected_at = rows_time(rows, row, 15);
	request->correlation_id = rows_text(rows, row, 16, arena);
	request->traceparent = rows_text(rows, row, 17, arena);
}

static void read_allocation(struct request *request, const struct rows *rows, size_t row, struct arena *arena)
{
	struct allocation **last = &request->allocations;
	while (*last != NULL)
		last = &(*last)->next;
	*last = arena_new(arena, sizeof(**last));
	**last = (struct allocation){
		.allocation_no = rows_int(rows, row, 1),
		.decision = decision_find(rows_text(rows, row, 2, arena)),
		.quantity_requested = rows_int(rows, row, 3),
		.backordered = rows_int(rows, row, 4),
		.rules_version = rows_text(rows, row, 5, arena),
		.decided_at = rows_time(rows, row, 6),
	};
}

/* Never NULL: the foreign key sees to it. */
static struct allocation *find_allocation(const struct request *request, int64_t allocation_no)
{
	struct allocation *allocation = request->allocations;
	while (allocation->allocation_no != allocation_no)
		allocation = allocation->next;
	return allocation;
}

/* Room for one more: doubled at each power of two. */
static void *grow(void *items, size_t count, size_t bytes, struct arena *arena)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return items;
	void *more = arena_array(arena, count == 0 ? 1 : 2 * count, bytes);
	if (count > 0)
		memcpy(more, items, count * bytes);
	return more;
}

static void read_unit(struct request *request, const struct rows *rows, size_t row, struct arena *arena)
{
	struct allocation *allocation = find_allocation(request, rows_int(rows, row, 1));
	allocation->units = grow(allocation->units, allocation->units_count, sizeof(*allocation->units), arena);
	allocation->units[allocation->units_count++] = (struct allocated_unit){
		.unit_id = rows_text(rows, row, 2, arena),
		.bank_id = rows_text(rows, row, 3, arena),
		.component = component_find(rows_text(rows, row, 4, arena)),
		.group = blood_group_find(rows_text(rows, row, 5, arena)),
		.expires_at = rows_time(rows, row, 6),
		.reserved_until = rows_time(rows, row, 7),
		.has_reserved_until = !rows_is_null(rows, row, 7),
		.match_status = match_status_find(rows_text(rows, row, 8, arena)),
	};
}

static void read_warning(struct request *request, const struct rows *rows, size_t row, struct arena *arena)
{
	struct allocation *allocation = find_allocation(request, rows_int(rows, row, 1));
	allocation->warnings =
		grow(allocation->warnings, allocation->warnings_count, sizeof(*allocation->warnings), arena);
	allocation->warnings[allocation->warnings_count++] = (struct warning){
		.code = warning_code_find(rows_text(rows, row, 2, arena)),
		.detail = rows_text(rows, row, 3, arena),
	};
}

static void read_release(struct request *request, const struct rows *rows, size_t row, struct arena *arena)
{
	struct release **last = &request->releases;
	while (*last != NULL)
		last = &(*last)->next;
	*last = arena_new(arena, sizeof(**last));
	**last = (struct release){
		.unit_id = rows_text(rows, row, 1, arena),
		.released_at = rows_time(rows, row, 2),
		.reason = release_reason_find(rows_text(rows, row, 3, arena)),
		.backordered = rows_int(rows, row, 4),
		.has_backordered = !rows_is_null(rows, row, 4),
	};
}

static void read_cancellation(struct request *request, const struct rows *rows, size_t row,
	struct arena *arena)
{
	request->cancellation = arena_new(arena, sizeof(*request->cancellation));
	*request->cancellation = (struct cancellation){
		.version = rows_int(rows, row, 1),
		.reason = rows_text(rows, row, 2, arena),
		.cancelled_by = rows_text(rows, row, 3, arena),
		.cancelled_at = rows_time(rows, row, 4),
		.hospital_id = rows_text(rows, row, 5, arena),
		.urgency = urgency_find(rows_text(rows, row, 6, arena)),
	};
}

static const struct reader readers[] = {
	{ &request_load, read_request },
	{ &allocation_load, read_allocation },
	{ &unit_load, read_unit },
	{ &warning_load, read_warning },
	{ &release_load, read_release },
	{ &cancellation_load, read_cancellation },
};

enum { READERS = sizeof(readers) / sizeof(readers[0]) };

static void send_ids(const struct requests *requests, struct database *database, int tickets[READERS],
	bool with_lock)
{
	struct parameter ids;
	parameters_arrays(&ids, "u");
	for (size_t i = 0; i < requests->count; i++)
		parameter_uuid(&ids, requests->items[i].request_id);
	if (with_lock)
		database_send(database, &request_lock, &ids, 1);
	for (size_t i = 0; i < READERS; i++)
		tickets[i] = database_send(database, readers[i].query, &ids, 1);
	parameter_clear(&ids);
}

static enum outcome read_answers(struct requests *requests, struct database *database,
	const int tickets[READERS], struct arena *arena, struct why *why)
{
	for (size_t i = 0; i < READERS; i++) {
		const struct rows *rows = database_rows(database, tickets[i], why);
		if (rows == NULL)
			return database_failure(database, why);
		for (size_t row = 0; row < rows_count(rows); row++)
			readers[i].read(requests_find(requests, rows_uuid(rows, row, 0, arena)), rows, row, arena);
	}
	return DONE;
}

static int send_hospitals(const struct batch *batch, struct database *database)
{
	struct parameter ids;
	parameters_arrays(&ids, "t");
	for (size_t i = 0; i < batch->count; i++)
		if (message_hospital_id(batch->messages[i]) != NULL)
			parameter_text(&ids, message_hospital_id(batch->messages[i]));
	int ticket = database_send(database, &hospital_known, &ids, 1);
	parameter_clear(&ids);
	return ticket;
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted here once more: the database's collation is not ours. */
static enum outcome read_hospitals(struct requests *requests, struct database *database, int ticket,
	struct arena *arena, struct why *why)
{
	const struct rows *rows = database_rows(database, ticket, why);
	if (rows == NULL)
		return database_failure(database, why);
	requests->hospitals = arena_array(arena, rows_count(rows), sizeof(*requests->hospitals));
	for (size_t row = 0; row < rows_count(rows); row++)
		requests->hospitals[requests->hospitals_count++] = rows_text(rows, row, 0, arena);
	qsort(requests->hospitals, requests->hospitals_count, sizeof(*requests->hospitals), text_compare);
	return DONE;
}

enum outcome store_read(struct requests *requests, struct database *database, struct arena *arena,
	struct why *why)
{
	int tickets[READERS];
	send_ids(requests, database, tickets, false);
	return read_answers(requests, database, tickets, arena, why);
}

const struct hospital_request_updated *store_describe(const char *request_id, struct database *database,
	struct arena *arena, enum outcome *outcome, struct why *why)
{
	struct request request = { .request_id = request_id };
	struct requests requests = { .items = &request, .count = 1 };
	*outcome = store_read(&requests, database, arena, why);
	if (*outcome != DONE || request.version == 0)
		return NULL;
	struct hospital_request_updated *description = arena_new(arena, sizeof(*description));
	request_describe(&request, arena, description);
	return description;
}

enum outcome store_load(struct batch *batch, struct database *database, struct why *why)
{
	struct requests *requests = requests_new(batch);
	int tickets[READERS];
	send_ids(requests, database, tickets, true);
	int hospitals = send_hospitals(batch, database);
	enum outcome outcome = read_answers(requests, database, tickets, batch->arena, why);
	if (outcome == DONE)
		outcome = read_hospitals(requests, database, hospitals, batch->arena, why);
	batch->state = requests;
	return outcome;
}
