/*
 * The least recently used map: text keys to immutable bytes, bounded by entries and by bytes. A look-up allocates nothing and
 * takes the same time however full it is. One thread, no I/O.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LRU_ENTRIES_MAX = 1 << 20,
	LRU_KEY_MAX = 256, /* bytes */
};
#define LRU_BYTES_MAX (SIZE_MAX / 4)

struct lru;

struct lru_entry {
	const char *key; /* of a stored entry: with a NUL behind it, which key_bytes does not count */
	const void *value;
	size_t key_bytes;
	size_t value_bytes;
	uint64_t
		certificate; /* the place in the log at which the value was true (coherence.h); 0: of no use to others */
	int64_t version; /* the owner's, for an ETag */
};

/* An entry leaves for want of room; it is gone after the return. May not call back into the map. */
typedef void lru_evicted_fn(void *owner, const struct lru_entry *entry);

struct lru_settings {
	size_t entries_max;      /* 1 .. LRU_ENTRIES_MAX */
	size_t bytes_max;        /* 1 .. LRU_BYTES_MAX; keys, values and lru_entry_bytes each count */
	lru_evicted_fn *evicted; /* may be NULL */
	void *owner;
};

/* Since the start, but `entries` and `bytes`, which are of now. */
struct lru_counts {
	uint64_t hits, misses;
	uint64_t insertions; /* replacements too */
	uint64_t evictions;  /* for want of room */
	uint64_t drops;      /* by lru_drop and lru_drop_all */
	uint64_t too_large;  /* refused: larger than the whole map */
	size_t entries, bytes;
};

/* Never NULL (ends the process when memory is out). */
struct lru *lru_new(const struct lru_settings *settings);
void lru_free(struct lru *lru);

/* The key's entry, which is now the most recently used, or NULL. Valid until the next put or drop. Counts a hit or a miss. */
const struct lru_entry *lru_find(struct lru *lru, const char *key, size_t key_bytes);

/*
 * Copies the entry in as the most recently used, in the place of one of the same key, and evicts the least recently used until
 * the limits hold. Returns what is stored; NULL: it is larger than bytes_max alone, or the key longer than LRU_KEY_MAX. Then
 * the key has no entry. What is copied must not be of this map.
 */
const struct lru_entry *lru_put(struct lru *lru, const struct lru_entry *entry);

/* False: there was none. */
bool lru_drop(struct lru *lru, const char *key, size_t key_bytes);
void lru_drop_all(struct lru *lru);

/* What an entry costs beside its key and its value. */
size_t lru_entry_bytes(void);

struct lru_counts lru_counts(const struct lru *lru);
