/* The list of calls, what they hear, and their end. */
#include "call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bridge.h"
#include "clock.h"
#include "headers.h"

static void free_unused(struct call *call)
{
	if (call->is_swept && call->references == 0)
		free(call);
}

static void end(struct call *call)
{
	struct calls *calls = &call->bridge->calls;
	if (call->exchange != NULL)
		http_set_data(call->exchange, NULL);
	call->exchange = NULL;
	call->is_over = true;
	call->next_over = calls->first_over;
	calls->first_over = call;
	calls->count--;
	slots_leave(call);
}

static void leave(struct bridge *bridge, struct guest *guest)
{
	(void)bridge;
	end((struct call *)guest);
}

/* Counted only when it may matter. */
static bool has_share(const struct calls *calls, const struct caller *caller)
{
	size_t count = 0;
	if (calls->count < CALLS_SHARE_MAX)
		return true;
	for (const struct call *call = calls->first; call != NULL; call = call->next)
		count += !call->is_over && strcmp(call->caller.subject, caller->subject) == 0;
	return count < CALLS_SHARE_MAX;
}

struct call *call_new(struct bridge *bridge, struct http_exchange *exchange, const struct route *route,
	const struct caller *caller, const char *id)
{
	struct calls *calls = &bridge->calls;
	if (calls->count == CALLS_MAX || !has_share(calls, caller))
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
	call->flight = FLIGHT_ALONE;
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
	bridge_answer(call->bridge, call->exchange, call->started_us, answer);
	end(call);
}

void call_refuse(struct call *call, const struct problem *problem)
{
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

void call_read_view(struct call *call, const char *key)
{
	struct bridge *bridge = call->bridge;
	call->references++;
	call->views_incarnation = bridge->views_incarnation;
	if (links_read_view(bridge, key, call))
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
		free_unused(call);
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

/* What goes on in the caller's trace; what is none of the standard's stays outside. */
static const char *trace_of(const struct call *call)
{
	const char *text = http_header(call->exchange, "traceparent");
	return text != NULL && traceparent_is_good(text) ? text : NULL;
}

static struct publication make_publication(struct call *call, enum event event)
{
	const struct event_type *type = event_type(event);
	bool is_emergency = call->is_emergency && type->has_emergency_lane;
	return (struct publication){
		.exchange = type->exchange,
		.routing_key = is_emergency ? arena_print(&call->arena, "%s.emergency", type->name) : type->name,
		.message_id = call->message_id,
		.correlation_id = call->message_id,
		.type = type->name,
		.app_id = "bridge",
		.reply_to = call->bridge->asker,
		.traceparent = trace_of(call),
		.schema_version = type->schema_version,
		.timestamp_s = clock_now_us() / MICROSECONDS_PER_SECOND,
		.body = buffer_text(&call->body),
		.body_bytes = call->body.length_bytes,
		.is_mandatory = type->mandatory,
	};
}

static void publish(struct call *call, enum event event)
{
	const struct publication publication = make_publication(call, event);
	call->references++;
	if (links_send(call->bridge, &publication, &call->sendings[call->sendings_count - 1])) {
		bridge_count(call->bridge, METRIC_SENT);
		return;
	}
	call->references--;
	refuse_unsent(call, "the message broker went away; try again");
}

/* False: there is no room now. */
static bool try_to_send(struct call *call, enum event event)
{
	enum room room = links_room(call->bridge);
	if (room == ROOM_LATER)
		return false;
	if (room == ROOM_NOW)
		publish(call, event);
	else
		refuse_unsent(call, "the message broker is not there or takes nothing now; try again");
	return true;
}

static void wait_for_room(struct calls *calls, struct call *call, enum event event)
{
	call->unsent = event;
	call->references++;
	if (calls->first_unsent == NULL)
		calls->first_unsent = call;
	else
		calls->last_unsent->next_unsent = call;
	calls->last_unsent = call;
}

/* From now on the broker's answers to what was sent before are nobody's. Nobody overtakes those that wait for room. */
void call_send(struct call *call, enum event event)
{
	struct calls *calls = &call->bridge->calls;
	assert(call->sendings_count < CALL_SENDINGS_MAX);
	call->sendings[call->sendings_count++].call = call;
	if (calls->first_unsent != NULL || !try_to_send(call, event))
		wait_for_room(calls, call, event);
}

void calls_send(struct calls *calls)
{
	while (calls->first_unsent != NULL) {
		struct call *call = calls->first_unsent;
		if (!call->is_over && !try_to_send(call, call->unsent))
			return;
		calls->first_unsent = call->next_unsent;
		call->next_unsent = NULL;
		call->references--;
		free_unused(call);
	}
}

void call_settled(void *owner, void *token, enum settlement settlement)
{
	struct sending *sending = token;
	(void)owner;
	if (sending == NULL) /* the cache's: whoever waits for it notices */
		return;
	struct call *call = sending->call;
	call->references--;
	if (call->is_over)
		free_unused(call);
	else if (sending == &call->sendings[call->sendings_count - 1])
		call->on_settled(call, settlement);
}

void calls_hear(struct calls *calls, struct heard *heard)
{
	for (struct call *call = calls->first; call != NULL; call = call->next)
		if (!call->is_over && call->on_heard != NULL)
			call->on_heard(call, heard);
}

/* Calls its `late` when its time is over; notes when the next one's is. */
static void expire(struct calls *calls, struct call *call, int64_t now_ms)
{
	if (call->is_over)
		return;
	if (call->deadline_ms <= now_ms) {
		call->deadline_ms = INT64_MAX;
		call->on_late(call);
	} else if (call->deadline_ms < calls->next_ms) {
		calls->next_ms = call->deadline_ms;
	}
}

void calls_expire(struct calls *calls)
{
	int64_t now_ms = clock_steady_ms();
	if (now_ms < calls->next_ms)
		return;
	calls->next_ms = INT64_MAX;
	for (struct call *call = calls->first; call != NULL; call = call->next)
		expire(calls, call, now_ms);
}

static void sweep(struct calls *calls, struct call *call)
{
	if (call->previous != NULL)
		call->previous->next = call->next;
	else
		calls->first = call->next;
	if (call->next != NULL)
		call->next->previous = call->previous;
	arena_clear(&call->arena);
	buffer_clear(&call->body);
	call->is_swept = true;
	free_unused(call);
}

void calls_sweep(struct calls *calls)
{
	while (calls->first_over != NULL) {
		struct call *over = calls->first_over;
		calls->first_over = over->next_over;
		sweep(calls, over);
	}
}

void calls_clear(struct calls *calls)
{
	for (struct call *call = calls->first; call != NULL; call = call->next)
		if (!call->is_over)
			refuse_unsent(call,
				"the bridge stops; try again, with the same Idempotency-Key nothing happens twice");
	calls_send(calls); /* lets go of those that waited for room */
	calls_sweep(calls);
}
