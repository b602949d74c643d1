/* One object for all refusals. */
#include "problem.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static const struct {
	unsigned status;
	const char *title; /* of RFC 9110 */
} titles[] = {
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 409, "Conflict" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
};

/* All others are faults of what was asked: 422. */
static const struct {
	const char *reason;
	unsigned status;
} statuses[] = {
	{ "wrong_state", 409 },
	{ "duplicate_conflict", 409 },
	{ "taken", 409 },
	{ "held", 409 },
	{ "hold_expired", 409 },
	{ "blocked", 409 },
	{ "patient_overlap", 409 },
	{ "too_late", 409 },
	{ "beyond_horizon", 409 },
	{ "overlapping_schedule", 409 },
	{ "not_owner", 403 },
	{ "unknown_notification", 404 },
	{ "unknown_slot", 404 },
	{ "unknown_provider", 404 },
	{ "unknown_appointment", 404 },
	{ "unknown_entry", 404 },
};

static const char *title_of(unsigned status)
{
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

/* Texts come from outside: what is not UTF-8 is left out. */
static void set_text(json_t *object, const char *name, const char *text)
{
	json_t *value = text == NULL ? NULL : json_string(text);
	if (value != NULL)
		json_object_set_new(object, name, value);
}

static json_t *list_faults(const struct schema_faults *faults)
{
	json_t *list = json_array();
	for (size_t i = 0; i < faults->count; i++) {
		json_t *fault = json_object();
		set_text(fault, "field", faults->items[i].path);
		set_text(fault, "why", faults->items[i].text);
		json_array_append_new(list, fault);
	}
	return list;
}

static char *write(const struct problem *problem)
{
	json_t *object = json_pack("{s:o}", "type", json_sprintf("urn:carebus:problem:%s", problem->code));
	set_text(object, "title", title_of(problem->status));
	json_object_set_new(object, "status", json_integer((json_int_t)problem->status));
	set_text(object, "code", problem->code);
	set_text(object, "detail", problem->detail);
	set_text(object, "state", problem->state);
	if (problem->faults != NULL)
		json_object_set_new(object, "errors", list_faults(problem->faults));
	char *text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (text == NULL)
		abort();
	return text;
}

void problem_answer(struct http_exchange *exchange, const struct problem *problem)
{
	char *text = write(problem);
	struct http_answer answer = {
		.status = problem->status,
		.content_type = "application/problem+json",
		.body = text,
		.body_bytes = strlen(text),
		.headers = { { "Cache-Control", "no-store" } },
	};
	for (size_t i = 0; i < PROBLEM_HEADERS_MAX; i++)
		answer.headers[i + 1] = problem->headers[i];
	http_answer(exchange, &answer);
	free(text);
}

unsigned problem_status(const char *reason)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (strcmp(statuses[i].reason, reason) == 0)
			return statuses[i].status;
	return 422;
}
