/* carebus cancel: a request for blood, or an appointment, is no longer wanted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "errand.h"
#include "option_rows.h"
#include "print.h"
#include "uuid.h"

enum { WHAT_BYTES = 80 };

struct cancel_values {
	struct common_values common;
	const char *reason, *by, *kind;
	long wait_s;
};

#define AT(member) offsetof(struct cancel_values, member)

static const struct option_row options[] = {
	{ .name = "reason",
		.argument = "TEXT",
		.kind = OPTION_TEXT,
		.offset = AT(reason),
		.is_required = true,
		.help = "why; no names" },
	OPTION_BY(AT(by), "who cancels it"),
	{ .name = "kind",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(kind),
		.choices = "request|appointment",
		.help = "what the id is of; default: whichever it is found to be" },
	OPTION_WAIT(AT(wait_s), "how long to wait for the answer"),
	{ 0 },
};

/* What can be cancelled. An id is one of one kind alone. */
static const struct kind {
	const char *name;
	const char *paths; /* below /v1/ */
	const char *by_member;
	const char *look; /* shows its state */
} kinds[] = {
	{ "request", "blood-requests", "cancelled_by", "requests show" },
	{ "appointment", "appointments", "by", "cancel --kind appointment" },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* One kind that was tried. */
struct attempt {
	char *faults; /* what stood in the way; owned */
	long status;  /* of HTTP */
	enum ending ending;
};

/* The same cancellation again is the same command. */
static void make_key(const char *id, const struct cancel_values *values, char key[UUID_TEXT_BYTES])
{
	static const unsigned char namespace_bytes[UUID_BYTES] = "carebus cancels ";
	const char *by = values->by == NULL ? "" : values->by;
	uuid_from_names(namespace_bytes, (const char *const[]){ id, values->reason, by, NULL }, key);
}

static void tell(const struct cancel_values *values, const struct kind *kind, const char *id,
	const struct door_answer *answer)
{
	if (strcmp(values->common.format, "json") == 0) {
		print_json_value(answer->body);
	} else if (answer->status == 202) {
		printf("accepted, not yet done (202): `carebus %s %s` tells what became of it\n", kind->look, id);
	} else {
		printf("cancelled: %s %s\n", kind->name, id);
	}
}

static struct attempt try_to_cancel(struct door *door, const struct cancel_values *values,
	const struct kind *kind, const char *id)
{
	char what[WHAT_BYTES], path[WHAT_BYTES], key[UUID_TEXT_BYTES];
	struct door_answer answer;
	struct attempt attempt = { .faults = NULL };
	size_t faults_bytes;
	FILE *faults = open_memstream(&attempt.faults, &faults_bytes);
	if (faults == NULL)
		abort();
	snprintf(what, sizeof(what), "cancelling %s", id);
	snprintf(path, sizeof(path), "/v1/%s/%s/cancellation", kind->paths, id);
	make_key(id, values, key);
	const struct errand errand = {
		.what = what,
		.path = path,
		.body = json_pack("{s:s, s:s*}", "reason", values->reason, kind->by_member, values->by),
		.key = key,
		.wait_s = values->wait_s,
	};
	attempt.ending = errand_run(door, &errand, &answer, faults);
	attempt.status = answer.status;
	if (attempt.ending == ENDING_DONE) {
		tell(values, kind, id, &answer);
		attempt.ending = errand_ending(&errand, &answer);
	}
	door_answer_clear(&answer);
	fclose(faults);
	return attempt;
}

/* Not of this kind, or of a kind that is not for this token. */
static bool may_be_another(const struct attempt *attempt)
{
	return attempt->status == 404 || attempt->status == 403;
}

/* What a kind that was not meant said is left out, unless it may have been the one. */
static enum ending cancel(struct door *door, const struct cancel_values *values, const char *id)
{
	struct attempt first = { .faults = NULL, .ending = ENDING_FAULT, .status = 404 };
	for (size_t i = 0; i < KINDS && may_be_another(&first); i++) {
		if (values->kind != NULL && strcmp(values->kind, kinds[i].name) != 0)
			continue;
		struct attempt next = try_to_cancel(door, values, &kinds[i], id);
		bool is_told = first.faults != NULL && first.status == 403 && may_be_another(&next);
		if (is_told)
			fputs(first.faults, stderr);
		free(first.faults);
		first = next;
	}
	fputs(first.faults, stderr);
	free(first.faults);
	return first.ending;
}

static enum ending run_cancel(const void *values, const struct positionals *positionals)
{
	char id[UUID_TEXT_BYTES];
	if (positionals->count != 1 || !uuid_canonical(positionals->items[0], id)) {
		fprintf(stderr,
			"write `carebus cancel ID --reason TEXT`; the id, of a request or an appointment, is a uuid\n");
		return ENDING_FAULT;
	}
	struct door *door = door_new(stderr);
	if (door == NULL)
		return ENDING_FAULT;
	enum ending ending = cancel(door, values, id);
	door_free(door);
	return ending;
}

const struct command command_cancel = {
	.name = "cancel",
	.summary = "cancel a request for blood, or an appointment",
	.arguments = " ID",
	.details =
		"What is held for a request and not yet issued is free again, and so is an appointment's slot. Goes to the bridge at\n"
		"CAREBUS_HTTP with CAREBUS_TOKEN, which is asked for the one and then for the other, unless --kind says which it is.\n"
		"Exit: 0 cancelled (with --wait 0: accepted), 1 refused, 2 a fault, 3 accepted but not done in time.\n",
	.examples =
		"  carebus cancel 11111111-2222-4333-8444-555555555555 --reason 'operation postponed'\n"
		"  carebus cancel 22222222-3333-4444-8555-666666666666 --reason 'feels better' --kind appointment\n",
	.options = options,
	.values_bytes = sizeof(struct cancel_values),
	.run = run_cancel,
};
