/*
 * The HTTP-to-AMQP bridge: one loop, no domain rule, no SQL. It speaks AMQP (commands and questions out, the feed and its own answers
 * in) and reads views from Redis. A request is a call: it is sent, waits for the events that answer it, and is answered.
 */
#pragma once

#include "backoff.h"
#include "broker.h"
#include "call.h"
#include "caller.h"
#include "http.h"
#include "keyvalue.h"
#include "log.h"
#include "metrics.h"
#include "opening.h"
#include "slots.h"
#include "stream.h"
#include "uuid.h"

enum { BRIDGE_BINDINGS_MAX = BROKER_BINDINGS_MAX };

enum bridge_link { LINK_LISTENER, LINK_SPEAKER, LINK_VIEWS, LINK_CACHE, LINK_COUNT };

enum bridge_metric {
	METRIC_ANSWERED_2XX,
	METRIC_ANSWERED_4XX,
	METRIC_ANSWERED_5XX,
	METRIC_ANSWER_SECONDS,
	METRIC_VIEW_HITS,
	METRIC_VIEW_MISSES,
	METRIC_SENT,
	METRIC_HEARD,
	METRIC_STREAMED,
	METRIC_SLOW_READERS,
	METRIC_CONNECTION_FAILURES,
	METRIC_CALLS,
	METRIC_STREAMS,
	METRIC_COUNT
};

struct bridge_settings {
	const char *amqp_url, *amqp_user, *amqp_password, *listener_user, *listener_password;
	const char *redis_url, *redis_user, *redis_password;
	const char *tokens_file, *idempotency_secret;
	const char *instance, *log_format, *log_level;
	long http_port, connections_max, cache_entries, cache_bytes;
};

struct bridge {
	struct bridge_settings settings;
	struct log log;
	struct http *http;
	struct publisher *speaker;
	struct consumer *listener;
	struct consumer *cache_listener; /* hears what is for the cache's name */
	struct keyvalue *views;
	struct broker_address speaker_address, listener_address;
	char speaker_name[128], listener_name[128], tag[64], asker[80], queue_prefix[80];
	struct arena names;                                        /* of routing keys */
	struct consumer_binding bindings[BRIDGE_BINDINGS_MAX + 1]; /* the last one stays empty */
	size_t bindings_count;
	struct backoff backoffs[LINK_COUNT];
	struct opening openings[LINK_COUNT];
	int wake_socket;            /* an eventfd: an opening is done */
	unsigned views_incarnation; /* which opening of the connection to Redis */
	size_t unacknowledged;      /* of what was heard */
	size_t unserved_bytes;      /* heard since the server was served */
	int64_t refusals_ms;        /* when one may be logged again */
	unsigned refusals_unlogged;
	bool is_due[LINK_COUNT];                /* to be looked at in this turn of the loop */
	int64_t serve_ms;                       /* when all are */
	unsigned char namespace_id[UUID_BYTES]; /* of the ids of idempotent requests */
	struct callers callers;
	struct calls calls;
	struct streams streams;
	struct slots slots;
	struct metric metrics[METRIC_COUNT];
	int signal_fd;
	bool is_stopping;
};

static inline void bridge_count(struct bridge *bridge, enum bridge_metric number)
{
	bridge->metrics[number].value += 1;
}

/* bridge.c: options of the server that takes the requests. */
struct http_options bridge_http_options(struct bridge *bridge);

/* Answers, and counts it. `started_us` is when the request was there. */
void bridge_answer(struct bridge *bridge, struct http_exchange *exchange, int64_t started_us,
	const struct http_answer *answer);
void bridge_refuse(struct bridge *bridge, struct http_exchange *exchange, int64_t started_us,
	const struct problem *problem);

/* open_paths.c: what needs no token. False: the path is none of them, or the method is another. */
bool bridge_answer_open(struct bridge *bridge, struct http_exchange *exchange);
bool bridge_has_open_path(const char *path);
void bridge_make_metrics(struct bridge *bridge);

/* links.c: the connections. */
void links_make(struct bridge *bridge);
void links_free(struct bridge *bridge);
void links_serve(struct bridge *bridge);
void links_wait(struct bridge *bridge, int64_t deadline_ms);
bool links_are_open(const struct bridge *bridge); /* to the broker: requests can be taken */

/* Whether something can be sent; never: the broker is not there, or has blocked us. */
enum room { ROOM_NOW, ROOM_LATER, ROOM_NEVER };
enum room links_room(const struct bridge *bridge);

/* Needs room. call_settled tells the token what became of it. False: the connection is lost, the token is not told. */
bool links_send(struct bridge *bridge, const struct publication *publication, void *token);

/* False: Redis is not there. Else call_view_read tells the token. */
bool links_read_view(struct bridge *bridge, const char *key, void *token);

/* For whoever reads next: nobody waits for it. */
void links_put_view(struct bridge *bridge, const char *key, int64_t version, const char *body,
	size_t body_bytes);

/* Whether what is told to the cache is heard. */
bool links_hear_cache(const struct bridge *bridge);

/* To a writer that waits, and for a lease. False: it does not leave now. */
bool links_tell(struct bridge *bridge, enum event event, const char *name, const void *body);
bool links_ask_lease(struct bridge *bridge, const char *name, const struct coherence_request *request);

/* An event from the bus: for calls and streams. */
void bridge_hear(struct bridge *bridge, const struct delivery *delivery);
