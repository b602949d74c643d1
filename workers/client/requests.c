/* carebus requests: what was asked for, and what became of it. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "listing.h"
#include "uuid.h"

enum { WHAT_BYTES = 80, NUMBER_BYTES = 48 };

struct requests_values {
	struct common_values common;
	const char *hospital, *status;
	long limit;
};

#define AT(member) offsetof(struct requests_values, member)

static const struct option_row options[] = {
	{ .name = "hospital",
		.argument = "ID",
		.kind = OPTION_TEXT,
		.offset = AT(hospital),
		.help = "list: only this one's" },
	{ .name = "status",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(status),
		.choices =
			"scheduled|pending|approved|partially_approved|rejected|issued|fulfilled|cancelled|expired",
		.help = "list: only those" },
	{ .name = "limit",
		.argument = "COUNT",
		.kind = OPTION_NUMBER,
		.offset = AT(limit),
		.fallback = "50",
		.minimum = 1,
		.maximum = LISTING_ITEMS_MAX,
		.help = "list: as many at most" },
	{ 0 },
};

static const struct column columns[] = { { .title = "REQUEST" }, { .title = "HOSPITAL" },
	{ .title = "STATUS", .is_colored = true }, { .title = "UNITS", .is_number = true }, { .title = "GROUP" },
	{ .title = "COMPONENT" }, { .title = "URGENCY" }, { .title = "REQUESTED" }, { 0 } };

static const char *color_of(const char *status)
{
	static const struct {
		const char *status, *color;
	} colors[] = {
		{ "approved", COLOR_GREEN },
		{ "issued", COLOR_GREEN },
		{ "fulfilled", COLOR_GREEN },
		{ "partially_approved", COLOR_YELLOW },
		{ "pending", COLOR_YELLOW },
		{ "rejected", COLOR_RED },
		{ "expired", COLOR_RED },
	};
	for (size_t i = 0; status != NULL && print_has_color() && i < sizeof(colors) / sizeof(colors[0]); i++)
		if (strcmp(colors[i].status, status) == 0)
			return colors[i].color;
	return NULL;
}

static void add_row(struct table *table, const json_t *item)
{
	char units[NUMBER_BYTES];
	const char *status = listing_text(item, "status");
	snprintf(units, sizeof(units), "%lld of %lld",
		(long long)json_integer_value(json_object_get(item, "quantity_allocated")),
		(long long)json_integer_value(json_object_get(item, "quantity_requested")));
	const char *const cells[] = { listing_text(item, "request_id"), listing_text(item, "hospital_id"), status,
		units, listing_text(item, "group"), listing_text(item, "component"), listing_text(item, "urgency"),
		listing_text(item, "requested_at") };
	table_add(table, cells, color_of(status));
}

static enum ending list(struct door *door, const struct requests_values *values, bool is_json)
{
	struct buffer path;
	buffer_init(&path);
	buffer_add_text(&path, "/v1/blood-requests");
	door_query(&path, "hospital_id", values->hospital);
	door_query(&path, "status", values->status);
	const struct listing listing = {
		.what = "reading the requests",
		.path = buffer_text(&path),
		.limit = (size_t)values->limit,
		.is_json = is_json,
		.columns = columns,
		.add_row = add_row,
	};
	enum ending ending = listing_show(door, &listing);
	buffer_clear(&path);
	return ending;
}

static enum ending show(struct door *door, const char *request_id, bool is_json)
{
	char what[WHAT_BYTES], path[WHAT_BYTES];
	snprintf(what, sizeof(what), "reading request %s", request_id);
	snprintf(path, sizeof(path), "/v1/blood-requests/%s", request_id);
	return listing_show_one(door, what, path, is_json);
}

/* NULL: none of the two. `request_id` is filled for `show`. */
static const char *read_verb(const struct positionals *positionals, char request_id[UUID_TEXT_BYTES])
{
	const char *verb = positionals->count > 0 ? positionals->items[0] : "";
	if (positionals->count == 1 && strcmp(verb, "list") == 0)
		return verb;
	if (positionals->count == 2 && strcmp(verb, "show") == 0
		&& uuid_canonical(positionals->items[1], request_id))
		return verb;
	fprintf(stderr,
		"write `carebus requests list` or `carebus requests show REQUEST_ID`; the id is a uuid\n");
	return NULL;
}

static enum ending run_requests(const void *run_values, const struct positionals *positionals)
{
	const struct requests_values *values = run_values;
	char request_id[UUID_TEXT_BYTES];
	bool is_json = strcmp(values->common.format, "json") == 0;
	const char *verb = read_verb(positionals, request_id);
	struct door *door = verb == NULL ? NULL : door_new(stderr);
	if (door == NULL)
		return ENDING_FAULT;
	enum ending ending =
		strcmp(verb, "list") == 0 ? list(door, values, is_json) : show(door, request_id, is_json);
	door_free(door);
	return ending;
}

const struct command command_requests = {
	.name = "requests",
	.summary = "list requests, show one",
	.arguments = " list|show [REQUEST_ID]",
	.details = "Reads from the bridge at CAREBUS_HTTP with CAREBUS_TOKEN; the newest are listed first.\n"
			   "Exit: 0 shown, 1 refused or unknown, 2 a fault, 3 no answer in time.\n",
	.examples = "  carebus requests list --hospital hospital-001 --status pending\n"
				"  carebus requests show 11111111-2222-4333-8444-555555555555 -o json\n",
	.options = options,
	.values_bytes = sizeof(struct requests_values),
	.run = run_requests,
};
