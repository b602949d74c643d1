/* A request that waits: for Redis, for the broker's confirm, for the events that answer it. */
#pragma once

#include "arena.h"
#include "broker.h"
#include "caller.h"
#include "flight.h"
#include "heard.h"
#include "route.h"
#include "uuid.h"

enum {
	CALLS_MAX = 2048,             /* that wait for events; more are refused with 503 */
	CALLS_SHARE_MAX = 1024,       /* of one subject's: others get in whatever he does */
	CALL_ACCEPT_LIMIT_MS = 2000,  /* for the event that accepts or refuses a command; then 202 */
	CALL_ANSWER_LIMIT_MS = 3000,  /* for a question's answer; the broker keeps questions 5 s */
	CALL_CONFIRM_LIMIT_MS = 5000, /* for the broker's confirm; then 503 */
	CALL_WAIT_MAX_S = 30,         /* of `Prefer: wait` (contract) */
	CALL_SENDINGS_MAX = 2,        /* a question about the thing, and the command */
};

struct bridge;
struct call;

/* Whose an exchange is; the first member of what waits for it or feeds it. `leave`: its client left. */
struct guest {
	void (*leave)(struct bridge *bridge, struct guest *guest);
};

/* What a call does next. Each may end the call. */
typedef void call_heard_fn(struct call *call, struct heard *heard);
typedef void call_settled_fn(struct call *call, enum settlement settlement);
typedef void call_view_fn(struct call *call, int64_t version, const char *body,
	size_t body_bytes); /* body NULL: a miss */
typedef void call_late_fn(struct call *call);

/* One message that a call sent: the broker's answer to it is no answer to another. */
struct sending {
	struct call *call;
};

struct call {
	struct guest guest;
	struct bridge *bridge;
	struct http_exchange *exchange; /* NULL once it is over */
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
	const char *key, *facility_id;    /* of the decision that is waited for; NULL: it has none */
	struct buffer body;               /* of the command */
	bool is_emergency;
	long wait_s;                /* of `Prefer: wait`; 0 = none */
	const char *accepted;       /* body of the event that accepted the command; NULL: it was not heard */
	const char *guess;          /* at what is asked for; NULL: there is none */
	unsigned views_incarnation; /* of the connection that the view was missing on */
	char day[ROUTE_ID_MAX];     /* of a cached list: its key; "": it is none */
	enum flight_role flight;    /* leads a read of it, or waits for another's */
	struct sending sendings[CALL_SENDINGS_MAX];
	unsigned sendings_count;
	enum event unsent; /* waits for room at the broker; EVENT_NONE: nothing does */
	struct call *next_unsent;
	unsigned references; /* tokens that Redis and the broker still hold */
	bool is_over; /* answered or left: out of the list at the next sweep, freed with its last reference */
	bool is_swept;
	struct call *previous, *next;
	struct call *next_over; /* of those to sweep */
};

/*
 * Calls that end stay in the list until calls_sweep: whatever one does while all are walked, also when a connection that fails ends
 * many of them at once, the walk goes on.
 */
struct calls {
	struct call *first, *first_over;
	struct call *first_unsent, *last_unsent; /* in the order in which they came */
	size_t count;                            /* that are not over */
	int64_t next_ms;                         /* no deadline is earlier */
};

/* NULL: too many wait, of all or of the caller's. */
struct call *call_new(struct bridge *bridge, struct http_exchange *exchange, const struct route *route,
	const struct caller *caller, const char *id);

/* Each ends the call. */
void call_answer(struct call *call, const struct http_answer *answer);
void call_refuse(struct call *call, const struct problem *problem);

/* Reads what lies at a key of Redis; `on_view` hears of it, also when Redis is away (a miss). */
void call_read_view(struct call *call, const char *key);

/*
 * Publishes the call's body under its message id, as soon as there is room; `on_settled` hears the broker's answer. Refused with 503
 * where the broker is not there.
 */
void call_send(struct call *call, enum event event);

void call_set_deadline(struct call *call, int64_t in_ms);

/* Sends what waited for room. */
void calls_send(struct calls *calls);

/* All calls look at an event. */
void calls_hear(struct calls *calls, struct heard *heard);

/* Those whose time is over. */
void calls_expire(struct calls *calls);

/* Takes away those that are over; not while they are walked. */
void calls_sweep(struct calls *calls);
void calls_clear(struct calls *calls);

/* Callbacks of the connections: token is the sending, of views the call. */
void call_settled(void *owner, void *token, enum settlement settlement);
void call_view_read(void *owner, void *token, bool is_read, int64_t version, const char *body,
	size_t body_bytes);
void call_view_stored(void *owner, void *token, bool is_stored);

/* posting.c, reading.c: begin a call of their kind. */
void posting_begin(struct call *call);
void reading_begin(struct call *call);

/* reading.c: a question, which is the call's body, to the owner of what is read. */
void reading_ask(struct call *call);

/* reading.c: the thing that a command is about must be there and the caller's; then `on_found` is called. */
void reading_check(struct call *call, const struct reading *reading);
