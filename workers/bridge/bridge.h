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
#include "stream.h"
#include "uuid.h"

enum bridge_link { LINK_LISTENER, LINK_SPEAKER, LINK_VIEWS, LINK_COUNT };

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
	long http_port, connections_max;
};

struct bridge {
	struct bridge_settings settings;
	struct log log;
	struct http *http;
	struct publisher *speaker;
	struct consumer *listener;
	struct keyvalue *views;
	struct broker_address speaker_address, listener_address;
	char speaker_name[128], listener_name[128], tag[64], asker[80], queue_prefix[80], answer_keys[8][112];
	struct consumer_binding bindings[10];
	struct backoff backoffs[LINK_COUNT];
	bool is_due[LINK_COUNT];                /* to be looked at in this turn of the loop */
	int64_t serve_ms;                       /* when all are */
	unsigned views_incarnation;             /* which opening of the connection to Redis */
	unsigned char namespace_id[UUID_BYTES]; /* of the ids of idempotent requests */
	struct callers callers;
	struct calls calls;
	struct streams streams;
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
void bridge_make_metrics(struct bridge *bridge);

/* Answers, and counts it. `started_us` is when the request was there. */
void bridge_answer(struct bridge *bridge, struct http_exchange *exchange, int64_t started_us,
	const struct http_answer *answer);
void bridge_refuse(struct bridge *bridge, struct http_exchange *exchange, int64_t started_us,
	const struct problem *problem);

/* links.c: the connections. */
void links_make(struct bridge *bridge);
void links_free(struct bridge *bridge);
void links_serve(struct bridge *bridge);
void links_wait(struct bridge *bridge, int64_t deadline_ms);
bool links_are_open(const struct bridge *bridge); /* to the broker: requests can be taken */

/* An event from the bus: for calls and streams. */
void bridge_hear(struct bridge *bridge, const struct delivery *delivery);
