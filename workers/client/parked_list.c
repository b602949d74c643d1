/* carebus parked list: how many are parked, by queue, reason and event. */
#include <stdio.h>
#include <string.h>

#include "parked.h"
#include "printable.h"

enum { CAUSES_MAX = 1000, SHOWN_BYTES = 400 };

/* Adds one up to a cause's row. */
static void count_in(json_t *cause, const struct parcel *parcel)
{
	json_int_t count = json_integer_value(json_object_get(cause, "count"));
	json_object_set_new(cause, "count", json_integer(count + 1));
	const char *first = json_string_value(json_object_get(cause, "first"));
	const char *last = json_string_value(json_object_get(cause, "last"));
	if (first == NULL || strcmp(parcel->parked_at, first) < 0)
		json_object_set_new(cause, "first", json_string(parcel->parked_at));
	if (last == NULL || strcmp(parcel->parked_at, last) >= 0) {
		json_object_set_new(cause, "last", json_string(parcel->parked_at));
		json_object_set_new(cause, "detail", json_string(parcel->detail));
		json_object_set_new(cause, "message_id", json_string(parcel->message_id));
	}
}

static bool is_of_cause(const json_t *cause, const struct parcel *parcel)
{
	return strcmp(json_string_value(json_object_get(cause, "reason")), parcel->reason) == 0
		&& strcmp(json_string_value(json_object_get(cause, "event")), parcel->event) == 0;
}

/* A row for each reason and event; beyond CAUSES_MAX (types may be invented) the last row takes the rest. */
static bool count_cause(void *owner, struct hold *hold, const struct held *held, const struct parcel *parcel,
	struct why *why)
{
	json_t *causes = owner, *cause = NULL;
	(void)hold;
	(void)held;
	(void)why;
	for (size_t i = 0; cause == NULL && i < json_array_size(causes); i++)
		if (is_of_cause(json_array_get(causes, i), parcel) || i == CAUSES_MAX - 1)
			cause = json_array_get(causes, i);
	if (cause == NULL) {
		cause = json_pack("{s:s, s:s}", "reason", parcel->reason, "event", parcel->event);
		json_array_append_new(causes, cause);
	}
	count_in(cause, parcel);
	return true;
}

static const char *shown(const json_t *cause, const char *member, char text[SHOWN_BYTES])
{
	const char *value = json_string_value(json_object_get(cause, member));
	snprintf(text, SHOWN_BYTES, "%s", value == NULL || value[0] == '\0' ? "-" : value);
	printable(text);
	return text;
}

static void print_cause(const char *queue, const json_t *cause)
{
	char reason[SHOWN_BYTES], event[SHOWN_BYTES], first[SHOWN_BYTES], last[SHOWN_BYTES], detail[SHOWN_BYTES];
	printf("%-28s %-14s %6lld  %-30s %-20s  %-20s  %s\n", queue, shown(cause, "reason", reason),
		(long long)json_integer_value(json_object_get(cause, "count")), shown(cause, "event", event),
		shown(cause, "first", first), shown(cause, "last", last), shown(cause, "detail", detail));
}

static void print_text(const json_t *rows)
{
	size_t parked = 0;
	for (size_t i = 0; i < json_array_size(rows); i++)
		parked += json_array_size(json_object_get(json_array_get(rows, i), "causes"));
	if (parked == 0) {
		printf("nothing is parked\n");
		return;
	}
	printf("%-28s %-14s %6s  %-30s %-20s  %-20s  %s\n", "QUEUE", "REASON", "COUNT", "EVENT", "FIRST", "LAST",
		"DETAIL OF THE LAST");
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i), *causes = json_object_get(row, "causes");
		const char *queue = json_string_value(json_object_get(row, "queue"));
		json_int_t messages = json_integer_value(json_object_get(row, "messages"));
		json_int_t looked_at = json_integer_value(json_object_get(row, "looked_at"));
		for (size_t k = 0; k < json_array_size(causes); k++)
			print_cause(queue, json_array_get(causes, k));
		if (looked_at < messages)
			printf("%s: only the first %lld of %lld were looked at; --limit changes that\n", queue,
				(long long)looked_at, (long long)messages);
	}
}

/* No reason to hide what the other queues hold. */
static bool note_missing(const char *queue)
{
	fprintf(stderr, "queue %s is missing; `carebus topology plan` tells what else is\n", queue);
	return true;
}

/* NULL: the broker could not be asked. */
static json_t *look_through(const struct parked_run *run, const json_t *queues, struct why *why)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < json_array_size(queues); i++) {
		const char *queue = json_string_value(json_array_get(queues, i));
		json_t *causes = json_array();
		struct extent extent;
		bool is_good = parked_walk(run, queue, count_cause, causes, &extent, why);
		if (!is_good && strcmp(why->reason, "absent") == 0)
			is_good = note_missing(queue);
		json_array_append_new(rows,
			json_pack("{s:s, s:I, s:I, s:o}", "queue", queue, "messages", (json_int_t)extent.messages,
				"looked_at", (json_int_t)extent.looked_at, "causes", causes));
		if (!is_good) {
			json_decref(rows);
			return NULL;
		}
	}
	return rows;
}

enum ending parked_list(const struct parked_run *run, const json_t *queues)
{
	struct why why = { .text = "" };
	json_t *rows = look_through(run, queues, &why);
	if (rows == NULL) {
		fprintf(stderr, "%s\n", why.text);
		return ENDING_FAULT;
	}
	if (run->is_json) {
		json_t *result = json_pack("{s:O}", "queues", rows);
		json_dumpf(result, stdout, JSON_INDENT(2));
		printf("\n");
		json_decref(result);
	} else {
		print_text(rows);
	}
	json_decref(rows);
	return ENDING_DONE;
}
