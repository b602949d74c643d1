/*
 * The machine that all workers share: it takes batches of messages from the worker's queues, and for each batch
 * read -> new only -> load -> decide -> store -> publish -> acknowledge. A worker is a table of what is its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache.h"
#include "clock.h"
#include "database.h"
#include "message.h"
#include "outbox.h"
#include "outcome.h"

enum {
	WORKER_ROUTES_MAX = 32,
	WORKER_TIMERS_MAX = 8,
	WORKER_QUERIES_MAX = 8,
	WORKER_VIEWS_MAX = 4,
	WORKER_DUE_MAX = 128, /* rows that a timer loads at most */
};

/* What load fills and decide and store use. */
struct batch {
	const struct message *const *messages; /* in the order of their decisions; none for a timer */
	size_t count;
	int64_t now; /* microseconds since 1970, the same for the whole batch */
	unsigned
		round; /* 0; 1, 2, .. when decide asked for more and load is called again (previous state is gone) */
	void *state; /* the worker's own, made by load in `arena` */
	bool
		wants_more; /* set by decide: load left out rows that it needs; all is decided again after the next load */
	struct arena *arena; /* lives as long as the batch; load starts with a fresh one at each round */
};

/*
 * PURE. Validates before it changes state, so that a REJECT leaves no trace. DONE or REJECT only.
 * A refusal by state or permission is DONE with an event that says so.
 */
typedef enum outcome decide_fn(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why);

/* Reads and locks what the batch needs, set-based, in a fixed order. Some messages may prove to be seen already: their rows are simply not used. */
typedef enum outcome load_fn(struct batch *batch, struct database *database, struct why *why);

/* Queues the statements that write the changes. The machine adds inbox and outbox and commits. */
typedef enum outcome store_fn(struct batch *batch, struct database *database, struct why *why);

/* PURE. Answers what cannot be done for the machine's own reasons (`id_conflict`) with the context's refusal event. */
typedef void refuse_fn(const struct message *message, const char *reason, const char *detail,
	struct outbox *outbox);

/* PURE. Called once when all messages of the batch (or the timer) are decided: for events that sum up the batch. */
typedef void conclude_fn(struct batch *batch, struct outbox *outbox);

struct route {
	enum event event;
	decide_fn *decide;
	refuse_fn *refuse; /* NULL for facts: only parked */
};

/* Due work, found by `load` (at most WORKER_DUE_MAX rows), decided on the loaded state, stored by the worker's `store`. */
struct timer {
	const char *name; /* "reservations expiring" */
	int64_t period_ms;
	load_fn *load;                                              /* sets batch->state */
	void (*decide)(struct batch *batch, struct outbox *outbox); /* PURE */
	bool (*is_full)(const struct batch *batch); /* NULL or: true = more is due, run again at once */
};

/* A question: read only. Returns DONE with `*answer_event` and `*answer` (in message->arena), or REJECT (dropped, counted). */
struct question {
	enum event event;
	enum outcome (*answer)(const struct message *message, struct database *database, enum event *answer_event,
		const void **answer, struct why *why);
};

/*
 * A question about a list that is cached: the cache first (cache.h). Not in one snapshot as the others, but outside of any transaction,
 * each statement by itself (database_ask).
 */
struct look_up {
	enum event event;
	enum outcome (*answer)(const struct message *message, struct database *database, struct cache *cache,
		enum event *answer_event, const void **answer, struct why *why);
};

/* The cached lists that the batch changes: their keys, each once, in `batch->arena`. Returns how many. */
typedef size_t changed_fn(const struct batch *batch, const char ***keys);

/* A view that the sweeper can read again: body struct of `event` and version of the aggregate with this key; NULL = gone. */
struct view {
	const char *name;
	enum event event;
	const void *(*read)(const char *key, struct database *database, int64_t *version, struct arena *arena,
		struct why *why);
};

struct worker {
	const char *name; /* also its queue and its database role; "<name>.emergency" and "<name>.query" follow */
	bool has_emergency_lane;
	int gather_ms; /* how long a routine message waits for others to share its batch with; 0: not at all */
	int schema_version; /* newest migration of the worker's own set that it knows */
	struct route routes[WORKER_ROUTES_MAX];
	/*
	 * An event that the worker sends and consumes, because others send it too. What it sent itself is acknowledged at once when it
	 * comes back: its effect was committed before it was sent. The broker vouches for the sender. EVENT_NONE: there is none.
	 */
	enum event skips_own;
	struct timer timers[WORKER_TIMERS_MAX];
	struct question questions[WORKER_QUERIES_MAX];
	struct look_up look_ups[WORKER_QUERIES_MAX];
	struct view views[WORKER_VIEWS_MAX];
	load_fn *load;
	conclude_fn *conclude; /* NULL or: after the last decide */
	store_fn *store;       /* also called for timers, on their state */
	changed_fn *
		changed; /* NULL: no lists are cached. Called after store; all caches forget them before the commit */
	const struct query *const *
		queries; /* all of the worker's statements, ends with NULL: prepared at start, so a fault shows there */
};

/* Runs until SIGTERM; returns the exit code: 0, 70 (our fault), 78 (configuration). */
int worker_main(const struct worker *worker, int argc, char *argv[]);
