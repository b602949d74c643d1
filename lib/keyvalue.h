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
	KEYVALUE_WINDOW = 4096, /* puts without an answer at most */
};

struct keyvalue;

/*
 * `url` is redis://host:port; without a password no login is done. Nothing is copied: the strings must
 * outlive the store.
 */
struct keyvalue *keyvalue_new(const char *url, const char *user, const char *password);
void keyvalue_free(struct keyvalue *store);
bool keyvalue_open(struct keyvalue *store, struct why *why); /* connect + AUTH, at most 1 s */
void keyvalue_close(struct keyvalue *store); /* unanswered puts are reported by the next keyvalue_serve */
bool keyvalue_is_open(const struct keyvalue *store);

/* Called for each put that was sent, in order; `is_stored` also when a newer version was there already. */
typedef void view_stored_fn(void *owner, void *token, bool is_stored);

/*
 * Pipelined: queues one FCALL view_put; the answer comes from keyvalue_serve. False: not open, or
 * KEYVALUE_WINDOW puts are unanswered; the token is not reported then.
 */
bool keyvalue_put(struct keyvalue *store, const char *key, int64_t version, const char *body,
	size_t body_bytes, void *token);

/*
 * Sends and reads without waiting; on an error every unanswered put is reported as not stored, and the
 * connection closed (also when Redis refuses a put, or gives no answer for 0.5 s: so call it now and then
 * while puts are unanswered). `stored` must not call back into the store. The process must ignore SIGPIPE:
 * hiredis writes without MSG_NOSIGNAL.
 */
bool keyvalue_serve(struct keyvalue *store, view_stored_fn *stored, void *owner, struct why *why);
int keyvalue_socket(const struct keyvalue *store);
bool keyvalue_wants_write(const struct keyvalue *store);
