/* A POST: its command is published, confirmed, and answered by the events that follow from it. */
#include "bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "command.h"
#include "guess.h"
#include "headers.h"

enum { IDEMPOTENCY_KEY_MAX = 255 };

static const struct command *command_of(const struct call *call)
{
	return call->route->command;
}

static bool is_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* A retry with the same key has the same id, and the worker answers it with what it answered the first. */
static bool name_message(struct call *call, struct problem *problem)
{
	const char *key = http_header(call->exchange, "Idempotency-Key");
	if (key == NULL) {
		uuid_random(call->message_id);
		return true;
	}
	if (key[0] == '\0' || strlen(key) > IDEMPOTENCY_KEY_MAX) {
		*problem = (struct problem){
			.status = 400, .code = "malformed", .detail = "Idempotency-Key has 1 to 255 characters"
		};
		return false;
	}
	const char *const names[] = { call->caller.subject, http_method(call->exchange),
		http_path(call->exchange), key, NULL };
	uuid_from_names(call->bridge->namespace_id, names, call->message_id);
	return true;
}

static bool is_json(const char *content_type)
{
	size_t length = content_type == NULL ? 0 : strcspn(content_type, "; \t");
	return length == strlen("application/json") && strncasecmp(content_type, "application/json", length) == 0;
}

/* A command without any member of its own may have no body. */
static bool check_type(const struct call *call, struct problem *problem)
{
	size_t body_bytes;
	http_body(call->exchange, &body_bytes);
	if (body_bytes == 0 || is_json(http_header(call->exchange, "Content-Type")))
		return true;
	*problem = (struct problem){
		.status = 415, .code = "unsupported_media_type", .detail = "send application/json"
	};
	return false;
}

/* A member of the command that is a text; NULL: it has no such one. */
static const char *text_member(enum event event, const void *body, const char *member)
{
	const struct schema *schema = event_type(event)->schema;
	for (size_t i = 0; member != NULL && i < schema->field_count; i++)
		if (schema->fields[i].kind == VALUE_TEXT && strcmp(schema->fields[i].name, member) == 0)
			return *(const char *const *)((const char *)body + schema->fields[i].offset);
	return NULL;
}

/* The command's own members that decide its way, and by which its decision is known. */
static void note_members(struct call *call, const void *body)
{
	enum event event = command_of(call)->event;
	call->is_emergency = event_urgency(event, body) == URGENCY_EMERGENCY;
	call->key = event_id(event, body);
	if (call->key == NULL)
		call->key = call->message_id;
	call->facility_id = text_member(event, body, command_of(call)->facility);
}

/* Preferences may be spread over several headers; the first that says how long counts. */
static long wait_wanted_s(const struct call *call)
{
	long wait_s = 0;
	const char *prefer = http_header(call->exchange, "Prefer");
	for (unsigned i = 1; wait_s == 0 && prefer != NULL; i++) {
		wait_s = prefer_wait_s(prefer, CALL_WAIT_MAX_S);
		prefer = http_nth_header(call->exchange, "Prefer", i);
	}
	return wait_s;
}

static bool prepare(struct call *call, struct problem *problem)
{
	size_t length;
	void *body;
	const char *text = http_body(call->exchange, &length);
	buffer_reset(&call->body); /* a question may have been there */
	if (!check_type(call, problem) || !name_message(call, problem)
		|| !command_write(command_of(call), &call->caller, call->id, call->message_id, text, length,
			&call->arena, &call->body, &body, problem))
		return false;
	note_members(call, body);
	if (command_of(call)->location != NULL)
		call->wait_s = wait_wanted_s(call);
	return true;
}

/* The event's fields at the top level. */
static void answer_event(struct call *call, unsigned status, const char *body, size_t body_bytes)
{
	struct http_answer answer = {
		.status = status,
		.content_type = "application/json",
		.body = body,
		.body_bytes = body_bytes,
		.headers = { { "Cache-Control", "no-store" } },
	};
	struct http_header *next = &answer.headers[1];
	if (command_of(call)->location != NULL)
		*next++ = (struct http_header){ "Location",
			arena_print(&call->arena, "%s%s", command_of(call)->location, call->key) };
	if (status == 202)
		*next++ = (struct http_header){ "Retry-After", "1" };
	if (call->wait_s > 0 && status == 200)
		*next =
			(struct http_header){ "Preference-Applied", arena_print(&call->arena, "wait=%ld", call->wait_s) };
	call_answer(call, &answer);
}

