/*
 * The lists that a process keeps, as its look-ups use them: in its own map, else in Redis, as far as the rules of coherence.h allow. What
 * is in neither, the database says, in a statement that gives a certificate along with the list.
 */
#pragma once

#include "arena.h"
#include "lru.h"

struct cache;

enum cache_layer { CACHE_NONE, CACHE_OWN, CACHE_SHARED };

/*
 * Where the key's list is that is true now and has a certificate of at least `least`. Fills `*list`, copied into `arena`. Waits for Redis
 * a moment at most.
 */
enum cache_layer cache_find(struct cache *cache, const char *key, uint64_t least, struct arena *arena,
	struct lru_entry *list);

/* A list that the database just gave: from now on in the map and in Redis, if the rules allow it. */
void cache_keep(struct cache *cache, const struct lru_entry *list);
