/* carebus units: bags come in from a file, and are looked up. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "listing.h"
#include "option_rows.h"
#include "shipment.h"

enum { WHAT_BYTES = 160, FILE_BYTES_MAX = 64 * 1024 * 1024, READ_BYTES = 65536 };

struct units_values {
	struct common_values common;
	const char *bank, *component, *group, *status, *received_by;
	long limit, wait_s;
};

#define AT(member) offsetof(struct units_values, member)

static const struct option_row options[] = {
	{ .name = "bank",
		.argument = "ID",
		.kind = OPTION_TEXT,
		.offset = AT(bank),
		.help = "receive: whose they are now; list: only this one's" },
	{ .name = "received-by",
		.argument = "REF",
		.kind = OPTION_TEXT,
		.offset = AT(received_by),
		.help = "receive: who took them in, an opaque reference" },
	OPTION_WAIT(AT(wait_s), "receive: how long to wait for each part's answer"),
	{ .name = "component",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(component),
		.choices = COMPONENT_CHOICES,
		.help = "list: only this one" },
	{ .name = "group",
		.argument = "GROUP",
		.kind = OPTION_TEXT,
		.offset = AT(group),
		.choices = GROUP_CHOICES,
		.help = "list: only this one" },
	{ .name = "status",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(status),
		.choices =
			"quarantined|available|reserved|issued|received|returned|transfused|presumed_transfused|in_transit|"
			"expired|recalled|modified|discarded",
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

/* One run of `receive`. */
struct delivery_note {
	const struct units_values *values;
	struct door *door;
	struct arena arena;
	struct buffer text, body;
	struct shipment shipment;
	size_t received, accepted; /* units: done, and on their way */
};

static bool read_all(FILE *file, struct buffer *text, const char *name)
{
	char bytes[READ_BYTES];
	for (size_t count; (count = fread(bytes, 1, sizeof(bytes), file)) > 0;) {
		buffer_add(text, bytes, count);
		if (text->length_bytes > FILE_BYTES_MAX) {
			fprintf(stderr, "%s: larger than %d MiB; cut it\n", name, FILE_BYTES_MAX / 1024 / 1024);
			return false;
		}
	}
	if (ferror(file))
		fprintf(stderr, "%s: cannot be read: %s\n", name, strerror(errno));
	return !ferror(file);
}

static bool read_file(const char *name, struct buffer *text)
{
	if (strcmp(name, "-") == 0)
		return read_all(stdin, text, "standard input");
	FILE *file = fopen(name, "re");
	if (file == NULL) {
		fprintf(stderr, "%s: cannot be opened: %s\n", name, strerror(errno));
		return false;
	}
	bool is_read = read_all(file, text, name);
	fclose(file);
	return is_read;
}

static bool prepare(struct delivery_note *note, const char *name)
{
	struct why why;
	note->shipment.bank_id = note->values->bank;
	note->shipment.received_by = note->values->received_by;
	if (!read_file(name, &note->text))
		return false;
	if (shipment_read(buffer_text(&note->text), note->text.length_bytes, &note->arena, &note->shipment, &why))
		return true;
	fprintf(stderr, "nothing was sent: %s: %s\n", name, why.text);
	return false;
}

static enum ending send_part(struct delivery_note *note, size_t number)
{
	char what[WHAT_BYTES], key[UUID_TEXT_BYTES];
	struct why why;
	struct door_answer answer;
	if (!shipment_write(&note->shipment, number, &note->body, key, &why)) {
		fprintf(stderr, "part %zu: %s\n", number + 1, why.text);
		return ENDING_FAULT;
	}
	snprintf(what, sizeof(what), "part %zu of %zu", number + 1, shipment_parts(&note->shipment));
	const struct door_request request = {
		.method = "POST",
		.path = "/v1/blood-units",
		.body = buffer_text(&note->body),
		.body_bytes = note->body.length_bytes,
		.key = key,
		.wait_s = note->values->wait_s,
	};
	enum ending ending = door_call(note->door, what, &request, &answer, stderr);
	size_t *counter = answer.status == 202 ? &note->accepted : &note->received;
	if (ending == ENDING_DONE)
		*counter += shipment_part_units(&note->shipment, number);
	door_answer_clear(&answer);
	return ending;
}

static void print_result(const struct delivery_note *note, bool is_json)
{
	if (is_json) {
		json_t *result = json_pack("{s:s, s:I, s:I, s:I}", "bank_id", note->values->bank, "units",
			(json_int_t)note->shipment.count, "units_received", (json_int_t)note->received, "units_accepted",
			(json_int_t)note->accepted);
		print_json_value(result);
		json_decref(result);
		return;
	}
	printf("%zu of %zu units received by %s\n", note->received, note->shipment.count, note->values->bank);
	if (note->accepted > 0)
		printf("%zu accepted, not yet done (202): send the same file again to hear what became of them\n",
			note->accepted);
}

