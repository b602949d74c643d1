/*
 * RabbitMQ: one consuming and one publishing connection, non-blocking after the handshake. Nothing here waits but
 * *_open (bounded). The caller polls *_socket() and calls *_serve() when it is readable, writable or due.
 * An error closes the connection: destroyed, never touched again; the caller opens it anew with its own back-off.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outcome.h"

enum {
	BROKER_BODY_MAX = 256 * 1024, /* larger bodies are delivered with `is_too_large` set, */
	BROKER_BODY_KEPT =
		1024 * 1024, /* and above this, which the broker's max_message_size refuses, without their body */
	BROKER_LANES_MAX = 4,      /* queues that one consumer reads */
	BROKER_BINDINGS_MAX = 256, /* of a queue of a consumer's own, */
	OWN_QUEUE_MESSAGES_MAX =
		50000, /* which keeps this many at most and then loses its oldest: its reader asks again */
	BROKER_CONFIRM_WINDOW = 1024, /* publishes in flight at most */
	BROKER_HEARTBEAT_S = 10,
};

struct broker_address {
	const char *url; /* amqp://host:port/vhost, without credentials */
	const char *user;
	const char *password;
	const char *connection_name; /* "bloodbank@host:pid (consume)" */
};

/* One message as it came, copied from the library's memory. Strings are NULL when the property is absent. */
struct delivery {
	uint64_t tag;         /* of the channel of `incarnation` */
	uint64_t incarnation; /* which opening of the connection delivered it */
	unsigned lane;        /* index of its queue */
	bool is_redelivered;
	bool is_too_large;
	const char *exchange;
	const char *routing_key;
	const char *message_id;
	const char *correlation_id;
	const char *type;
	const char *app_id;
	const char *user_id;
	const char *reply_to;
	const char *content_type;
	const char *traceparent;  /* header */
	const char *causation_id; /* header */
	int64_t timestamp_s;      /* 0 = absent */
	const char *body;         /* followed by a NUL that is not part of it */
	size_t body_bytes;
	struct delivery *next; /* for the owner's queues, here and below */
	unsigned tries;        /* runs alone that ended in a conflict */
	bool is_started;       /* its attempt is on record */
};

/* One malloc'ed block; frees it. NULL is accepted. */
void delivery_free(struct delivery *delivery);

struct consumer;

/* `deliver` takes ownership of the delivery. */
typedef void delivery_fn(void *owner, struct delivery *delivery);

/*
 * `queues` (count <= BROKER_LANES_MAX) are consumed under the tags "<tag>" or, for lanes after the first,
 * "<tag>.<lane>". Nothing is copied: the strings must outlive the consumer.
 */
struct consumer *consumer_new(const struct broker_address *address, const char *tag,
	const char *const queues[], size_t count, delivery_fn *deliver, void *owner);

struct consumer_binding {
	const char *exchange, *routing_key; /* a list ends with a NULL exchange */
};

/*
 * A consumer of a queue that nobody else sees and that ends with the connection: classic, exclusive, auto-delete, not durable.
 * Each opening makes another, "<queue_prefix>.<random uuid>", since the last one's may outlive its connection for a moment,
 * and binds it to each of `bindings` (at most BROKER_BINDINGS_MAX); what is published between two openings is missed.
 * Nothing is copied: strings and bindings must outlive the consumer.
 */
struct consumer *consumer_new_own(const struct broker_address *address, const char *tag,
	const char *queue_prefix, const struct consumer_binding *bindings, delivery_fn *deliver, void *owner);

void consumer_free(struct consumer *consumer);

/*
 * Connects, logs in (heartbeat, consumer_cancel_notify, connection.blocked, connection_name), checks each queue by a passive
 * declare, or makes its own, and consumes with `prefetch` a queue. Waits at most 5 s for each answer. False: closed, and
 * why->reason is "refused" (the broker said no: user, vhost, queue, exchange, rights; or the URL is none) or "connection".
 */
bool consumer_open(struct consumer *consumer, uint16_t prefetch, struct why *why);

/* Orderly if the broker still answers, within a second; unacknowledged deliveries go back to their queues. */
void consumer_close(struct consumer *consumer);

bool consumer_is_open(const struct consumer *consumer);
uint64_t consumer_incarnation(const struct consumer *consumer);

