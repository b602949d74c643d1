/*
 * How the machine runs the coherent cache of a worker that has cached lists: its connections, its lease, what it hears, and what its
 * batches tell other caches. The messages are those of the appointment worker, the only one that has lists.
 */
#pragma once

#include "buffer.h"
#include "cache.h"
#include "cache_names.h"
#include "cache_report.h"
#include "coherence.h"
#include "coherence_write.h"
#include "worker_internal.h"

enum {
	SHARED_PLACES = 256, /* by far more than are given up before Redis counts as away */
};

/* A question to Redis. */
struct shared_read {
	size_t place; /* of its token: another one than the last questions', whose answers may come too late */
	bool is_done;
	struct arena *arena;    /* where the list is copied to */
	struct lru_entry *list; /* value NULL: none */
};

struct cache {
	struct runtime *runtime;
	struct lru *lru;
	struct coherence coherence;
	char timeline[TIMELINE_BYTES]; /* of the lease; the lists of another one in Redis are not looked at */
	char name[CACHE_NAME_BYTES];   /* how this process is reached, as a cache and as a writer */
	char key[CACHE_NAME_BYTES + 32], queue_prefix[CACHE_NAME_BYTES], consumer_name[128];
	struct broker_address address;
	struct consumer_binding bindings[2];
	struct consumer *listener; /* hears what is for this name, also while the other connections wait */
	struct database *registry; /* leases and fences, while the other connection is in a transaction */
	bool is_asking;            /* the registry: not again inside of that wait */
	struct shared_read read;
	char places[SHARED_PLACES];   /* tokens are addresses of these */
	struct coherence_write write; /* the one that waits, or the last one */
	uint64_t write_id;            /* of the last one */
	struct cache_counts counts;
	uint64_t writes;     /* that told caches */
	uint64_t fenced;     /* caches */
	struct metric waits; /* of writes, for caches */
};

/* A row of the registry, as a writer needs it. */
struct cache_row {
	uint64_t incarnation;
	const char *name;
	bool is_fenced;
};

/* worker_cache.c. The functions with a runtime do nothing where the worker has no cached lists. */
struct cache *cache_new(struct runtime *runtime);
void cache_free(struct cache *cache);
void cache_open(struct runtime *runtime);
void cache_close(struct runtime *runtime);
void cache_serve(struct runtime *runtime); /* what came for it, its lease, and the leases of others */
int64_t cache_due_ms(const struct runtime *runtime); /* when to serve it at the latest */
void cache_leave(struct runtime *runtime);           /* the end: nothing is answered from here any more */

/* worker_layers.c, beside cache.h: what Redis answers; metrics. */
view_read_fn cache_take_shared;
void cache_print(const struct runtime *runtime, const char *labels, struct buffer *out);

/* worker_write.c: in the batch's transaction, when all is stored: DONE when no cache can answer the old lists any more. */
enum outcome cache_before_commit(struct runtime *runtime, const struct batch *batch, struct why *why);
void cache_after_commit(struct runtime *runtime); /* removes those that were waited out */

/* A message for this name: a list to forget, or that one was forgotten. */
void cache_hear(struct cache *cache, const struct delivery *delivery);

/* worker_registry.c. False: the registry did not answer. */
bool registry_register(struct cache *cache, const char *name, const struct coherence_request *request,
	struct coherence_answer *answer, char timeline[TIMELINE_BYTES]);
bool registry_renew(struct cache *cache, const char *name, const struct coherence_request *request,
	struct coherence_answer *answer);
bool registry_leave(struct cache *cache, const char *name, const struct coherence_request *request);
bool registry_fence(struct cache *cache, const uint64_t incarnations[], size_t count);
bool registry_remove(struct cache *cache, const uint64_t incarnations[], size_t count);

/* A lease for a process that speaks no SQL. */
bool registry_is_lease_question(const struct runtime *runtime, const struct delivery *delivery);
enum outcome registry_answer(const struct message *message, struct cache *cache, enum event *answer_event,
	const void **answer, struct why *why);
