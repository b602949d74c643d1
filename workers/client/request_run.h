/* One run of `carebus request`, whichever way it goes. */
#pragma once

#include "ask.h"
#include "chain.h"
#include "connections.h"
#include "feed.h"
#include "session.h"
#include "uuid.h"

struct request_values {
	struct common_values common;
	struct ask ask;
	const char *via; /* http, amqp, or NULL: as the environment is */
	long timeout_s;
	bool is_watched;
};

struct request_run {
	const struct request_values *values;
	struct connections connections;
	struct session session;
	struct feed feed;
	struct chain chain;
	struct arena arena;
	char message_id[UUID_TEXT_BYTES];
	char request_id[UUID_TEXT_BYTES];
	struct buffer body;
	enum event event;
	int64_t deadline_ms;
};

/* Opens the feed of what becomes of a request; with `sending`, the connection to publish over too. */
bool request_connect(struct request_run *run, const struct address *sending, bool is_watched,
	struct why *why);

/* Until the chain is over, or the time. */
enum ending request_follow(struct request_run *run, struct why *why);

enum ending request_over_amqp(struct request_run *run, struct why *why);
enum ending request_over_http(struct request_run *run, struct why *why);
