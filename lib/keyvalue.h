/*
 * Redis: a cache and a hint, never the only copy. Views of aggregates go in with their version; an older
 * version never overwrites a newer one (function view_put of library carebus, lib/views.lua). Bounded
 * waits; errors close the connection.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outcome.h"

enum {
	VIEW_TTL_S = 300,
	KEYVALUE_WINDOW = 4096, /* puts and gets without an answer at most */
};

struct keyvalue;

/*
 * `url` is redis://host:port; without a password no login is done. Nothing is copied: the strings must
 * outlive the store.
 */
struct keyvalue *keyvalue_new(const char *url, const char *user, const char *password);
void keyvalue_free(struct keyvalue *store);
bool keyvalue_open(struct keyvalue *store, struct why *why); /* connect + AUTH, at most 1 s */
void keyvalue_close(struct keyvalue *store); /* what is unanswered is reported by the next keyvalue_serve */
bool keyvalue_is_open(const struct keyvalue *store);

/* Called for each put that was sent, in order; `is_stored` also when a newer version was there already. */
typedef void view_stored_fn(void *owner, void *token, bool is_stored);

/*
 * Called for each get that was sent, in order, also with the puts. `body` (no NUL behind it, valid until the return) is
 * NULL where there is no view. Not `is_read`: Redis is gone and gave no answer; a miss as well.
 */
typedef void view_read_fn(void *owner, void *token, bool is_read, int64_t version, const char *body,
	size_t body_bytes);

/*
 * Pipelined: queues one FCALL view_put; the answer comes from keyvalue_serve. False: not open, or
 * KEYVALUE_WINDOW puts and gets are unanswered; the token is not reported then. Owners count versions from 1: a put of
 * version 0, by someone who only guesses, replaces nothing that an owner told.
 */
bool keyvalue_put(struct keyvalue *store, const char *key, int64_t version, const char *body,
	size_t body_bytes, void *token);

/* The same with HMGET of a view's version and body. */
bool keyvalue_get(struct keyvalue *store, const char *key, void *token);

/*
 * Sends and reads without waiting: a burst in one write, and once its answers are there in one read (of at most 64 KiB).
 * On an error everything unanswered is reported as not stored and not read, and the connection closed (also when Redis
 * refuses, or gives no answer for 0.5 s: so call it now and then while something is unanswered). `read` may be NULL
 * where nothing is read. Neither may call back into the store: not even keyvalue_get or keyvalue_put. The process must
 * ignore SIGPIPE: hiredis writes without MSG_NOSIGNAL.
 */
bool keyvalue_serve(struct keyvalue *store, view_stored_fn *stored, view_read_fn *read, void *owner,
	struct why *why);
int keyvalue_socket(const struct keyvalue *store);
int64_t keyvalue_deadline_ms(const struct keyvalue
		*store); /* clock_steady_ms: when keyvalue_serve gives up; INT64_MAX: it waits for nothing */
bool keyvalue_wants_write(const struct keyvalue *store);
