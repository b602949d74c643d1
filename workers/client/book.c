/* carebus book: a patient takes a slot. */
#include <stdio.h>
#include <string.h>

#include "chain.h"
#include "command.h"
#include "errand.h"
#include "option_rows.h"
#include "print.h"

enum { WHAT_BYTES = 128 };

struct book_values {
	struct common_values common;
	const char *patient, *reason, *hold_token, *by, *key;
	long wait_s;
	bool is_watched;
};

#define AT(member) offsetof(struct book_values, member)

static const struct option_row options[] = {
	{ .name = "patient",
		.argument = "REF",
		.kind = OPTION_TEXT,
		.offset = AT(patient),
		.is_required = true,
		.help = "for whom, an opaque reference, no name" },
	{ .name = "reason",
		.argument = "TEXT",
		.kind = OPTION_TEXT,
		.offset = AT(reason),
		.help = "why the patient comes; no names" },
	{ .name = "hold-token",
		.argument = "TOKEN",
		.kind = OPTION_TEXT,
		.offset = AT(hold_token),
		.help = "of a slot that is held" },
	OPTION_BY(AT(by), "who books it"),
	{ .name = "key",
		.argument = "TEXT",
		.kind = OPTION_TEXT,
		.offset = AT(key),
		.help = "to ask again for the same; default: a new one" },
	OPTION_WAIT(AT(wait_s), "how long to wait for the answer"),
	{ .name = "watch",
		.kind = OPTION_FLAG,
		.offset = AT(is_watched),
		.help = "show the events with their milliseconds" },
	{ 0 },
};

static json_t *make_body(const struct book_values *values, const char *slot_id)
{
	return json_pack("{s:s, s:s, s:s*, s:s*, s:s*}", "slot_id", slot_id, "patient_ref", values->patient,
		"reason", values->reason, "hold_token", values->hold_token, "by", values->by);
}

static void tell(const struct book_values *values, const struct door_answer *answer)
{
	char id[CELL_BYTES_MAX], starts_at[CELL_BYTES_MAX];
	print_safe(json_string_value(json_object_get(answer->body, "appointment_id")), id, sizeof(id));
	print_safe(json_string_value(json_object_get(answer->body, "starts_at")), starts_at, sizeof(starts_at));
	if (strcmp(values->common.format, "json") == 0)
		print_json_value(answer->body);
	else if (answer->status == 202)
		printf("accepted, not yet booked (202): appointment %s\n", id);
	else
		printf("booked: appointment %s at %s\n", id, starts_at);
}

/* The secret of a hold is not shown. */
static void begin_chain(struct chain *chain, const json_t *body)
{
	json_t *shown = json_deep_copy(body);
	json_object_del(shown, "hold_token");
	chain_begin_with(chain, APPOINTMENT_SLOT_BOOK, shown);
}

static void end_chain(struct chain *chain, enum ending ending, const struct door_answer *answer)
{
	const char *code = json_string_value(json_object_get(answer->body, "code"));
	const char *detail = json_string_value(json_object_get(answer->body, "detail"));
	if (ending == ENDING_DONE && answer->status == 200)
		chain_end(chain, APPOINTMENT_SLOT_BOOKED, json_deep_copy(answer->body), "booked", ENDING_DONE);
	else if (ending == ENDING_NO && code != NULL)
		chain_end(chain, APPOINTMENT_SLOT_REFUSED, json_pack("{s:s, s:s*}", "reason", code, "detail", detail),
			"refused", ENDING_NO);
	chain_finish(chain);
}

static enum ending book(struct door *door, const struct book_values *values, const char *slot_id)
{
	char what[WHAT_BYTES];
	struct door_answer answer;
	struct chain chain = { .id_name = "slot_id",
		.request_id = slot_id,
		.is_json = strcmp(values->common.format, "json") == 0,
		.has_color = print_has_color() };
	snprintf(what, sizeof(what), "booking %.90s", slot_id);
	const struct errand errand = {
		.what = what,
		.path = "/v1/appointments",
		.body = make_body(values, slot_id),
		.key = values->key,
		.wait_s = values->wait_s,
	};
	bool is_watched = values->is_watched && errand.body != NULL;
	if (is_watched)
		begin_chain(&chain, errand.body);
	enum ending ending = errand_run(door, &errand, &answer, stderr);
	if (is_watched)
		end_chain(&chain, ending, &answer);
	else if (ending == ENDING_DONE)
		tell(values, &answer);
	if (ending == ENDING_DONE)
		ending = errand_ending(&errand, &answer);
	door_answer_clear(&answer);
	return ending;
}

static enum ending run_book(const void *values, const struct positionals *positionals)
{
	if (positionals->count != 1) {
		fprintf(stderr, "write `carebus book SLOT_ID --patient REF`; `carebus slots` shows the slots\n");
		return ENDING_FAULT;
	}
	struct door *door = door_new(stderr);
	if (door == NULL)
		return ENDING_FAULT;
	enum ending ending = book(door, values, positionals->items[0]);
	door_free(door);
	return ending;
}

const struct command command_book = {
	.name = "book",
	.summary = "book a slot for a patient",
	.arguments = " SLOT_ID",
	.details =
		"A slot is booked once, whoever asks at the same time. Goes to the bridge at CAREBUS_HTTP with\n"
		"CAREBUS_TOKEN. With --watch the events are shown as `carebus request` shows its own.\n"
		"Exit: 0 booked (with --wait 0: accepted), 1 refused, 2 a fault, 3 accepted but not done in time.\n",
	.examples = "  carebus book dr-adams.20260302.0900 --patient patient-0042 --reason cough\n"
				"  carebus book dr-adams.20260302.0915 --patient patient-0043 --watch\n",
	.options = options,
	.values_bytes = sizeof(struct book_values),
	.run = run_book,
};
