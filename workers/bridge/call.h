/* A request that waits: for Redis, for the broker's confirm, for the events that answer it. */
#pragma once

#include <jansson.h>

#include "arena.h"
#include "broker.h"
#include "caller.h"
#include "keyvalue.h"
#include "route.h"
#include "uuid.h"

enum {
	CALLS_MAX = 2048,             /* that wait for events; more are refused with 503 */
	CALL_ACCEPT_LIMIT_MS = 2000,  /* for the event that accepts or refuses a command; then 202 */
	CALL_ANSWER_LIMIT_MS = 3000,  /* for a question's answer; the broker keeps questions 5 s */
	CALL_CONFIRM_LIMIT_MS = 5000, /* for the broker's confirm; then 503 */
	CALL_WAIT_MAX_S = 30,         /* of `Prefer: wait` (contract) */
};

struct bridge;
struct call;

/* Whose an exchange is; the first member of what waits for it or feeds it. `leave`: its client left. */
struct guest {
	void (*leave)(struct bridge *bridge, struct guest *guest);
};

/* An event from the bus, while all calls look at it. */
struct heard {
	enum event event;
	const struct delivery *delivery;
	json_t *body; /* parsed when the first asks; see heard_body */
	bool is_parsed;
};

/* The body, or NULL when it is no JSON. */
const json_t *heard_body(struct heard *heard);
const char *heard_text(struct heard *heard, const char *member); /* NULL when it is not there */

/* What a call does next. Each may end the call. */
typedef void call_heard_fn(struct call *call, struct heard *heard);
typedef void call_settled_fn(struct call *call, enum settlement settlement);
typedef void call_view_fn(struct call *call, int64_t version, const char *body,
	size_t body_bytes); /* body NULL: a miss */
typedef void call_late_fn(struct call *call);

struct call {
	struct guest guest;
	struct bridge *bridge;
	struct http_exchange *exchange; /* NULL: the client has left */
	const struct route *route;
	struct caller caller;
	char id[ROUTE_ID_MAX]; /* of the path */
	struct arena arena;
	int64_t started_us;
	int64_t deadline_ms; /* clock_steady_ms: `late` is called */
	call_heard_fn *on_heard;
	call_settled_fn *on_settled;
	call_view_fn *on_view;
	call_late_fn *on_late;
	call_late_fn *on_found;           /* see reading_check */
	char message_id[UUID_TEXT_BYTES]; /* of what was sent last: answers name it as their cause */
	const char *key;                  /* of the decision that is waited for */
	struct buffer body;               /* of the command */
	bool is_emergency;
	long wait_s;                /* of `Prefer: wait`; 0 = none */
	const char *accepted;       /* body of the event that accepted the command; NULL: it was not heard */
	unsigned views_incarnation; /* of the connection that the view was missing on */
	unsigned references;        /* tokens that Redis and the broker still hold */
	bool is_over;               /* answered or left: freed with its last reference */
	struct call *previous, *next;
};

struct calls {
	struct call *first; /* all that are not over */
	size_t count;
	int64_t next_ms; /* no deadline is earlier */
};

/* NULL: too many wait. */
struct call *call_new(struct bridge *bridge, struct http_exchange *exchange, const struct route *route,
	const struct caller *caller, const char *id);

/* Each ends the call. */
void call_answer(struct call *call, const struct http_answer *answer);
void call_refuse(struct call *call, const struct problem *problem);

/* Reads a view; `on_view` hears of it, also when Redis is away (a miss). */
void call_read_view(struct call *call, const char *name, const char *id);

/* Publishes the call's body under its message id; `on_settled` hears the broker's answer. Refused with 503 where there is no room. */
void call_send(struct call *call, enum event event);

void call_set_deadline(struct call *call, int64_t in_ms);

/* All calls look at an event. */
void calls_hear(struct calls *calls, struct heard *heard);

/* Those whose time is over. */
void calls_expire(struct calls *calls);
void calls_clear(struct calls *calls);

/* Callbacks of the connections: token is the call. */
void call_settled(void *owner, void *token, enum settlement settlement);
void call_view_read(void *owner, void *token, bool is_read, int64_t version, const char *body,
	size_t body_bytes);
void call_view_stored(void *owner, void *token, bool is_stored);

/* posting.c, reading.c: begin a call of their kind. */
void posting_begin(struct call *call);
void reading_begin(struct call *call);

/* reading.c: the thing that a command is about must be there and the caller's; then `on_found` is called. */
void reading_check(struct call *call, const struct reading *reading);
