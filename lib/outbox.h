/*
 * What a decision sends out: events to RabbitMQ, views to Redis. Collected while a batch is decided, stored with its effect in one
 * transaction, published after the commit. Ids are minted here, never by a worker (UUIDv5 under the installation's secret
 * namespace), so that a replay finds the same ids.
 */
#pragma once

#include <stdint.h>

#include "events.h"

struct outbox;

/* Where an event belongs that the current message did not start: the workflow of its aggregate. NULL members: the message's. */
struct origin {
	const char *correlation_id;
	const char *traceparent;
};

/*
 * An event of one aggregate: id = UUIDv5(aggregate id, version, event name). `body` is the event's struct, written at once. `origin` may be NULL.
 * `is_emergency` chooses the routing key's lane, for events that have one. Returns the body as written; it lives as long as the outbox.
 */
const char *outbox_event(struct outbox *outbox, enum event event, const void *body, const char *aggregate_id,
	int64_t version, bool is_emergency, const struct origin *origin);

/* A refusal, or an event of several aggregates: id = UUIDv5(causing message id, its body's hash, event name, ordinal). */
void outbox_answer(struct outbox *outbox, enum event event, const void *body, bool is_emergency);

/* The current state of an aggregate: Redis key `view:<name>:<key>`; `body` is the struct of `event`, which gives the schema. */
void outbox_view(struct outbox *outbox, const char *name, const char *key, int64_t version, enum event event,
	const void *body);
