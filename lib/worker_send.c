/* After the commit: publish the outputs, until all of them are confirmed. */
#include "worker_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
	SENDING_MIN = 256,
	ROOM_FOR_CACHES = 128, /* of the publisher's window: others wait for what a cache says */
};

static void drop_deliveries(struct flight *flight)
{
	for (size_t i = 0; i < flight->deliveries_count; i++)
		delivery_free(flight->deliveries[i]);
	flight->deliveries_count = 0;
}

static void release(struct flight *flight)
{
	drop_deliveries(flight);
	arena_reset(&flight->arena);
	arena_reset(&flight->round_arena);
	flight->is_used = false;
}

static void queue_output(struct runtime *runtime, struct output *output)
{
	if (runtime->sending_count == runtime->sending_capacity) {
		size_t capacity = runtime->sending_capacity == 0 ? SENDING_MIN : runtime->sending_capacity * 2;
		struct output **ring = calloc(capacity, sizeof(struct output *));
		if (ring == NULL)
			abort();
		for (size_t i = 0; i < runtime->sending_count; i++)
			ring[i] = runtime->sending[(runtime->sending_first + i) % runtime->sending_capacity];
		free(runtime->sending);
		runtime->sending = ring;
		runtime->sending_first = 0;
		runtime->sending_capacity = capacity;
	}
	runtime->sending[(runtime->sending_first + runtime->sending_count++) % runtime->sending_capacity] =
		output;
}

static void mark_sent(struct runtime *runtime, const struct output *output)
{
	struct marks *marks = &runtime->marks[0];
	if (!output->is_stored || marks->count >= MARKS_MAX)
		return; /* beyond the limit the sweeper sends it again, harmlessly */
	if (marks->count++ == 0)
		runtime->marks_since_ms = clock_steady_ms();
	parameter_uuid(&marks->columns[0], output->cause_id);
	parameter_int(&marks->columns[1], output->ordinal);
}

static void finish_if_settled(struct runtime *runtime, struct flight *flight)
{
	if (flight->unsettled_events == 0 && flight->deliveries_count > 0) {
		acks_note(runtime, flight);
		drop_deliveries(flight);
	}
	if (flight->unsettled_events == 0 && flight->unsettled_views == 0)
		release(flight);
}

static bool put_view(struct runtime *runtime, struct output *output)
{
	char key[512];
	int length = snprintf(key, sizeof(key), "view:%s:%s", output->type, output->routing_key);
	return length > 0 && (size_t)length < sizeof(key)
		&& keyvalue_put(runtime->keyvalue, key, output->version, output->body, output->body_bytes, output);
}

/* A view that no longer exists has nothing to be stored. While Redis is away the row stays unsent: the sweeper reads it again. */
static void launch_view(struct runtime *runtime, struct output *output)
{
	if (output->body == NULL)
		mark_sent(runtime, output);
	else if (put_view(runtime, output))
		return;
	output->flight->unsettled_views--;
}

/* Counted before anything is sent: the first answer must not find the flight settled. */
static void launch_outputs(struct runtime *runtime, struct flight *flight, const struct outbox *outbox)
{
	struct output *next;
	for (struct output *output = outbox->first; output != NULL; output = next) {
		next = output->next;
		output->flight = flight;
		if (output->is_view)
			launch_view(runtime, output);
		else
			queue_output(runtime, output);
	}
}

static void count_outputs(struct flight *flight, const struct outbox *outbox)
{
	for (const struct output *output = outbox->first; output != NULL; output = output->next) {
		flight->unsettled_views += output->is_view;
		flight->unsettled_events += !output->is_view;
	}
}

