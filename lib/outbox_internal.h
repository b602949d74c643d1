/* The outbox as the machine sees it; tests of decide functions read it too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "message.h"
#include "outbox.h"
#include "uuid.h"

struct flight;

/* One message to publish, or one view to store. Lives in its batch's arena until it is settled. */
struct output {
	struct output *next;
	struct flight *flight; /* the batch that waits for it */
	bool is_view;          /* to Redis, else to RabbitMQ */
	bool is_stored;        /* has a row in the outbox: (cause_id, ordinal) */
	bool is_mandatory;
	const char *cause_id; /* uuid */
	int64_t ordinal;
	const char *message_id;  /* uuid */
	const char *exchange;    /* NULL for a view */
	const char *routing_key; /* of a view: the aggregate's key */
	const char *type;        /* of a view: its name */
	const char *correlation_id;
	const char *causation_id; /* NULL: nobody's message (a timer) */
	const char *traceparent;
	int64_t schema_version;
	int64_t version;    /* of the aggregate; of views */
	int64_t created_at; /* microseconds since 1970 */
	const char *body;
	size_t body_bytes;
	const char *sender; /* of parked copies, here and below; else NULL */
	const char *reason;
	const char *detail;
	int64_t attempts;
	unsigned tries; /* publishes that a full queue refused */
};

struct outbox {
	struct arena *arena;
	unsigned char namespace_id[UUID_BYTES]; /* secret: of the installation */
	const char *app_name;
	const struct message *cause; /* NULL for a timer */
	const char *cause_id;        /* key of the stored rows */
	const char *cause_digest;    /* SHA-256 of the causing body, hex; "" for a timer */
	int64_t now;
	int64_t ordinal; /* of the next output of this cause */
	struct output *first, *last;
	size_t count;
};

/* Empty, writing into `arena`. `namespace_id` is 16 bytes. */
void outbox_init(struct outbox *outbox, struct arena *arena, const unsigned char namespace_id[UUID_BYTES],
	int64_t now);

/* What follows is caused by this message; `cause_id` is the key of its rows. */
void outbox_cause(struct outbox *outbox, const struct message *cause, const char *cause_id,
	const char *cause_digest, int64_t first_ordinal);

/* Drops everything behind `last` (NULL: everything), as if it had never been added. */
void outbox_rewind(struct outbox *outbox, struct output *last, size_t count);

/* Appends an output that was made elsewhere. */
void outbox_append(struct outbox *outbox, struct output *output);
