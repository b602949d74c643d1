/*
 * The coherence protocol as a world of few bytes, for an explorer: one key, whose list is the number of the write that made it.
 * The decisions of caches and writers are those of lib/coherence*.c: a world is loaded into their structures, they decide, and
 * it is saved again. The database, Redis, the bus and time are modelled here:
 * - the log is two places (inserted, flushed); only the order of the places that something still remembers is kept, so that a
 *   world has an end and the run of time has none. A commit is in the log first and seen later. A crash of the database takes
 *   what is not flushed, and the places are given again;
 * - Redis may show, at any time, whatever was ever put into it;
 * - messages are late, lost or in another order; a registration is repeated by the bus;
 * - time goes in ticks, of which a lease has `ttl`. A cache's clock may be slower by one tick a lease;
 * - the second writer of the key begins when the first one's lock is gone, and finds its fences, messages and acknowledgements;
 *   writers of other keys fence and delete rows whenever they may.
 * Any other process may read from the database at any time, so an answer out of a cache is right if and only if it is the list
 * that the database shows at that moment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CACHES = 2, REQUESTS = 2, ROWS = 4, VERSIONS = 4 };

/* What is done wrongly outside of lib/: the rules of SQL and of those who call. */
enum fault {
	FAULT_NONE,
	FAULT_GENERATION_EARLY,  /* G is read before the row is committed */
	FAULT_NUMBER_EARLY,      /* N is read before the lock is there */
	FAULT_REGISTRY_EARLY,    /* the registry is */
	FAULT_INSERTED,          /* n is the inserted place, not the flushed one */
	FAULT_LOCK,              /* a list is certified though the key's lock is busy */
	FAULT_SNAPSHOT,          /* lock and list in one statement: the list is of before the lock */
	FAULT_RENEW_FENCED,      /* a renewal does not look at `fenced` */
	FAULT_RENEW_OTHER,       /* a renewal is content with another incarnation's row */
	FAULT_DELETE_EARLY,      /* a fenced row is deleted before its wait */
	FAULT_FENCE_LATE,        /* the fence is committed with the booking only */
	FAULT_ACKNOWLEDGE_EARLY, /* acknowledged before the key is dropped */
	FAULT_COUNT,
};

/* How large a world is: explored is everything within these limits. */
struct limits {
	uint8_t caches, requests, rows;
	uint8_t ttl, margin;   /* ticks */
	uint8_t writes;        /* that begin */
	uint8_t cache_crashes; /* of all caches together */
	uint8_t database_crashes;
	uint8_t fences;   /* by writers of other keys */
	bool is_slow;     /* a cache's clock may lose a tick */
	bool is_repeated; /* registrations may be */
	bool is_joined;   /* at the start the caches are registered and have a lease */
	enum fault fault;
};

enum request_stage { REQUEST_NONE, REQUEST_SENT, REQUEST_LOGGED, REQUEST_SEEN, REQUEST_ANSWERED };

struct request {
	uint8_t stage;
	uint8_t is_registration;
	uint8_t number; /* 2: the last one asked; 1: one before */
	uint8_t age;    /* in ticks of the cache, up to ttl */
	uint8_t row;    /* + 1: to renew, or made */
	uint8_t left;   /* + 1: to be deleted */
	uint8_t is_granted;
	uint8_t generation;
};

enum fill_stage { FILL_NONE, FILL_SNAPSHOT, FILL_READ };

struct cache {
	uint8_t incarnation, left; /* row + 1, or 0 */
	uint8_t generation, floor;
	uint8_t lease;                            /* ticks left */
	uint8_t n, version;                       /* in the map; n = 0: nothing */
	uint8_t fill_stage, fill_n, fill_version; /* a list under way */
	uint8_t slow;                             /* ticks until its clock may lose one */
	struct request requests[REQUESTS];
};

enum row_state { ROW_NONE, ROW_LOGGED, ROW_SEEN, ROW_FENCED, ROW_DELETED };
enum { NOBODY = CACHES }; /* owner of a dead process's row */

struct row {
	uint8_t state;
	uint8_t owner;
	uint8_t age; /* ticks since the fence, up to ttl + margin */
};

enum write_stage { WRITE_NONE, WRITE_EARLY, WRITE_LOCKED, WRITE_NUMBERED, WRITE_TOLD, WRITE_LOGGED };
enum { PEER_ABSENT = UINT8_MAX }; /* else a state of struct coherence_peer */

struct write {
	uint8_t stage;
	uint8_t n;
	uint8_t peers[ROWS];
	uint8_t ticks[ROWS]; /* until a lease has been waited out */
};

/* Bytes only, so that two worlds are the same when their bytes are. Sets of rows are bits. */
struct world {
	uint8_t inserted, flushed;  /* places in the log */
	uint8_t version;            /* of the list that the database shows */
	uint8_t shared_n[VERSIONS]; /* what Redis may show: the best certificate, by version; 0: none */
	struct row rows[ROWS];
	struct cache caches[CACHES];
	struct write write;
	uint8_t told, acknowledged;                /* of the present write, under way, by row */
	uint8_t old_told, old_acknowledged, old_n; /* of the one before */
	uint8_t writes_left, cache_crashes_left, database_crashes_left, fences_left;
};

enum action_kind {
	ACTION_TICK, /* argument: which clocks stand still, as bits */
	ACTION_NOISE,
	ACTION_FLUSH,
	ACTION_DATABASE_CRASH,
	ACTION_FOREIGN_FENCE, /* argument of these: the row */
	ACTION_FOREIGN_DELETE,
	ACTION_ASK, /* argument of these: the cache */
	ACTION_REPEAT,
	ACTION_SNAPSHOT,
	ACTION_READ,
	ACTION_READ_OTHER,
	ACTION_LAND,
	ACTION_EVICT,
	ACTION_CACHE_CRASH,
	ACTION_SHARED,  /* argument: cache + CACHES * version */
	ACTION_EXECUTE, /* argument: cache + CACHES * request */
	ACTION_HEAR,
	ACTION_LOSE,
	ACTION_DELIVER, /* argument: the row */
	ACTION_DELIVER_OLD,
	ACTION_ACKNOWLEDGE,
	ACTION_ACKNOWLEDGE_OLD,
	ACTION_LOCK,
	ACTION_NUMBER,
	ACTION_TELL,
	ACTION_NEXT,
	ACTION_COMMIT, /* argument: whether dead rows are deleted */
	ACTION_ABORT,
	ACTION_COUNT,
};
/* How many arguments an action has: from 0 on. */
unsigned action_arguments(enum action_kind kind, const struct limits *limits);

enum step {
	STEP_NONE, /* not possible here */
	STEP_DONE,
	STEP_WRONG, /* a reader got a list that is no longer the database's */
};

void world_start(struct world *world, const struct limits *limits);

/* Changes the world; it is of no use after STEP_NONE. */
enum step world_step(struct world *world, const struct limits *limits, enum action_kind kind,
	unsigned argument);

/* Whether a look-up in a cache's map would be answered wrongly now. */
bool world_is_wrong(const struct world *world, const struct limits *limits);

/* The same world in the one form that all equal ones have. */
void world_normalise(struct world *world);

const char *action_name(enum action_kind kind);