static struct publication publication_of(const struct runtime *runtime, const struct output *output)
{
	return (struct publication){
		.exchange = output->exchange,
		.routing_key = output->routing_key,
		.message_id = output->message_id,
		.correlation_id = output->correlation_id,
		.type = output->type,
		.app_id = runtime->worker->name,
		.traceparent = output->traceparent,
		.causation_id = output->causation_id,
		.sender = output->sender,
		.reason = output->reason,
		.detail = output->detail,
		.attempts = output->attempts,
		.schema_version = output->schema_version,
		.timestamp_s = output->created_at / MICROSECONDS_PER_SECOND,
		.body = output->body,
		.body_bytes = output->body_bytes,
		.is_mandatory = output->is_mandatory,
	};
}

static bool is_parked_copy(const struct output *output)
{
	return output->reason != NULL;
}

/* Answers to questions are not: the asker waits no longer than a moment, and one that the broker refuses must not come back for ever. */
static bool is_worth_repeating(const struct output *output)
{
	return output->is_stored || is_parked_copy(output);
}

static void settle_output(struct runtime *runtime, struct output *output)
{
	output->flight->unsettled_events--;
	finish_if_settled(runtime, output->flight);
}

/* The broker answers, the queue is full or away: a restart would not help, so this is no standstill. */
static void try_later(struct runtime *runtime, struct output *output)
{
	if (!is_worth_repeating(output)) {
		settle_output(runtime, output);
		return;
	}
	unsigned doublings = output->tries < NACK_DOUBLINGS_MAX ? output->tries : NACK_DOUBLINGS_MAX;
	output->tries++;
	runtime->progress_ms = clock_steady_ms();
	runtime->sending_pause_until_ms = clock_steady_ms() + ((int64_t)NACK_PAUSE_MS << doublings);
	queue_output(runtime, output);
}

bool flight_is_free(const struct runtime *runtime)
{
	for (size_t i = 0; i < FLIGHTS_MAX; i++)
		if (!runtime->flights[i].is_used)
			return true;
	return false;
}

struct flight *flight_new(struct runtime *runtime)
{
	for (size_t i = 0; i < FLIGHTS_MAX; i++) {
		struct flight *flight = &runtime->flights[i];
		if (flight->is_used)
			continue;
		struct arena arena = flight->arena, round_arena = flight->round_arena;
		*flight = (struct flight){ .is_used = true, .arena = arena, .round_arena = round_arena };
		flight->started_us = clock_steady_us();
		outbox_init(&flight->outbox, &flight->round_arena, runtime->namespace_id, clock_now_us());
		outbox_init(&flight->extras, &flight->arena, runtime->namespace_id, clock_now_us());
		return flight;
	}
	return NULL;
}

void flight_drop(struct runtime *runtime, struct flight *flight)
{
	for (size_t i = flight->deliveries_count; i > 0; i--) {
		struct delivery *delivery = flight->deliveries[i - 1];
		lane_push_front(&runtime->lanes[runtime->lane_of[delivery->lane]], delivery);
	}
	flight->deliveries_count = 0;
	release(flight);
}

void flight_launch(struct runtime *runtime, struct flight *flight)
{
	count_outputs(flight, &flight->outbox);
	count_outputs(flight, &flight->extras);
	bool is_settled = flight->unsettled_events == 0;
	launch_outputs(runtime, flight, &flight->outbox);
	launch_outputs(runtime, flight, &flight->extras);
	if (is_settled) {
		finish_if_settled(runtime, flight);
		return;
	}
	send_waiting(runtime);
}

void flight_park(struct runtime *runtime, struct flight *flight, const struct delivery *delivery,
	int64_t attempts, const struct why *why)
{
	struct output *output = arena_new(&flight->arena, sizeof(*output));
	output->exchange = "parked";
	output->routing_key = runtime->queues[delivery->lane];
	output->message_id = delivery->message_id;
	output->correlation_id = delivery->correlation_id;
	output->type = delivery_event_name(delivery, &flight->arena);
	output->causation_id = delivery->causation_id;
	output->traceparent = delivery->traceparent;
	output->created_at = flight->extras.now;
	output->body = delivery->body;
	output->body_bytes = delivery->body_bytes;
	output->sender = delivery->user_id == NULL ? "" : delivery->user_id;
	output->reason = arena_text(&flight->arena, why->reason[0] == '\0' ? "rejected" : why->reason);
	output->detail = arena_text(&flight->arena, why->text);
	output->attempts = attempts;
	output->is_mandatory = true;
	outbox_append(&flight->extras, output);
	count(runtime, METRIC_PARKED, 1);
	log_line(&runtime->log, LOG_WARNING_LEVEL, "parked", "outcome", "reject", "reason", output->reason,
		"detail", output->detail, "type", output->type, "correlation", delivery->correlation_id, NULL);
}