static void refuse_by_event(struct call *call, struct heard *heard)
{
	const char *reason = heard_text(heard, "reason");
	call_refuse(call,
		&(struct problem){
			.status = problem_status(reason == NULL ? "" : reason),
			.code = reason == NULL ? "refused" : reason,
			.detail = heard_text(heard, "detail"),
			.state = heard_text(heard, "state"),
		});
}

/* The id is the sender's choice: under one that another facility chose before, its decision is not his. */
static bool is_decision(const struct call *call, struct heard *heard)
{
	const struct command *command = command_of(call);
	for (const enum event *decided = command->decided; *decided != EVENT_NONE; decided++)
		if (*decided == heard->event)
			return is_same(heard_text(heard, command->key), call->key)
				&& is_same(heard_text(heard, command->facility), call->facility_id);
	return false;
}

static void note_accepted(struct call *call, const struct delivery *delivery)
{
	bool is_final = command_of(call)->decided[0] == EVENT_NONE;
	if (call->wait_s == 0 || is_final) {
		answer_event(call, is_final ? 200 : 202, delivery->body, delivery->body_bytes);
		return;
	}
	call->accepted = arena_bytes(&call->arena, delivery->body, delivery->body_bytes);
}

static void hear(struct call *call, struct heard *heard)
{
	bool is_caused = is_same(heard->delivery->causation_id, call->message_id);
	if (is_caused && heard->event == command_of(call)->refused)
		refuse_by_event(call, heard);
	else if (is_caused && heard->event == command_of(call)->accepted && call->accepted == NULL)
		note_accepted(call, heard->delivery);
	else if (call->wait_s > 0 && is_decision(call, heard))
		answer_event(call, 200, heard->delivery->body, heard->delivery->body_bytes);
}

/* Confirmed, so it will be done: 202, with what is known. */
static void answer_undecided(struct call *call)
{
	if (call->accepted != NULL) {
		answer_event(call, 202, call->accepted, strlen(call->accepted));
		return;
	}
	const struct guess *guess = command_of(call)->guess;
	if (guess == NULL) {
		answer_event(call, 202, buffer_text(&call->body), call->body.length_bytes);
		return;
	}
	char *text = guess_write(guess, call->key, buffer_text(&call->body), call->body.length_bytes);
	/* version 0 is stored only where nothing is there: whatever its owner tells of it is newer */
	links_put_view(call->bridge, arena_print(&call->arena, "view:%s:%s", guess->view, call->key), 0, text,
		strlen(text));
	answer_event(call, 202, text, strlen(text));
	free(text);
}

static void refuse_unconfirmed(struct call *call, const char *detail)
{
	call_refuse(call,
		&(struct problem){
			.status = 503,
			.code = "unavailable",
			.detail = detail,
			.headers = { { "Retry-After", "2" } },
		});
}

/* What was heard of it has arrived, whatever became of the connection. */
static void settle(struct call *call, enum settlement settlement)
{
	int64_t left_ms = CALL_ACCEPT_LIMIT_MS;
	if (call->wait_s > 0 && SECONDS(call->wait_s) > left_ms)
		left_ms = SECONDS(call->wait_s);
	call->on_late = answer_undecided;
	if (settlement == SETTLED_CONFIRMED || call->accepted != NULL)
		call_set_deadline(call, left_ms - (clock_steady_us() - call->started_us) / 1000);
	else if (settlement == SETTLED_RETURNED)
		refuse_unconfirmed(call, "no worker's queue takes this command now; tell the operator");
	else if (settlement == SETTLED_NACKED)
		refuse_unconfirmed(call, "the queue is full; try again");
	else
		refuse_unconfirmed(call,
			"the connection to the broker was lost: whether the command arrived is unknown; send it again with the same "
			"Idempotency-Key, or the same request_id");
}

static void end_unconfirmed(struct call *call)
{
	if (call->accepted != NULL)
		answer_undecided(call);
	else
		refuse_unconfirmed(call,
			"the broker did not confirm the command in time; send it again with the same Idempotency-Key");
}

static void post(struct call *call)
{
	struct problem problem;
	if (!prepare(call, &problem)) {
		call_refuse(call, &problem);
		return;
	}
	call->on_heard = hear;
	call->on_settled = settle;
	call->on_late = end_unconfirmed;
	call_set_deadline(call, CALL_CONFIRM_LIMIT_MS);
	call_send(call, command_of(call)->event);
}

void posting_begin(struct call *call)
{
	if (command_of(call)->about == NULL) {
		post(call);
		return;
	}
	call->on_found = post;
	reading_check(call, command_of(call)->about);
}
