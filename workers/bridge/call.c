/* The list of calls, what they hear, and their end. */
#include "call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge.h"
#include "clock.h"

enum { KEY_BYTES = ROUTE_ID_MAX + 32 }; /* of a view */

const json_t *heard_body(struct heard *heard)
{
	if (!heard->is_parsed)
		heard->body = json_loadb(heard->delivery->body, heard->delivery->body_bytes, 0, NULL);
	heard->is_parsed = true;
	return heard->body;
}

const char *heard_text(struct heard *heard, const char *member)
{
	return json_string_value(json_object_get(heard_body(heard), member));
}

static void release(struct call *call)
{
	if (!call->is_over || call->references > 0)
		return;
	arena_clear(&call->arena);
	buffer_clear(&call->body);
	free(call);
}

static void end(struct call *call)
{
	struct calls *calls = &call->bridge->calls;
	if (call->exchange != NULL)
		http_set_data(call->exchange, NULL);
	if (call->previous != NULL)
		call->previous->next = call->next;
	else
		calls->first = call->next;
	if (call->next != NULL)
		call->next->previous = call->previous;
	calls->count--;
	call->is_over = true;
	release(call);
}

static void leave(struct bridge *bridge, struct guest *guest)
{
	struct call *call = (struct call *)guest;
	(void)bridge;
	call->exchange = NULL;
	end(call);
}

struct call *call_new(struct bridge *bridge, struct http_exchange *exchange, const struct route *route,
	const struct caller *caller, const char *id)
{
	struct calls *calls = &bridge->calls;
	if (calls->count == CALLS_MAX)
		return NULL;
	struct call *call = calloc(1, sizeof(*call));
	if (call == NULL)
		abort();
	call->guest.leave = leave;
	call->bridge = bridge;
	call->exchange = exchange;
	call->route = route;
	call->caller = *caller;
	memcpy(call->id, id, sizeof(call->id));
	call->started_us = clock_steady_us();
	call->deadline_ms = INT64_MAX;
	arena_init(&call->arena);
	buffer_init(&call->body);
	call->next = calls->first;
	if (call->next != NULL)
		call->next->previous = call;
	calls->first = call;
	calls->count++;
	http_set_data(exchange, call);
	return call;
}

void call_answer(struct call *call, const struct http_answer *answer)
{
	if (call->exchange != NULL)
		bridge_answer(call->bridge, call->exchange, call->started_us, answer);
	end(call);
}

void call_refuse(struct call *call, const struct problem *problem)
{
	if (call->exchange != NULL)
		bridge_refuse(call->bridge, call->exchange, call->started_us, problem);
	end(call);
}

void call_set_deadline(struct call *call, int64_t in_ms)
{
	struct calls *calls = &call->bridge->calls;
	call->deadline_ms = clock_steady_ms() + in_ms;
	if (call->deadline_ms < calls->next_ms)
		calls->next_ms = call->deadline_ms;
}

void call_read_view(struct call *call, const char *name, const char *id)
{
	struct bridge *bridge = call->bridge;
	char key[KEY_BYTES];
	snprintf(key, sizeof(key), "view:%s:%s", name, id);
	call->references++;
	call->views_incarnation = bridge->views_incarnation;
	if (keyvalue_get(bridge->views, key, call))
		return;
	call->references--;
	call->on_view(call, 0, NULL, 0);
}

void call_view_read(void *owner, void *token, bool is_read, int64_t version, const char *body,
	size_t body_bytes)
{
	struct call *call = token;
	struct bridge *bridge = owner;
	bool is_hit = is_read && body != NULL;
	call->references--;
	bridge_count(bridge, is_hit ? METRIC_VIEW_HITS : METRIC_VIEW_MISSES);
	if (call->is_over)
		release(call);
	else
		call->on_view(call, version, is_hit ? body : NULL, body_bytes);
}

/* Views are put for whoever reads next: nobody waits for them. */
void call_view_stored(void *owner, void *token, bool is_stored)
{
	(void)owner;
	(void)token;
	(void)is_stored;
}

static void refuse_unsent(struct call *call, const char *detail)
{
	call_refuse(call,
		&(struct problem){
			.status = 503,
			.code = "unavailable",
			.detail = detail,
			.headers = { { "Retry-After", "2" } },
		});
}

void call_send(struct call *call, enum event event)
{
	struct bridge *bridge = call->bridge;
	const struct event_type *type = event_type(event);
	struct why why = { 0 };
	const struct publication publication = {
		.exchange = type->exchange,
		.routing_key = call->is_emergency && type->has_emergency_lane
			? arena_print(&call->arena, "%s.emergency", type->name)
			: type->name,
		.message_id = call->message_id,
		.correlation_id = call->message_id,
		.type = type->name,
		.app_id = "bridge",
		.reply_to = bridge->asker,
		.traceparent = call->exchange == NULL ? NULL : http_header(call->exchange, "traceparent"),
		.schema_version = type->schema_version,
		.timestamp_s = clock_now_us() / MICROSECONDS_PER_SECOND,
		.body = buffer_text(&call->body),
		.body_bytes = call->body.length_bytes,
		.is_mandatory = type->mandatory,
	};
	if (publisher_room(bridge->speaker) == 0 || !consumer_is_open(bridge->listener)) {
		refuse_unsent(call, "the message broker is not there or takes nothing now; try again");
		return;
	}
	call->references++;
	if (publisher_send(bridge->speaker, &publication, call, &why)) {
		bridge_count(bridge, METRIC_SENT);
		return;
	}
	call->references--;
	refuse_unsent(call, "the message broker went away; try again");
}

void call_settled(void *owner, void *token, enum settlement settlement)
{
	struct call *call = token;
	(void)owner;
	call->references--;
	if (call->is_over)
		release(call);
	else
		call->on_settled(call, settlement);
}

void calls_hear(struct calls *calls, struct heard *heard)
{
	struct call *next;
	for (struct call *call = calls->first; call != NULL; call = next) {
		next = call->next;
		if (call->on_heard != NULL)
			call->on_heard(call, heard);
	}
}

void calls_expire(struct calls *calls)
{
	int64_t now_ms = clock_steady_ms();
	struct call *next;
	if (now_ms < calls->next_ms)
		return;
	calls->next_ms = INT64_MAX;
	for (struct call *call = calls->first; call != NULL; call = next) {
		next = call->next;
		if (call->deadline_ms > now_ms) {
			if (call->deadline_ms < calls->next_ms)
				calls->next_ms = call->deadline_ms;
			continue;
		}
		call->deadline_ms = INT64_MAX;
		call->on_late(call);
	}
}

void calls_clear(struct calls *calls)
{
	struct call *next;
	for (struct call *call = calls->first; call != NULL; call = next) {
		next = call->next;
		refuse_unsent(call,
			"the bridge stops; try again, with the same Idempotency-Key nothing happens twice");
	}
}
