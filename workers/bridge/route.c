/* Every path but those without a token (health, metrics, the description), which are the server's own. */
#include "route.h"

#include <stdio.h>
#include <string.h>

#include "cursor.h"

enum { PLACE_DIGITS_MAX = 18 };

#define EVERYBODY (ROLE(TOKEN_ROLES) - 1)
#define HOSPITALS (ROLE(TOKEN_ADMIN) | ROLE(TOKEN_HOSPITAL))
#define BANKS (ROLE(TOKEN_ADMIN) | ROLE(TOKEN_BANK))
#define READERS ROLE(TOKEN_READER)

static bool is_request_cursor(const char *text)
{
	struct cursor cursor;
	return cursor_parse(text, &cursor);
}

/* A list that goes on has places, counted up. */
static bool is_place(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	return digits > 0 && digits <= PLACE_DIGITS_MAX && text[digits] == '\0';
}

static const struct reading request = {
	.view = "request",
	.question = HOSPITAL_QUERY_REQUEST,
	.answer = HOSPITAL_REQUEST_ANSWERED,
	.id_member = "request_id",
	.item = "request",
	.facility = "hospital_id",
};

static const struct reading requests = {
	.question = HOSPITAL_QUERY_REQUESTS,
	.answer = HOSPITAL_REQUESTS_ANSWERED,
	.facility = "hospital_id",
	.knows_cursor = is_request_cursor,
};

static const struct reading unit = {
	.question = BLOODBANK_QUERY_UNIT,
	.answer = BLOODBANK_UNIT_ANSWERED,
	.id_member = "unit_id",
	.item = "unit",
	.facility = "bank_id",
};

static const struct reading units = {
	.question = BLOODBANK_QUERY_UNITS,
	.answer = BLOODBANK_UNITS_ANSWERED,
	.facility = "bank_id",
	.knows_cursor = cursor_is_unit_id,
};

/* How much there is in the banks is everybody's business. */
static const struct reading bank_stock = {
	.question = BLOODBANK_QUERY_STOCK,
	.answer = BLOODBANK_STOCK_ANSWERED,
	.facility = "bank_id",
	.is_for_all = true,
};

static const struct reading hospital_stock = {
	.question = HOSPITAL_QUERY_STOCK,
	.answer = HOSPITAL_STOCK_ANSWERED,
	.facility = "hospital_id",
};

static const struct reading notifications = {
	.question = NOTIFICATION_QUERY_MESSAGES,
	.answer = NOTIFICATION_MESSAGES_ANSWERED,
	.facility = "facility_id",
	.knows_cursor = is_place,
};

static const struct command ask_for_blood = {
	.event = HOSPITAL_BLOOD_REQUEST,
	.accepted = HOSPITAL_BLOOD_REQUESTED,
	.refused = HOSPITAL_BLOOD_REFUSED,
	.decided = { BLOODBANK_BLOOD_APPROVED, BLOODBANK_BLOOD_REJECTED },
	.key = "request_id",
	.facility = "hospital_id",
	.actor = "requested_by",
	.location = "/v1/blood-requests/",
};

static const struct command cancel_request = {
	.event = HOSPITAL_BLOOD_CANCEL,
	.accepted = HOSPITAL_BLOOD_CANCELLED,
	.refused = HOSPITAL_BLOOD_REFUSED,
	.id_member = "request_id",
	.actor = "cancelled_by",
	.about = &request,
};

static const struct command receive_units = {
	.event = BLOODBANK_UNIT_RECEIVE,
	.accepted = BLOODBANK_UNIT_RECEIVED,
	.refused = BLOODBANK_UNIT_REFUSED,
	.facility = "bank_id",
	.actor = "received_by",
};

static const struct command acknowledge = {
	.event = NOTIFICATION_MESSAGE_ACKNOWLEDGE,
	.accepted = NOTIFICATION_MESSAGE_ACKNOWLEDGED,
	.refused = NOTIFICATION_MESSAGE_REFUSED,
	.id_member = "notification_id",
	.facility = "facility_id",
	.actor = "by",
};

