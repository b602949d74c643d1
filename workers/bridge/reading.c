/* GETs: a view from Redis; where there is none, a question to the worker that owns the thing. */
#include "bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "headers.h"
#include "query.h"

static const struct reading *reading_of(const struct call *call)
{
	return call->route->kind == ROUTE_COMMAND ? call->route->command->about : call->route->reading;
}

static void refuse(struct call *call, unsigned status, const char *code, const char *detail)
{
	call_refuse(call, &(struct problem){ .status = status, .code = code, .detail = detail });
}

static void refuse_absent(struct call *call)
{
	refuse(call, 404, "not_found", "there is no such thing, or not any more");
}

static bool is_known(const struct call *call, const char *etag)
{
	const char *header = http_header(call->exchange, "If-None-Match");
	for (unsigned i = 1; header != NULL; i++) {
		if (etag_is_named(header, etag))
			return true;
		header = http_nth_header(call->exchange, "If-None-Match", i);
	}
	return false;
}

/* Body and version of the thing: shown, or enough for the command that is about it. */
static void show(struct call *call, int64_t version, const char *body, size_t body_bytes)
{
	char etag[32], as_of[TIME_TEXT_BYTES];
	snprintf(etag, sizeof(etag), "\"%lld\"", (long long)version);
	struct http_answer answer = {
		.status = 200,
		.headers = { { "ETag", etag }, { "Cache-Control", "private, no-cache" } },
	};
	if (is_known(call, etag)) {
		answer.status = 304;
		call_answer(call, &answer);
		return;
	}
	struct buffer text;
	buffer_init(&text);
	time_print(clock_now_us(), as_of);
	buffer_add(&text, body, body_bytes - 1); /* without its last brace */
	buffer_print(&text, ",\"as_of\":\"%s\"}", as_of);
	answer.content_type = "application/json";
	answer.body = buffer_text(&text);
	answer.body_bytes = text.length_bytes;
	call_answer(call, &answer);
	buffer_clear(&text);
}

/* Whose is it? Parsed only for callers who may not see all. */
static bool is_covered(const struct call *call, const char *body, size_t body_bytes)
{
	const struct reading *reading = reading_of(call);
	if (call->caller.facility_id[0] == '\0' || reading->is_for_all)
		return true;
	json_t *thing = json_loadb(body, body_bytes, 0, NULL);
	bool is_his = caller_covers(&call->caller, json_string_value(json_object_get(thing, reading->facility)));
	json_decref(thing);
	return is_his;
}

/* Only he who sent it knows the id of what is guessed, and a guess holds nothing but what he sent. */
static bool show_guess(struct call *call)
{
	if (call->guess == NULL)
		return false;
	show(call, 0, call->guess, strlen(call->guess));
	return true;
}

static void found(struct call *call, int64_t version, const char *body, size_t body_bytes)
{
	if (!is_covered(call, body, body_bytes))
		refuse(call, 403, "forbidden", "it is another facility's");
	else if (call->route->kind == ROUTE_COMMAND)
		call->on_found(call);
	else
		show(call, version, body, body_bytes);
}

/*
 * What its owner answered fills the cache, if the connection to Redis is still the one that missed it: a Redis that was emptied since
 * may have lost a newer version.
 */
static void fill_view(struct call *call, int64_t version, const char *body)
{
	struct bridge *bridge = call->bridge;
	const char *view = reading_of(call)->view;
	if (view != NULL && !reading_of(call)->is_guess && call->views_incarnation == bridge->views_incarnation)
		links_put_view(bridge, arena_print(&call->arena, "view:%s:%s", view, call->id), version, body,
			strlen(body));
}

static void take_thing(struct call *call, struct heard *heard)
{
	const json_t *thing = json_object_get(heard_body(heard), reading_of(call)->item);
	if (thing == NULL) {
		if (!show_guess(call))
			refuse_absent(call);
		return;
	}
	char *body = json_dumps(thing, JSON_COMPACT);
	if (body == NULL)
		abort();
	int64_t version = json_integer_value(json_object_get(thing, "version"));
	fill_view(call, version, body);
	found(call, version, body, strlen(body));
	free(body);
}

static const struct {
	const char *reason;
	unsigned status;
	const char *detail;
} unfounds[] = {
	{ "unknown_provider", 404, "there is no provider of this id: nobody has published hours for it" },
	{ "too_late", 422, "that day is over where the clinic is; ask for today or later" },
	{ "beyond_horizon", 422,
		"that day is further ahead than this provider can be booked; ask for an earlier one" },
};

