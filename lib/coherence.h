/*
 * A cache's side of the coherence protocol, with no I/O and no clock: what it asks for, hears, may keep and may answer. With
 * the writer's side (coherence_write.h) a read that begins after a write was answered never shows what was before it, and what
 * anyone saw nobody later sees undone.
 *
 * Every list is a certificate: it carries n, a place in the database's log (pg_current_wal_flush_lsn, read under the key's
 * shared lock before the list itself; 0 where the lock was busy). A cache has a row in the database's registry, whose number,
 * the incarnation, the database gives, and a lease, which it renews by reading that row. Whoever writes tells every registered
 * cache before the commit, and waits out the lease of those that do not answer.
 *
 * How the owner of a cache runs it, every time of `now_us` being of CLOCK_BOOTTIME, in microseconds:
 * - its queue, for answers and invalidations, exists before the first request;
 * - at coherence_due_us: read the clock, coherence_ask, send; on the answer: coherence_hear;
 * - on {keys, N, write id}: coherence_invalidate, then acknowledge with the write id and the incarnation it was sent to, whatever
 *   the state is: registered, not yet, or by now another incarnation;
 * - a read: coherence_find; then read the clock; then coherence_may_answer. Else Redis: what it has, coherence_keep_shared with a
 *   clock read after that. Else the database, or who asks it: that answer is given to the reader as it is, and coherence_keep.
 *
 * The other side of a request to register is: INSERT and commit; then, in a later statement, G = pg_current_wal_insert_lsn();
 * then a second small commit, without which an idle database's flushed log would never pass G and nothing be kept. Of a renewal:
 * whether the row is there and not fenced. Both may be repeated by the bus: a stray row costs one write one delay.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lru.h"

enum {
	COHERENCE_FLOORS = 4096,
	COHERENCE_REQUESTS = 4, /* as many renewals as begin within a lease */
};

struct coherence_times {
	int64_t ttl_us;    /* of a lease */
	int64_t renew_us;  /* between two requests */
	int64_t silent_us; /* a cache that has not acknowledged by then is fenced */
	int64_t margin_us; /* waited beyond a lease: the clocks of two machines run differently */
};

extern const struct coherence_times coherence_times; /* those of the product */

struct coherence_request {
	uint64_t number; /* 0: free. The answer repeats it */
	uint64_t renew;  /* the incarnation to renew, or to give up; 0: register */
	bool leaves;     /* gives it up */
	uint64_t left;   /* with a registration: an incarnation of before, whose row may be deleted; 0: none */
	int64_t sent_at_us;
};

struct coherence_answer {
	uint64_t number; /* of the request */
	bool is_granted;
	uint64_t incarnation, generation; /* of a registration: the row's number, and G */
};

struct coherence_counts {
	uint64_t registrations; /* granted */
	uint64_t refusals;      /* of a renewal: fenced or gone */
	uint64_t invalidations; /* messages */
	uint64_t kept;          /* lists accepted */
	uint64_t too_old;       /* lists refused by G or a floor, or without a certificate */
	uint64_t without_lease; /* reads that could not be answered from here for want of a lease */
};

struct coherence {
	struct coherence_times times;
	struct lru *lru; /* not owned */
	struct coherence_counts counts;
	uint64_t incarnation; /* 0: not registered, and the map is empty */
	uint64_t left;        /* the one before, while its row may still be there; 0: none */
	uint64_t generation;  /* G */
	int64_t lease_until_us;
	int64_t due_us;                                        /* the next request */
	uint64_t number;                                       /* of the last request */
	struct coherence_request requests[COHERENCE_REQUESTS]; /* by number */
	uint64_t floors[COHERENCE_FLOORS]; /* by the key's hash; the highest N heard, only ever raised */
};

/*
 * The first request is due at once. `number` is where requests start to count: something random, so that no answer to an
 * earlier process of the same queue is taken for one's own.
 */
void coherence_init(struct coherence *cache, const struct coherence_times *times, struct lru *lru,
	uint64_t number);

/* When to ask next. */
int64_t coherence_due_us(const struct coherence *cache);

/* What to ask for now; `now_us` was read before this call, which comes before the sending. */
struct coherence_request coherence_ask(struct coherence *cache, int64_t now_us);

/* An answer; late, repeated and strange ones do nothing. A refusal drops the whole map, and a registration is due at once. */
void coherence_hear(struct coherence *cache, const struct coherence_answer *answer, int64_t now_us);

/*
 * After coherence_hear: what to tell the registry of a registration that came too late to be this cache's. Its row would stay as long as
 * this process, which acknowledges for all, and be told of every write. Number 0: it is none.
 */
struct coherence_request coherence_return(struct coherence *cache, const struct coherence_answer *answer);

/*
 * The end of the process: nothing is answered, nothing asked, and no answer heard any more. What to tell the registry, so that nobody waits
 * for the lease to end; number 0: nothing.
 */
struct coherence_request coherence_leave(struct coherence *cache);

/* Raises the floors to n and drops the keys. The caller acknowledges after it. */
void coherence_invalidate(struct coherence *cache, const char *const keys[], size_t count, uint64_t n);

/* The key's entry, or NULL. Nothing may be answered from it before coherence_may_answer says so. */
const struct lru_entry *coherence_find(struct coherence *cache, const char *key, size_t key_bytes);

/* Whether what lies in the map is true at `now_us`, which was read after the look-up or the keeping. */
bool coherence_may_answer(struct coherence *cache, int64_t now_us);

/*
 * A list of the database or of another process, whose reader gets it anyway. True: accepted, and in the map if it has room.
 */
bool coherence_keep(struct coherence *cache, const struct lru_entry *list);

/* Whether those who joined a read while it was under way (flight.h) may have its list, too; else they read again. */
bool coherence_may_join(struct coherence *cache, bool is_kept, int64_t now_us);

/* A list of Redis, which may be of any age. True: accepted and true at `now_us`: answer it. False: ask the database. */
bool coherence_keep_shared(struct coherence *cache, const struct lru_entry *list, int64_t now_us);

/* The lowest n that would be accepted for the key; UINT64_MAX while none is. Sent along with a question to another cache. */
uint64_t coherence_least(const struct coherence *cache, const char *key, size_t key_bytes);
