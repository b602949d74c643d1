/* The machine's own rows: outputs of a batch, and the marks of those that were sent. */
#include "worker_internal.h"

#include <string.h>

#include "machine_queries.h"

enum { OUTPUT_COLUMNS = 13 };

void inbox_begin(const struct runtime *runtime, struct parameter parameters[INBOX_COLUMNS])
{
	parameter_init(&parameters[0], PARAMETER_TEXT, false);
	parameter_text(&parameters[0], runtime->worker->name);
	parameters_arrays(&parameters[1], "uy");
}

void inbox_add(struct parameter parameters[INBOX_COLUMNS], const char *message_id,
	const unsigned char digest[SHA256_BYTES])
{
	parameter_uuid(&parameters[1], message_id);
	parameter_bytes(&parameters[2], digest, SHA256_BYTES);
}

int inbox_send(struct runtime *runtime, struct parameter parameters[INBOX_COLUMNS])
{
	int ticket = database_send(runtime->database, &inbox_insert, parameters, INBOX_COLUMNS);
	parameters_clear(parameters, INBOX_COLUMNS);
	return ticket;
}

static bool comes_back(const struct runtime *runtime, const struct output *output)
{
	enum event event = runtime->worker->skips_own;
	return event != EVENT_NONE && !output->is_view && strcmp(output->type, event_type(event)->name) == 0;
}

/* What the worker will hear of itself is known from the start, so that it has no effect whoever sends it again. */
static void store_own(struct runtime *runtime, const struct outbox *outbox)
{
	struct parameter parameters[INBOX_COLUMNS];
	inbox_begin(runtime, parameters);
	for (const struct output *output = outbox->first; output != NULL; output = output->next) {
		unsigned char digest[SHA256_BYTES];
		if (!comes_back(runtime, output))
			continue;
		sha256(output->body, output->body_bytes, digest);
		inbox_add(parameters, output->message_id, digest);
	}
	if (parameters[1].count > 0)
		inbox_send(runtime, parameters);
	else
		parameters_clear(parameters, INBOX_COLUMNS);
}

static void add_output(struct parameter columns[OUTPUT_COLUMNS], const struct output *output)
{
	parameter_uuid(&columns[0], output->cause_id);
	parameter_int(&columns[1], output->ordinal);
	parameter_uuid(&columns[2], output->message_id);
	parameter_text(&columns[3], output->exchange);
	parameter_text(&columns[4], output->routing_key);
	parameter_text(&columns[5], output->type);
	parameter_text(&columns[6], output->correlation_id);
	parameter_uuid(&columns[7], output->causation_id);
	parameter_text(&columns[8], output->traceparent);
	parameter_int(&columns[9], output->schema_version);
	parameter_int(&columns[10], output->version);
	parameter_text(&columns[11], output->is_view ? NULL : output->body);
	parameter_time(&columns[12], output->created_at);
}

void store_outputs(struct runtime *runtime, const struct outbox *outbox)
{
	if (outbox->count == 0)
		return;
	struct parameter columns[OUTPUT_COLUMNS];
	parameters_arrays(columns, "uiuttttutiitz");
	for (const struct output *output = outbox->first; output != NULL; output = output->next)
		add_output(columns, output);
	database_send(runtime->database, &outbox_insert, columns, OUTPUT_COLUMNS);
	parameters_clear(columns, OUTPUT_COLUMNS);
	store_own(runtime, outbox);
}

struct output *output_from_row(const struct rows *rows, size_t row, struct arena *arena)
{
	struct output *output = arena_new(arena, sizeof(*output));
	output->is_stored = true;
	output->cause_id = rows_uuid(rows, row, 0, arena);
	output->ordinal = rows_int(rows, row, 1);
	output->message_id = rows_uuid(rows, row, 2, arena);
	output->exchange = rows_text(rows, row, 3, arena);
	output->is_view = output->exchange == NULL;
	output->routing_key = rows_text(rows, row, 4, arena);
	output->type = rows_text(rows, row, 5, arena);
	output->correlation_id = rows_text(rows, row, 6, arena);
	output->causation_id = rows_uuid(rows, row, 7, arena);
	output->traceparent = rows_text(rows, row, 8, arena);
	output->schema_version = rows_int(rows, row, 9);
	output->version = rows_int(rows, row, 10);
	output->body = rows_text(rows, row, 11, arena);
	size_t length = 0;
	if (output->body != NULL)
		rows_bytes(rows, row, 11, &length);
	output->body_bytes = length;
	output->created_at = rows_time(rows, row, 12);
	enum event event = output->is_view ? EVENT_NONE : event_find(output->type);
	output->is_mandatory = event != EVENT_NONE && event_type(event)->mandatory;
	return output;
}

/* The gathered marks change places with those that ride in a transaction, unless some still ride. */
static bool board_marks(struct runtime *runtime)
{
	if (runtime->marks[1].count == 0 && runtime->marks[0].count > 0) {
		struct marks empty = runtime->marks[1];
		runtime->marks[1] = runtime->marks[0];
		runtime->marks[0] = empty;
	}
	return runtime->marks[1].count > 0;
}

void store_marks(struct runtime *runtime)
{
	if (board_marks(runtime))
		database_send(runtime->database, &outbox_mark_sent, runtime->marks[1].columns, 2);
}

void marks_committed(struct runtime *runtime)
{
	struct marks *marks = &runtime->marks[1];
	if (marks->count == 0)
		return;
	parameters_clear(marks->columns, 2);
	parameters_arrays(marks->columns, "ui");
	marks->count = 0;
	crash_point_pass(CRASH_AFTER_SENT_MARK);
}

bool marks_flush(struct runtime *runtime)
{
	struct why why = { 0 };
	runtime->marks_since_ms = clock_steady_ms();
	database_begin(runtime->database);
	store_marks(runtime);
	enum outcome outcome = database_commit(runtime->database, &why);
	if (outcome == DONE)
		marks_committed(runtime);
	else if (!database_is_open(runtime->database))
		links_lost(runtime, LINK_DATABASE, &why);
	else if (outcome == STOP)
		worker_fail(runtime, EXIT_OUR_FAULT, &why);
	return outcome == DONE;
}