/* An answer that tells why there is nothing to show. */
static bool refuse_unfound(struct call *call, struct heard *heard)
{
	if (!json_is_false(json_object_get(heard_body(heard), "found")))
		return false;
	const char *reason = heard_text(heard, "reason");
	for (size_t i = 0; reason != NULL && i < sizeof(unfounds) / sizeof(unfounds[0]); i++) {
		if (strcmp(unfounds[i].reason, reason) != 0)
			continue;
		refuse(call, unfounds[i].status, reason, unfounds[i].detail);
		return true;
	}
	refuse_absent(call);
	return true;
}

/* A page is shown as it came; where there is a next one, a Link says so (RFC 8288). */
static void take_page(struct call *call, struct heard *heard)
{
	if (refuse_unfound(call, heard))
		return;
	struct http_answer answer = {
		.status = 200,
		.content_type = "application/json",
		.body = heard->delivery->body,
		.body_bytes = heard->delivery->body_bytes,
		.headers = { { "Cache-Control", "private, no-cache" } },
	};
	const char *next = heard_text(heard, "next");
	if (next != NULL)
		answer.headers[1] =
			(struct http_header){ "Link", query_link(call->exchange, call->route, next, &call->arena) };
	call_answer(call, &answer);
}

static void hear(struct call *call, struct heard *heard)
{
	const char *cause = heard->delivery->causation_id;
	if (heard->event != reading_of(call)->answer || cause == NULL || strcmp(cause, call->message_id) != 0)
		return;
	call->on_heard = NULL;
	if (call->day[0] != '\0')
		slots_take(call, heard->delivery->body, heard->delivery->body_bytes);
	if (reading_of(call)->item != NULL)
		take_thing(call, heard);
	else
		take_page(call, heard);
}

static void refuse_unanswered(struct call *call)
{
	if (show_guess(call))
		return;
	call_refuse(call,
		&(struct problem){
			.status = 503,
			.code = "unavailable",
			.detail = "the worker that knows it does not answer now; try again",
			.headers = { { "Retry-After", "2" } },
		});
}

/* A question that was confirmed goes on waiting; all else is over. */
static void settle(struct call *call, enum settlement settlement)
{
	if (settlement != SETTLED_CONFIRMED && call->on_heard == hear)
		refuse_unanswered(call);
}

static void set_limit(struct call *call)
{
	call->on_late = refuse_unanswered;
	call_set_deadline(call, CALL_ANSWER_LIMIT_MS);
}

void reading_ask(struct call *call)
{
	uuid_random(call->message_id);
	call->on_heard = hear;
	call->on_settled = settle;
	set_limit(call);
	call_send(call, reading_of(call)->question);
}

/* A path's id that the contract does not allow names nothing. */
static bool make_question(struct call *call)
{
	const struct schema *schema = event_type(reading_of(call)->question)->schema;
	json_t *object = json_pack("{s:s}", reading_of(call)->id_member, call->id);
	char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
	struct why why;
	void *question;
	json_decref(object);
	bool is_good = text != NULL && schema_read(schema, text, strlen(text), &call->arena, &question, &why);
	free(text);
	buffer_reset(&call->body);
	return is_good && schema_write(schema, question, &call->body);
}

static void take_view(struct call *call, int64_t version, const char *body, size_t body_bytes)
{
	bool is_there = body != NULL && body_bytes > 2 && body[body_bytes - 1] == '}';
	if (is_there && reading_of(call)->is_guess)
		call->guess = arena_bytes(&call->arena, body, body_bytes);
	if (is_there && call->guess == NULL)
		found(call, version, body, body_bytes);
	else if (make_question(call))
		reading_ask(call);
	else
		refuse_absent(call);
}

void reading_check(struct call *call, const struct reading *reading)
{
	call->on_view = take_view;
	if (reading->view == NULL)
		take_view(call, 0, NULL, 0);
	else
		call_read_view(call, arena_print(&call->arena, "view:%s:%s", reading->view, call->id));
}

static void list(struct call *call)
{
	struct problem problem;
	const struct reading *reading = reading_of(call);
	struct query query = {
		.exchange = call->exchange,
		.route = call->route,
		.schema = event_type(reading->question)->schema,
		.facility = reading->is_for_all ? NULL : reading->facility,
		.caller = &call->caller,
	};
	if (query_write(&query, &call->arena, &call->body, &problem))
		reading_ask(call);
	else
		call_refuse(call, &problem);
}

void reading_begin(struct call *call)
{
	if (reading_of(call)->id_member != NULL) {
		reading_check(call, reading_of(call));
	} else if (reading_of(call)->is_cached && slots_fit(call)) {
		set_limit(call);
		slots_read(call);
	} else {
		list(call);
	}
}
