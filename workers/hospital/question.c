/* Lists, read only. A page is found in the index by time and id; what its requests look like is read as for one request. */
#include "question.h"

#include "cursor.h"
#include "hospital_queries.h"
#include "page.h"
#include "store.h"

enum { PAGE_PARAMETERS = 5 };

/* One, or all of them. */
static void add_statuses(struct parameter *statuses, enum request_status wanted)
{
	enum request_status status = REQUEST_STATUS_NONE + 1;
	for (; request_status_name(status) != NULL; status++)
		if (wanted == REQUEST_STATUS_NONE || status == wanted)
			parameter_text(statuses, request_status_name(status));
}

/* Asks for one more than the page holds, to see whether there is a next one. */
static int send_page(const struct hospital_query_requests *question, const struct cursor *cursor,
	struct database *database)
{
	bool is_of_hospital = question->hospital_id != NULL;
	struct parameter parameters[PAGE_PARAMETERS];
	parameter_init(&parameters[0], PARAMETER_TEXT, true);
	parameter_init(&parameters[1], PARAMETER_TIME, false);
	parameter_init(&parameters[2], PARAMETER_UUID, false);
	parameter_init(&parameters[3], PARAMETER_INT, false);
	parameter_init(&parameters[4], PARAMETER_TEXT, false);
	add_statuses(&parameters[0], question->status);
	parameter_time(&parameters[1], cursor->time_us);
	parameter_uuid(&parameters[2], cursor->id);
	parameter_int(&parameters[3], question->limit + 1);
	parameter_text(&parameters[4], question->hospital_id);
	int ticket = database_send(database, is_of_hospital ? &request_page_of_hospital : &request_page,
		parameters, is_of_hospital ? PAGE_PARAMETERS : PAGE_PARAMETERS - 1);
	parameters_clear(parameters, PAGE_PARAMETERS);
	return ticket;
}

/* The requests of the first `count` rows, in that order. */
static enum outcome describe(const struct rows *rows, size_t count, struct database *database,
	struct arena *arena, struct hospital_requests_answered *body, struct why *why)
{
	const char **request_ids = arena_array(arena, count, sizeof(*request_ids));
	for (size_t row = 0; row < count; row++)
		request_ids[row] = rows_uuid(rows, row, 0, arena);
	struct requests *requests = requests_of(request_ids, count, arena);
	enum outcome outcome = store_read(requests, database, arena, why);
	if (outcome != DONE)
		return outcome;
	body->items = arena_array(arena, count, sizeof(*body->items));
	for (size_t i = 0; i < count; i++)
		request_describe(requests_find(requests, request_ids[i]), arena, &body->items[i]);
	return DONE;
}

enum outcome answer_requests(const struct message *message, struct database *database,
	enum event *answer_event, const void **answer, struct why *why)
{
	const struct hospital_query_requests *question = message->body;
	struct cursor cursor = cursor_start;
	if (question->cursor != NULL && !cursor_parse(question->cursor, &cursor))
		return reject(why, "cursor", "'%s' is no cursor; use next of an answer", question->cursor);
	const struct rows *rows = database_rows(database, send_page(question, &cursor, database), why);
	if (rows == NULL)
		return database_failure(database, why);
	size_t found = rows_count(rows);
	size_t count = found > (size_t)question->limit ? (size_t)question->limit : found;
	struct hospital_requests_answered *body = arena_new(message->arena, sizeof(*body));
	body->as_of = message->now;
	enum outcome outcome = describe(rows, count, database, message->arena, body, why);
	if (outcome != DONE)
		return outcome;
	body->items_count = page_fit(&hospital_request_updated_schema, body->items, count);
	if (body->items_count < found) {
		size_t last = body->items_count - 1;
		body->next =
			cursor_text(rows_time(rows, last, 1), rows_uuid(rows, last, 0, message->arena), message->arena);
	}
	*answer_event = HOSPITAL_REQUESTS_ANSWERED;
	*answer = body;
	return DONE;
}

enum outcome answer_stock(const struct message *message, struct database *database, enum event *answer_event,
	const void **answer, struct why *why)
{
	const struct hospital_query_stock *question = message->body;
	struct parameter hospital_id;
	parameter_init(&hospital_id, PARAMETER_TEXT, false);
	parameter_text(&hospital_id, question->hospital_id);
	int ticket = database_send(database, &stock_answer, &hospital_id, 1);
	parameter_clear(&hospital_id);
	const struct rows *rows = database_rows(database, ticket, why);
	if (rows == NULL)
		return database_failure(database, why);
	struct hospital_stock_answered *body = arena_new(message->arena, sizeof(*body));
	body->as_of = message->now;
	body->items_count = rows_count(rows);
	body->items = arena_array(message->arena, body->items_count, sizeof(*body->items));
	for (size_t row = 0; row < body->items_count; row++)
		body->items[row] = (struct hospital_stock_item){
			.hospital_id = rows_text(rows, row, 0, message->arena),
			.component = component_find(rows_text(rows, row, 1, message->arena)),
			.group = blood_group_find(rows_text(rows, row, 2, message->arena)),
			.on_hand = rows_int(rows, row, 3),
			.version = rows_int(rows, row, 4),
		};
	*answer_event = HOSPITAL_STOCK_ANSWERED;
	*answer = body;
	return DONE;
}
