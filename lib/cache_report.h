/* What is counted and logged of a cache of lists, the same in every process that has one. */
#pragma once

#include "buffer.h"
#include "coherence.h"
#include "log.h"
#include "metrics.h"

struct cache_counts {
	uint64_t own_hits, own_misses;
	uint64_t shared_hits, shared_misses; /* a list that the rules forbid is a miss */
	uint64_t filled;                     /* lists of the database, or of another process, that were kept */
	uint64_t evicted;
};

/* A list left the map for want of room: one of many is logged. */
void cache_note_eviction(struct cache_counts *counts, const struct log *log, const struct lru_entry *entry);

struct metric cache_counter(const char *name, const char *help, const char *labels, uint64_t value);

/* The metrics; the map's are those of the cache's own. */
void cache_report(const struct cache_counts *counts, const struct coherence *coherence, const char *labels,
	struct buffer *out);