/* Part after part; the first that fails ends it. */
static enum ending send_all(struct delivery_note *note)
{
	enum ending ending = ENDING_DONE;
	for (size_t i = 0; i < shipment_parts(&note->shipment) && ending == ENDING_DONE; i++)
		ending = send_part(note, i);
	print_result(note, strcmp(note->values->common.format, "json") == 0);
	if (ending != ENDING_DONE)
		fprintf(stderr,
			"the rest was not sent; the same file again is safe: what is received stays as it is\n");
	bool is_undecided = note->accepted > 0 && note->values->wait_s > 0;
	return ending == ENDING_DONE && is_undecided ? ENDING_NO_ANSWER : ending;
}

static enum ending receive(struct door *door, const struct units_values *values, const char *name)
{
	struct delivery_note note = { .values = values, .door = door };
	if (values->bank == NULL) {
		fprintf(stderr, "--bank: missing: whose the units are now\n");
		return ENDING_FAULT;
	}
	arena_init(&note.arena);
	buffer_init(&note.text);
	buffer_init(&note.body);
	enum ending ending = prepare(&note, name) ? send_all(&note) : ENDING_FAULT;
	buffer_clear(&note.body);
	buffer_clear(&note.text);
	arena_clear(&note.arena);
	return ending;
}

static const struct column columns[] = { { .title = "UNIT" }, { .title = "BANK" }, { .title = "COMPONENT" },
	{ .title = "GROUP" }, { .title = "STATUS" }, { .title = "EXPIRES" }, { .title = "FOR REQUEST" }, { 0 } };

static void add_row(struct table *table, const json_t *item)
{
	const char *const cells[] = { listing_text(item, "unit_id"), listing_text(item, "bank_id"),
		listing_text(item, "component"), listing_text(item, "group"), listing_text(item, "status"),
		listing_text(item, "expires_at"), listing_text(item, "request_id") };
	table_add(table, cells, NULL);
}

static enum ending list(struct door *door, const struct units_values *values, const char *ignored)
{
	struct buffer path;
	(void)ignored;
	buffer_init(&path);
	buffer_add_text(&path, "/v1/blood-units");
	door_query(&path, "bank_id", values->bank);
	door_query(&path, "component", values->component);
	door_query(&path, "group", values->group);
	door_query(&path, "status", values->status);
	const struct listing listing = {
		.what = "reading the units",
		.path = buffer_text(&path),
		.limit = (size_t)values->limit,
		.is_json = strcmp(values->common.format, "json") == 0,
		.columns = columns,
		.add_row = add_row,
	};
	enum ending ending = listing_show(door, &listing);
	buffer_clear(&path);
	return ending;
}

static enum ending show(struct door *door, const struct units_values *values, const char *unit_id)
{
	char what[WHAT_BYTES];
	struct buffer path;
	snprintf(what, sizeof(what), "reading unit %.64s", unit_id);
	buffer_init(&path);
	buffer_add_text(&path, "/v1/blood-units/");
	door_part(&path, unit_id);
	enum ending ending =
		listing_show_one(door, what, buffer_text(&path), strcmp(values->common.format, "json") == 0);
	buffer_clear(&path);
	return ending;
}

static const struct verb {
	const char *name;
	size_t words; /* behind it */
	enum ending (*run)(struct door *door, const struct units_values *values, const char *word);
} verbs[] = {
	{ "list", 0, list },
	{ "receive", 1, receive },
	{ "show", 1, show },
};

static enum ending run_units(const void *values, const struct positionals *positionals)
{
	const struct verb *verb = NULL;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (positionals->count == verbs[i].words + 1 && strcmp(positionals->items[0], verbs[i].name) == 0)
			verb = &verbs[i];
	if (verb == NULL)
		fprintf(stderr,
			"write `carebus units receive FILE`, `carebus units list` or `carebus units show UNIT_ID`\n");
	struct door *door = verb == NULL ? NULL : door_new(stderr);
	if (door == NULL)
		return ENDING_FAULT;
	enum ending ending = verb->run(door, values, positionals->items[1]);
	door_free(door);
	return ending;
}

const struct command command_units = {
	.name = "units",
	.summary = "take units in, list them, show one",
	.arguments = " receive|list|show [FILE]",
	.details =
		"receive reads a file, or standard input where it is called -: a JSON array of units, or CSV whose header names\n"
		"their members (din, product_code, component, group, collected_at, ...; lists are parted by semicolons). All are\n"
		"checked before the first is sent, in parts of 200 at most; the same file again changes nothing. show takes the id of a\n"
		"unit instead of a file.\n"
		"Goes to the bridge at CAREBUS_HTTP with CAREBUS_TOKEN.\n"
		"Exit: 0 done (with --wait 0: accepted), 1 refused or unknown, 2 a fault, 3 accepted but not done in time.\n",
	.examples = "  carebus units receive delivery.csv --bank bank-001\n"
				"  carebus units list --bank bank-001 --group O- --status available\n"
				"  carebus units show A999926000001-E0336-00 -o json\n",
	.options = options,
	.values_bytes = sizeof(struct units_values),
	.run = run_units,
};
