/* Answers to questions about the list of notifications. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "notice_rows.h"
#include "notification.h"
#include "notification_queries.h"

/* A cursor is the place of the last item that the asker has. */
static bool read_cursor(const char *cursor, int64_t *position)
{
	char *end;
	errno = 0;
	*position = cursor == NULL ? 0 : strtoll(cursor, &end, 10);
	if (cursor == NULL)
		return true;
	return cursor[0] >= '0' && cursor[0] <= '9' && *end == '\0' && errno == 0;
}

static const struct rows *find_page(const struct notification_query_messages *question, int64_t position,
	struct database *database, struct why *why)
{
	bool is_of_one = question->facility_id != NULL;
	struct parameter parameters[4];
	parameter_init(&parameters[0], PARAMETER_INT, false);
	parameter_int(&parameters[0], position);
	parameter_init(&parameters[1], PARAMETER_INT, false);
	parameter_int(&parameters[1], question->limit);
	parameter_init(&parameters[2], PARAMETER_TEXT, false);
	parameter_text(&parameters[2], question->role);
	parameter_init(&parameters[3], PARAMETER_TEXT, false);
	parameter_text(&parameters[3], question->facility_id);
	int ticket = database_send(database, is_of_one ? &notification_page : &notification_page_of_all,
		parameters, is_of_one ? 4 : 3);
	parameters_clear(parameters, 4);
	return database_rows(database, ticket, why);
}

enum outcome answer_messages(const struct message *message, struct database *database,
	enum event *answer_event, const void **answer, struct why *why)
{
	const struct notification_query_messages *question = message->body;
	int64_t position;
	if (!read_cursor(question->after, &position))
		return reject(why, "cursor", "'%.100s' was never given as a place in the list", question->after);
	const struct rows *rows = find_page(question, position, database, why);
	if (rows == NULL)
		return database_failure(database, why);
	struct notification_messages_answered *body = arena_new(message->arena, sizeof(*body));
	body->as_of = message->now;
	body->items_count = rows_count(rows);
	body->items = arena_array(message->arena, body->items_count, sizeof(*body->items));
	for (size_t row = 0; row < body->items_count; row++) {
		const struct notice notice = notice_of_row(rows, row, message->arena);
		body->items[row] = notice_state(&notice);
		position = rows_int(rows, row, NOTICE_COLUMNS);
	}
	body->next = arena_print(message->arena, "%" PRId64, position);
	*answer_event = NOTIFICATION_MESSAGES_ANSWERED;
	*answer = body;
	return DONE;
}