/* The broker has this publish, and all before it, but not those after it. */
static void pass_published(struct runtime *runtime, enum crash_point point)
{
	if (crash_point_is_next(point))
		links_serve_publisher(runtime);
	crash_point_pass(point);
}

/* Publishes what there is room for; it leaves at the next serving of the publisher. Whether there was something to send. */
static bool send_what_fits(struct runtime *runtime)
{
	struct why why = { 0 };
	bool has_sent = false;
	size_t kept = runtime->cache == NULL ? 0 : ROOM_FOR_CACHES;
	while (runtime->sending_count > 0 && publisher_room(runtime->publisher) > kept) {
		struct output *output = runtime->sending[runtime->sending_first];
		struct publication publication = publication_of(runtime, output);
		runtime->sending_first = (runtime->sending_first + 1) % runtime->sending_capacity;
		runtime->sending_count--;
		if (!publisher_send(runtime->publisher, &publication, output, &why)) {
			queue_output(runtime, output);
			links_lost(runtime, LINK_PUBLISHER, &why);
			return false;
		}
		has_sent = true;
		count(runtime, METRIC_PUBLISHED, 1);
		pass_published(runtime, is_parked_copy(output) ? CRASH_AFTER_PARK_SENT : CRASH_AFTER_FIRST_PUBLISH);
	}
	return has_sent;
}

void send_waiting(struct runtime *runtime)
{
	if (runtime->sending_count == 0 || clock_steady_ms() < runtime->sending_pause_until_ms)
		return;
	if (!send_what_fits(runtime))
		return;
	links_serve_publisher(runtime);
	if (runtime->sending_count == 0)
		crash_point_pass(CRASH_AFTER_PUBLISH);
}

void send_settled(void *owner, void *token, enum settlement settlement)
{
	struct runtime *runtime = owner;
	struct output *output = token;
	if (output == NULL)
		return; /* a cache's: whoever waits for it looks at the clock */
	switch (settlement) {
	case SETTLED_CONFIRMED:
		count(runtime, METRIC_CONFIRMED, 1);
		crash_point_pass(CRASH_AFTER_CONFIRM);
		mark_sent(runtime, output);
		settle_output(runtime, output);
		break;
	case SETTLED_RETURNED:
		count(runtime, METRIC_RETURNED, 1);
		log_line(&runtime->log, LOG_ERROR_LEVEL,
			"unroutable: a binding is missing, see carebus topology check", "type", output->type, "key",
			output->routing_key, "correlation", output->correlation_id, NULL);
		if (output->is_stored)
			settle_output(runtime, output); /* its row stays unsent: the sweeper tries again, with back-off */
		else
			try_later(runtime, output);
		break;
	case SETTLED_NACKED:
		count(runtime, METRIC_NACKED, 1);
		try_later(runtime, output);
		break;
	case SETTLED_LOST:
		if (is_worth_repeating(output))
			queue_output(runtime, output);
		else
			settle_output(runtime, output);
		break;
	}
}

void send_view_stored(void *owner, void *token, bool is_stored)
{
	struct runtime *runtime = owner;
	struct output *output = token;
	if (output == NULL)
		return; /* a list: a hint, and nobody's flight */
	if (is_stored) {
		count(runtime, METRIC_VIEWS, 1);
		mark_sent(runtime, output);
		crash_point_pass(CRASH_AFTER_VIEW);
	}
	output->flight->unsettled_views--;
	finish_if_settled(runtime, output->flight);
}
