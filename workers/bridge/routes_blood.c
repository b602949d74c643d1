/* Blood, its banks' and hospitals' stock, notifications, and the stream of all events. */
#include "routes.h"

#include <string.h>

#include "cursor.h"

enum { PLACE_DIGITS_MAX = 18 };

bool is_time_cursor(const char *text)
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
	.knows_cursor = is_time_cursor,
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

static const char *const request_members[] = { "order_id", "order_id", "hospital_id", "hospital_id",
	"component", "component", "group", "group", "urgency", "urgency", "needed_at", "needed_at", "quantity",
	"quantity_requested", NULL };

static const struct guess request_guess = {
	.view = "request",
	.id_member = "request_id",
	.members = request_members,
	.rest = "{\"version\":0,\"status\":\"pending\",\"quantity_allocated\":0,\"quantity_issued\":0,"
			"\"quantity_received\":0,\"units\":[]}",
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
	.guess = &request_guess,
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

const struct route_table blood_routes = { routes, sizeof(routes) / sizeof(routes[0]) };