/*
 * Cancels and consumes again with another prefetch, under the tag "<tag>+<n>"; what was delivered stays valid and may
 * still be acknowledged. Where the queue has a single active consumer, a waiting stand-by takes over. A queue of its own is
 * consumed anew before the cancel, which would otherwise delete it.
 */
bool consumer_set_prefetch(struct consumer *consumer, uint16_t prefetch, struct why *why);

/*
 * Cancels the consumers, keeps the channel: what was delivered may still be acknowledged. Used by the graceful stop.
 * Deliveries already on their way may still come; a quorum queue's are returned by the broker. A queue of the consumer's own
 * ends here, with what it holds.
 */
bool consumer_cancel(struct consumer *consumer, struct why *why);

/*
 * Reads every frame there is, calls `deliver` for each complete message, sends heartbeats. Never waits.
 * False: the connection failed and is closed. `why->reason` is "malformed" when the peer's frame could not be decoded,
 * "cancelled" when the broker cancelled a consumer (queue deleted), else "connection".
 */
bool consumer_serve(struct consumer *consumer, struct why *why);

/* Acknowledges one delivery, or everything up to it. Silently nothing if the incarnation is not the open one. */
bool consumer_ack(struct consumer *consumer, uint64_t incarnation, uint64_t tag, bool is_multiple,
	struct why *why);

/* -1 when closed. `has_pending` tells whether serve has work that poll() cannot see. */
int consumer_socket(const struct consumer *consumer);
bool consumer_has_pending(const struct consumer *consumer);
bool consumer_wants_write(const struct consumer *consumer); /* something is unsent: poll for POLLOUT too */

struct publication {
	const char *exchange;
	const char *routing_key;
	const char *message_id;     /* uuid text */
	const char *correlation_id; /* NULL leaves a property or header out, here and below */
	const char *type;
	const char *app_id;
	const char *reply_to;
	const char *traceparent; /* headers from here on */
	const char *causation_id;
	const char *sender;
	const char *reason;
	const char *detail;
	int64_t attempts;       /* header when > 0 */
	int64_t schema_version; /* header when > 0 */
	int64_t timestamp_s;
	const char *body;
	size_t body_bytes;
	bool is_mandatory;
};

enum settlement {
	SETTLED_CONFIRMED,
	SETTLED_RETURNED, /* unroutable: no queue took it */
	SETTLED_NACKED,   /* a queue refused it (full) */
	SETTLED_LOST,     /* the connection ended before an answer: unknown, publish again with the same id */
};

/*
 * Called once per accepted publish, in any order, from publisher_serve, _send, _open and _close. It may call
 * publisher_send if there is room, but not open, serve or close.
 */
typedef void settle_fn(void *owner, void *token, enum settlement settlement);

struct publisher;
struct publisher *publisher_new(const struct broker_address *address, settle_fn *settle, void *owner);
void publisher_free(struct publisher *publisher);
bool publisher_open(struct publisher *publisher, struct why *why);
void publisher_close(struct publisher *publisher); /* everything in flight is settled as LOST */
bool publisher_is_open(const struct publisher *publisher);

/* How many more may be sent now: 0 while the window is full, the broker has blocked us, the socket's buffer is full, or closed. */
size_t publisher_room(const struct publisher *publisher);
bool publisher_is_blocked(const struct publisher *publisher);
size_t publisher_in_flight(const struct publisher *publisher);

/*
 * Sends one publish; its settlement comes later with `token`. Needs room. delivery_mode 2, application/json,
 * user_id = the connection's user. Texts but the body and the headers' are cut to 255 bytes, all that the protocol holds.
 * It only appends: publisher_serve sends. False: the connection failed and is closed (this publish counts as never sent, all others as LOST).
 */
bool publisher_send(struct publisher *publisher, const struct publication *publication, void *token,
	struct why *why);

/* Reads confirms, returns, blocked/unblocked; sends heartbeats. Never waits. False: failed and closed. */
bool publisher_serve(struct publisher *publisher, struct why *why);
int publisher_socket(const struct publisher *publisher);
bool publisher_has_pending(const struct publisher *publisher);
bool publisher_wants_write(const struct publisher *publisher); /* something is unsent: poll for POLLOUT too */
