/* Several HTTP exchanges at once with the door, each over its own kept connection. */
#pragma once

#include <poll.h>

#include "door.h"

enum { POOL_EXCHANGES_MAX = 1000, POOL_SOCKETS_MAX = 4 };

/* What became of a call: `code` is curl's; the answer's status is 0 unless that is CURLE_OK. The answer is the pool's. */
typedef void pool_done_fn(void *owner, uint64_t tag, CURLcode code, const struct door_answer *answer);

struct pool;

/* `wants_bodies`: answers are decoded. */
struct pool *pool_new(const struct door *door, size_t exchanges, bool wants_bodies, pool_done_fn *done,
	void *owner);
void pool_free(struct pool *pool); /* what is under way is given up */

size_t pool_room(const struct pool *pool);
size_t pool_in_flight(const struct pool *pool);

/* Needs room. The request is copied; it leaves with the next pool_serve. */
void pool_send(struct pool *pool, const struct door_request *request, uint64_t tag);

/* Moves everything on and calls `done` for what is over. Never waits. */
void pool_serve(struct pool *pool);

/* Until something happens here or at `sockets` (at most POOL_SOCKETS_MAX), or the time is over. */
void pool_wait(struct pool *pool, const struct pollfd sockets[], size_t count, int timeout_ms);
