/* carebus slots: what a provider's days have. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "day_option.h"
#include "listing.h"

enum { WHAT_BYTES = 160, DAYS_MAX = 92 };

struct slots_values {
	struct common_values common;
	const char *date;
	long days;
	bool is_free_only;
};

#define AT(member) offsetof(struct slots_values, member)

static const struct option_row options[] = {
	{ .name = "date",
		.argument = "DAY",
		.kind = OPTION_TEXT,
		.offset = AT(date),
		.fallback = "+0d",
		.help = "the first day, of the clinic's calendar: 2026-03-01, or from today: +1d" },
	{ .name = "days",
		.argument = "COUNT",
		.kind = OPTION_NUMBER,
		.offset = AT(days),
		.fallback = "1",
		.minimum = 1,
		.maximum = DAYS_MAX,
		.help = "how many days" },
	{ .name = "free", .kind = OPTION_FLAG, .offset = AT(is_free_only), .help = "only those that can be had" },
	{ 0 },
};

static const struct column columns[] = { { .title = "SLOT" }, { .title = "STARTS" }, { .title = "ENDS" },
	{ .title = "CLINIC" }, { .title = "STATE", .is_colored = true }, { 0 } };

static bool is_free(const json_t *slot)
{
	const char *state = listing_text(slot, "state");
	return state != NULL && strcmp(state, "free") == 0;
}

static void leave_out_others(json_t *slots)
{
	for (size_t i = json_array_size(slots); i-- > 0;)
		if (!is_free(json_array_get(slots, i)))
			json_array_remove(slots, i);
}

/* One day more at the end of `days`. */
static enum ending add_day(struct door *door, const struct slots_values *values, const char *provider_id,
	const char *date, json_t *days)
{
	char what[WHAT_BYTES];
	struct buffer path;
	struct door_answer answer;
	snprintf(what, sizeof(what), "reading the slots of %.64s on %s", provider_id, date);
	buffer_init(&path);
	buffer_add_text(&path, "/v1/slots");
	door_query(&path, "provider_id", provider_id);
	door_query(&path, "date", date);
	const struct door_request request = { .method = "GET", .path = buffer_text(&path) };
	enum ending ending = door_call(door, what, &request, &answer, stderr);
	if (ending == ENDING_DONE) {
		if (values->is_free_only)
			leave_out_others(json_object_get(answer.body, "slots"));
		json_array_append(days, answer.body);
	}
	door_answer_clear(&answer);
	buffer_clear(&path);
	return ending;
}

static const char *color_of(const json_t *slot)
{
	if (!print_has_color())
		return NULL;
	return is_free(slot) ? COLOR_GREEN : COLOR_DIM;
}

static void print_text(const json_t *days)
{
	struct table table;
	char as_of[CELL_BYTES_MAX] = "";
	size_t count = 0;
	table_init(&table, columns);
	for (size_t day = 0; day < json_array_size(days); day++) {
		const json_t *slots = json_object_get(json_array_get(days, day), "slots");
		for (size_t i = 0; i < json_array_size(slots); i++, count++) {
			const json_t *slot = json_array_get(slots, i);
			const char *const cells[] = { listing_text(slot, "slot_id"), listing_text(slot, "starts_at"),
				listing_text(slot, "ends_at"), listing_text(slot, "clinic_id"), listing_text(slot, "state") };
			table_add(&table, cells, color_of(slot));
		}
		print_safe(listing_text(json_array_get(days, day), "as_of"), as_of, sizeof(as_of));
	}
	table_print(&table, stdout);
	table_clear(&table);
	printf("%zu, as of %s\n", count, as_of);
}

static enum ending show(struct door *door, const struct slots_values *values, const char *provider_id)
{
	char date[DAY_TEXT_BYTES];
	int64_t now_us = clock_now_us();
	enum ending ending = ENDING_DONE;
	json_t *days = json_array();
	for (long day = 0; day < values->days && ending == ENDING_DONE; day++) {
		day_option_read(values->date, now_us, day, date);
		ending = add_day(door, values, provider_id, date, days);
	}
	if (ending == ENDING_DONE && strcmp(values->common.format, "json") == 0) {
		json_t *result = json_pack("{s:s, s:O}", "provider_id", provider_id, "days", days);
		print_json_value(result);
		json_decref(result);
	} else if (ending == ENDING_DONE) {
		print_text(days);
	}
	json_decref(days);
	return ending;
}

static enum ending run_slots(const void *run_values, const struct positionals *positionals)
{
	const struct slots_values *values = run_values;
	char date[DAY_TEXT_BYTES];
	if (positionals->count != 1) {
		fprintf(stderr, "write `carebus slots PROVIDER_ID`\n");
		return ENDING_FAULT;
	}
	if (!day_option_read(values->date, clock_now_us(), 0, date)) {
		fprintf(stderr, "--date: \"%s\" is no day; write 2026-03-01 or +1d\n", values->date);
		return ENDING_FAULT;
	}
	struct door *door = door_new(stderr);
	if (door == NULL)
		return ENDING_FAULT;
	enum ending ending = show(door, values, positionals->items[0]);
	door_free(door);
	return ending;
}

const struct command command_slots = {
	.name = "slots",
	.summary = "show a provider's slots",
	.arguments = " PROVIDER_ID",
	.details = "Reads from the bridge at CAREBUS_HTTP with CAREBUS_TOKEN, day by day.\n"
			   "Exit: 0 shown, 1 refused, unknown or out of range, 2 a fault, 3 no answer in time.\n",
	.examples = "  carebus slots dr-adams --date +1d\n"
				"  carebus slots dr-adams --date 2026-03-02 --days 7 --free -o json\n",
	.options = options,
	.values_bytes = sizeof(struct slots_values),
	.run = run_slots,
};
