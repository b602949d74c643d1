/*
 * What a decision sends out: events to RabbitMQ, views to Redis. Collected while a batch is decided, stored with its effect in one
 * transaction, published after the commit. Ids are minted here, never by a worker (UUIDv5 under the installation's secret
 * namespace), so that a replay finds the same ids.
 */
#pragma once

#include <stdbool.h>
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

/*
 * An answer to the asker of the current message alone, under `<context>.answer.<asker>`; its id is that of an answer. False: the message
 * does not name one who asks (reply_to), and nothing is sent.
 */
bool outbox_reply(struct outbox *outbox, enum event event, const void *body);

enum { TOKEN_TEXT_BYTES = 33 };

/*
 * A secret that follows from the current message: HMAC of its id under the installation's secret, so that it is the same however often
 * the message is decided, and nobody who knows the id alone can make it. The current message is not a timer's.
 */
void outbox_token(const struct outbox *outbox, char out[TOKEN_TEXT_BYTES]);

/* The current state of an aggregate: Redis key `view:<name>:<key>`; `body` is the struct of `event`, which gives the schema. */
void outbox_view(struct outbox *outbox, const char *name, const char *key, int64_t version, enum event event,
	const void *body);