static const struct route routes[] = {
	{ "POST", "/v1/blood-requests", ROUTE_COMMAND, HOSPITALS, &ask_for_blood, NULL, { NULL }, NULL },
	{ "GET", "/v1/blood-requests", ROUTE_READING, HOSPITALS | READERS, NULL, &requests,
		{ "hospital_id", "status", "limit", "cursor" }, NULL },
	{ "GET", "/v1/blood-requests/{}", ROUTE_READING, HOSPITALS | READERS, NULL, &request, { NULL }, NULL },
	{ "POST", "/v1/blood-requests/{}/cancellation", ROUTE_COMMAND, HOSPITALS, &cancel_request, NULL, { NULL },
		NULL },
	{ "POST", "/v1/blood-units", ROUTE_COMMAND, BANKS, &receive_units, NULL, { NULL }, NULL },
	{ "GET", "/v1/blood-units", ROUTE_READING, BANKS | READERS, NULL, &units,
		{ "bank_id", "component", "group", "status", "limit", "cursor" }, NULL },
	{ "GET", "/v1/blood-units/{}", ROUTE_READING, BANKS | READERS, NULL, &unit, { NULL }, NULL },
	{ "GET", "/v1/blood-stock", ROUTE_READING, EVERYBODY, NULL, &bank_stock,
		{ "bank_id", "component", "group" }, "bank_id" },
	{ "GET", "/v1/blood-stock", ROUTE_READING, HOSPITALS | READERS, NULL, &hospital_stock, { "hospital_id" },
		"hospital_id" },
	{ "GET", "/v1/notifications", ROUTE_READING, EVERYBODY, NULL, &notifications,
		{ "facility_id", "role", "after", "limit" }, NULL },
	{ "POST", "/v1/notifications/{}/acknowledgement", ROUTE_COMMAND, EVERYBODY & ~READERS, &acknowledge, NULL,
		{ NULL }, NULL },
	{ "GET", "/v1/events", ROUTE_STREAM, EVERYBODY, NULL, NULL, { "types", "facility_id" }, NULL },
};

bool path_fits(const char *pattern, const char *path, char id[ROUTE_ID_MAX])
{
	size_t head = strcspn(pattern, "{");
	if (strncmp(pattern, path, head) != 0)
		return false;
	if (pattern[head] == '\0')
		return path[head] == '\0';
	const char *rest = pattern + head + 2;
	size_t length = strcspn(path + head, "/");
	if (length == 0 || length >= ROUTE_ID_MAX || strcmp(path + head + length, rest) != 0)
		return false;
	memcpy(id, path + head, length);
	id[length] = '\0';
	return true;
}

static void add_word(char *text, size_t text_bytes, const char *word, const char *between)
{
	size_t length = strlen(text);
	if (strstr(text, word) == NULL)
		snprintf(text + length, text_bytes - length, "%s%s", length > 0 ? between : "", word);
}

/* HEAD is answered as GET, the server leaves the body out. */
static bool method_fits(const struct route *route, const char *method)
{
	return strcmp(route->method, method) == 0
		|| (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0 && route->kind != ROUTE_STREAM);
}

const struct route *route_find(const struct http_exchange *exchange, struct finding *finding)
{
	*finding = (struct finding){ .id = "" };
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const struct route *route = &routes[i];
		if (!path_fits(route->path, http_path(exchange), finding->id))
			continue;
		if (!method_fits(route, http_method(exchange)))
			add_word(finding->allowed, sizeof(finding->allowed), route->method, ", ");
		else if (route->chosen_by == NULL || http_parameter(exchange, route->chosen_by) != NULL)
			return route;
		else
			add_word(finding->choice, sizeof(finding->choice), route->chosen_by, " or ");
	}
	return NULL;
}

bool route_is_command(enum event event)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (routes[i].kind == ROUTE_COMMAND && routes[i].command->event == event)
			return true;
	return false;
}
