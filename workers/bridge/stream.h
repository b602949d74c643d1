/* Server-Sent Events: what goes over the feed, to each client what his facility may see. */
#pragma once

#include <stdint.h>

#include "caller.h"
#include "http.h"

enum {
	STREAMS_MAX = 1500,
	STREAMS_SHARE_MAX = 1000, /* of one subject's: others get in whatever he does */
	STREAM_HEARTBEAT_MS = 12000,
	STREAM_TYPES_MAX = 32, /* patterns that one client may ask for */
};

struct bridge;
struct heard;
struct stream;

struct streams {
	struct stream *first;
	size_t count;
	int64_t heartbeat_ms; /* when the next is due */
	int64_t check_ms;     /* when the tokens are looked at again */
};

void stream_begin(struct bridge *bridge, struct http_exchange *exchange, const struct caller *caller,
	int64_t started_us);

void streams_hear(struct bridge *bridge, struct heard *heard);
void streams_beat(struct bridge *bridge);

/* Ends those whose token was taken away or has expired, within CALLERS_LOOK_MS. */
void streams_check(struct bridge *bridge);
void streams_end(struct bridge *bridge);
