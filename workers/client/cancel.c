/* carebus cancel: a request is no longer wanted. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "door.h"
#include "print.h"
#include "uuid.h"

enum { WHAT_BYTES = 80 };

struct cancel_values {
	struct common_values common;
	const char *reason, *by;
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
	{ .name = "by",
		.argument = "REF",
		.kind = OPTION_TEXT,
		.offset = AT(by),
		.help = "who cancels it, an opaque reference" },
	{ .name = "wait",
		.argument = "SECONDS",
		.kind = OPTION_NUMBER,
		.offset = AT(wait_s),
		.fallback = "10",
		.maximum = DOOR_WAIT_MAX_S,
		.help = "how long to wait for the answer; 0: not at all" },
	{ 0 },
};

static json_t *make_body(const struct cancel_values *values)
{
	return json_pack("{s:s, s:s*}", "reason", values->reason, "cancelled_by", values->by);
}

/* The same cancellation again is the same command. */
static void make_key(const char *request_id, const char *body, char key[UUID_TEXT_BYTES])
{
	static const unsigned char namespace_bytes[UUID_BYTES] = "carebus cancels ";
	uuid_from_names(namespace_bytes, (const char *const[]){ request_id, body, NULL }, key);
}

static enum ending tell(const struct cancel_values *values, const char *request_id,
	const struct door_answer *answer)
{
	bool is_undecided = answer->status == 202;
	if (strcmp(values->common.format, "json") == 0)
		print_json_value(answer->body);
	else if (is_undecided)
		printf("accepted, not yet done (202): `carebus requests show %s` tells what became of it\n",
			request_id);
	else
		printf("cancelled: request %s\n", request_id);
	return is_undecided && values->wait_s > 0 ? ENDING_NO_ANSWER : ENDING_DONE;
}

static enum ending cancel(struct door *door, const struct cancel_values *values, const char *request_id)
{
	char what[WHAT_BYTES], path[WHAT_BYTES], key[UUID_TEXT_BYTES];
	struct door_answer answer;
	json_t *body = make_body(values);
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (text == NULL) {
		fprintf(stderr, "--reason and --by have to be UTF-8\n");
		return ENDING_FAULT;
	}
	snprintf(what, sizeof(what), "cancelling %s", request_id);
	snprintf(path, sizeof(path), "/v1/blood-requests/%s/cancellation", request_id);
	make_key(request_id, text, key);
	const struct door_request request = {
		.method = "POST",
		.path = path,
		.body = text,
		.body_bytes = strlen(text),
		.key = key,
		.wait_s = values->wait_s,
	};
	enum ending ending = door_call(door, what, &request, &answer, stderr);
	if (ending == ENDING_DONE)
		ending = tell(values, request_id, &answer);
	door_answer_clear(&answer);
	free(text);
	return ending;
}

static enum ending run_cancel(const void *values, const struct positionals *positionals)
{
	char request_id[UUID_TEXT_BYTES];
	if (positionals->count != 1 || !uuid_canonical(positionals->items[0], request_id)) {
		fprintf(stderr, "write `carebus cancel REQUEST_ID --reason TEXT`; the id is a uuid\n");
		return ENDING_FAULT;
	}
	struct door *door = door_new(stderr);
	if (door == NULL)
		return ENDING_FAULT;
	enum ending ending = cancel(door, values, request_id);
	door_free(door);
	return ending;
}

const struct command command_cancel = {
	.name = "cancel",
	.summary = "cancel a request",
	.arguments = " REQUEST_ID",
	.details =
		"What is held for the request and not yet issued is free again. Goes to the bridge at CAREBUS_HTTP with CAREBUS_TOKEN.\n"
		"Exit: 0 cancelled (with --wait 0: accepted), 1 refused, 2 a fault, 3 accepted but not done in time.\n",
	.examples = "  carebus cancel 11111111-2222-4333-8444-555555555555 --reason 'operation postponed'\n",
	.options = options,
	.values_bytes = sizeof(struct cancel_values),
	.run = run_cancel,
};
