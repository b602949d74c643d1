/* Answers, read only: an appointment, appointments page by page. */
#include "appointment.h"
#include "appointment_queries.h"
#include "cursor.h"
#include "page.h"
#include "rows.h"

enum { PAGE_PARAMETERS = 5 };

/* The appointments of the first `count` rows, in that order. */
static enum outcome describe(const struct rows *rows, size_t count, struct database *database,
	const struct message *message, struct appointment *items, struct why *why)
{
	const struct batch batch = { .now = message->now, .arena = message->arena };
	struct state *state = state_new(&batch);
	struct parameter ids;
	parameters_arrays(&ids, "u");
	for (size_t row = 0; row < count; row++)
		parameter_uuid(&ids, rows_uuid(rows, row, 0, message->arena));
	int ticket = database_send(database, &appointment_load, &ids, 1);
	parameter_clear(&ids);
	const struct rows *found = database_rows(database, ticket, why);
	if (found == NULL)
		return database_failure(database, why);
	for (size_t row = 0; row < rows_count(found); row++)
		read_booking(state, found, row);
	for (size_t row = 0; row < count; row++)
		booking_describe(state_booking(state, rows_uuid(rows, row, 0, message->arena)), message->arena,
			&items[row]);
	return DONE;
}

enum outcome answer_appointment(const struct message *message, struct database *database,
	enum event *answer_event, const void **answer, struct why *why)
{
	const struct appointment_query_appointment *question = message->body;
	struct appointment_appointment_answered *body = arena_new(message->arena, sizeof(*body));
	const struct batch batch = { .now = message->now, .arena = message->arena };
	struct state *state = state_new(&batch);
	struct parameter ids;
	parameters_arrays(&ids, "u");
	parameter_uuid(&ids, question->appointment_id);
	int ticket = database_send(database, &appointment_load, &ids, 1);
	parameter_clear(&ids);
	const struct rows *rows = database_rows(database, ticket, why);
	if (rows == NULL)
		return database_failure(database, why);
	body->found = rows_count(rows) > 0;
	body->as_of = message->now;
	body->has_as_of = true;
	if (body->found) {
		read_booking(state, rows, 0);
		body->appointment = arena_new(message->arena, sizeof(*body->appointment));
		booking_describe(state_booking(state, question->appointment_id), message->arena, body->appointment);
	}
	*answer_event = APPOINTMENT_APPOINTMENT_ANSWERED;
	*answer = body;
	return DONE;
}

/* Asks for one more than the page holds, to see whether there is a next one. */
static int send_page(const struct appointment_query_appointments *question, const struct cursor *cursor,
	struct database *database)
{
	bool is_of_patient = question->patient_ref != NULL;
	struct parameter parameters[PAGE_PARAMETERS];
	parameter_init(&parameters[0], PARAMETER_TIME, false);
	parameter_init(&parameters[1], PARAMETER_UUID, false);
	parameter_init(&parameters[2], PARAMETER_INT, false);
	parameter_init(&parameters[3], PARAMETER_TEXT, false);
	parameter_init(&parameters[4], PARAMETER_TEXT, false);
	parameter_time(&parameters[0], cursor->time_us);
	parameter_uuid(&parameters[1], cursor->id);
	parameter_int(&parameters[2], question->limit + 1);
	parameter_text(&parameters[3], is_of_patient ? question->patient_ref : question->clinic_id);
	parameter_text(&parameters[4], is_of_patient ? question->clinic_id : question->date);
	int ticket =
		database_send(database, is_of_patient ? &appointment_page_of_patient : &appointment_page_of_clinic,
			parameters, PAGE_PARAMETERS);
	parameters_clear(parameters, PAGE_PARAMETERS);
	return ticket;
}

enum outcome answer_appointments(const struct message *message, struct database *database,
	enum event *answer_event, const void **answer, struct why *why)
{
	const struct appointment_query_appointments *question = message->body;
	struct cursor cursor = cursor_start;
	if (question->cursor != NULL && !cursor_parse(question->cursor, &cursor))
		return reject(why, "cursor", "'%s' is no cursor; use next of an answer", question->cursor);
	const struct rows *rows = database_rows(database, send_page(question, &cursor, database), why);
	if (rows == NULL)
		return database_failure(database, why);
	size_t found = rows_count(rows);
	size_t count = found > (size_t)question->limit ? (size_t)question->limit : found;
	struct appointment_appointments_answered *body = arena_new(message->arena, sizeof(*body));
	body->as_of = message->now;
	body->items = arena_array(message->arena, count, sizeof(*body->items));
	enum outcome outcome = describe(rows, count, database, message, body->items, why);
	if (outcome != DONE)
		return outcome;
	body->items_count = page_fit(&appointment_schema, body->items, count);
	if (body->items_count < found) {
		size_t last = body->items_count - 1;
		body->next =
			cursor_text(rows_time(rows, last, 1), rows_uuid(rows, last, 0, message->arena), message->arena);
	}
	*answer_event = APPOINTMENT_APPOINTMENTS_ANSWERED;
	*answer = body;
	return DONE;
}
