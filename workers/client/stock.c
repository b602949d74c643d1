/* carebus stock: what a bank or a hospital has, by component and group. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "listing.h"
#include "option_rows.h"

enum { NUMBER_BYTES = 24 };

struct stock_values {
	struct common_values common;
	const char *bank, *hospital, *component, *group;
};

#define AT(member) offsetof(struct stock_values, member)

static const struct option_row options[] = {
	{ .name = "bank", .argument = "ID", .kind = OPTION_TEXT, .offset = AT(bank), .help = "this bank's" },
	{ .name = "hospital",
		.argument = "ID",
		.kind = OPTION_TEXT,
		.offset = AT(hospital),
		.help = "or this hospital's own" },
	{ .name = "component",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(component),
		.choices = COMPONENT_CHOICES,
		.help = "only this one, of a bank" },
	{ .name = "group",
		.argument = "GROUP",
		.kind = OPTION_TEXT,
		.offset = AT(group),
		.choices = GROUP_CHOICES,
		.help = "only this one, of a bank" },
	{ 0 },
};

static const struct column bank_columns[] = { { .title = "COMPONENT" }, { .title = "GROUP" },
	{ .title = "AVAILABLE", .is_number = true }, { .title = "RESERVED", .is_number = true },
	{ .title = "EXPIRING 24H", .is_number = true }, { .title = "DAYS", .is_number = true },
	{ .title = "LEVEL", .is_colored = true }, { 0 } };

static const struct column hospital_columns[] = { { .title = "COMPONENT" }, { .title = "GROUP" },
	{ .title = "ON HAND", .is_number = true }, { 0 } };

/* "" where it is absent. */
static const char *number_of(const json_t *item, const char *name, int decimals, char out[NUMBER_BYTES])
{
	const json_t *value = json_object_get(item, name);
	out[0] = '\0';
	if (json_is_number(value))
		snprintf(out, NUMBER_BYTES, "%.*f", decimals, json_number_value(value));
	return out;
}

static const char *color_of(const char *level)
{
	if (level == NULL || !print_has_color())
		return NULL;
	if (strcmp(level, "critical") == 0)
		return COLOR_RED;
	return strcmp(level, "low") == 0 ? COLOR_YELLOW : COLOR_GREEN;
}

static void add_bank_row(struct table *table, const json_t *item)
{
	char available[NUMBER_BYTES], reserved[NUMBER_BYTES], expiring[NUMBER_BYTES], days[NUMBER_BYTES];
	const char *level = listing_text(item, "level");
	const char *const cells[] = { listing_text(item, "component"), listing_text(item, "group"),
		number_of(item, "available", 0, available), number_of(item, "reserved", 0, reserved),
		number_of(item, "expiring_24h", 0, expiring), number_of(item, "days_of_stock", 1, days), level };
	table_add(table, cells, color_of(level));
}

static void add_hospital_row(struct table *table, const json_t *item)
{
	char on_hand[NUMBER_BYTES];
	const char *const cells[] = { listing_text(item, "component"), listing_text(item, "group"),
		number_of(item, "on_hand", 0, on_hand) };
	table_add(table, cells, NULL);
}

static void print_text(const json_t *body, bool is_bank)
{
	struct table table;
	char as_of[CELL_BYTES_MAX];
	size_t number;
	json_t *item;
	table_init(&table, is_bank ? bank_columns : hospital_columns);
	json_array_foreach (json_object_get(body, "items"), number, item)
		(is_bank ? add_bank_row : add_hospital_row)(&table, item);
	table_print(&table, stdout);
	table_clear(&table);
	print_safe(listing_text(body, "as_of"), as_of, sizeof(as_of));
	printf("as of %s\n", as_of);
}

static enum ending show(struct door *door, const struct stock_values *values)
{
	struct buffer path;
	struct door_answer answer;
	buffer_init(&path);
	buffer_add_text(&path, "/v1/blood-stock");
	door_query(&path, "bank_id", values->bank);
	door_query(&path, "hospital_id", values->hospital);
	door_query(&path, "component", values->component);
	door_query(&path, "group", values->group);
	const struct door_request request = { .method = "GET", .path = buffer_text(&path) };
	enum ending ending = door_call(door, "reading the stock", &request, &answer, stderr);
	if (ending == ENDING_DONE && strcmp(values->common.format, "json") == 0)
		print_json_value(answer.body);
	else if (ending == ENDING_DONE)
		print_text(answer.body, values->bank != NULL);
	door_answer_clear(&answer);
	buffer_clear(&path);
	return ending;
}

static enum ending run_stock(const void *run_values, const struct positionals *positionals)
{
	const struct stock_values *values = run_values;
	if (positionals->count > 0 || (values->bank == NULL) == (values->hospital == NULL)) {
		fprintf(stderr, "write `carebus stock --bank ID` or `carebus stock --hospital ID`\n");
		return ENDING_FAULT;
	}
	struct door *door = door_new(stderr);
	if (door == NULL)
		return ENDING_FAULT;
	enum ending ending = show(door, values);
	door_free(door);
	return ending;
}

const struct command command_stock = {
	.name = "stock",
	.summary = "show what a bank or a hospital has",
	.arguments = "",
	.details = "Reads from the bridge at CAREBUS_HTTP with CAREBUS_TOKEN.\n"
			   "Exit: 0 shown, 1 refused, 2 a fault, 3 no answer in time.\n",
	.examples = "  carebus stock --bank bank-001\n"
				"  carebus stock --hospital hospital-001 -o json\n",
	.options = options,
	.values_bytes = sizeof(struct stock_values),
	.run = run_stock,
};
