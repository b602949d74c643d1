/* The layers of a worker's cache: its own map, then Redis. */
#include "worker_cache.h"

#include <string.h>

enum { SHARED_WAIT_MS = 50 }; /* for Redis, which answers in less than one or is away */

void cache_take_shared(void *owner, void *token, bool is_read, int64_t version, const char *body,
	size_t body_bytes)
{
	struct runtime *runtime = owner;
	struct shared_read *read = runtime->cache == NULL ? NULL : &runtime->cache->read;
	if (read == NULL || token != &runtime->cache->places[read->place] || read->is_done)
		return;
	read->is_done = true;
	if (!is_read || body == NULL || version <= 0)
		return;
	read->list->value = arena_bytes(read->arena, body, body_bytes);
	read->list->value_bytes = body_bytes;
	read->list->certificate = (uint64_t)version;
}

/* What Redis has, of whatever age. */
static bool read_shared(struct cache *cache, struct arena *arena, struct lru_entry *list)
{
	struct runtime *runtime = cache->runtime;
	char key[SHARED_KEY_BYTES];
	if (cache->coherence.incarnation == 0 || !cache_shared_key(cache->timeline, list->key, key))
		return false;
	cache->read = (struct shared_read){
		.place = (cache->read.place + 1) % SHARED_PLACES, .arena = arena, .list = list
	};
	if (!keyvalue_get(runtime->keyvalue, key, &cache->places[cache->read.place]))
		return false;
	int64_t deadline_ms = clock_steady_ms() + SHARED_WAIT_MS;
	while (!cache->read.is_done && clock_steady_ms() < deadline_ms)
		links_turn(runtime, deadline_ms);
	cache->read.is_done = true;
	return list->value != NULL;
}

static bool find_own(struct cache *cache, uint64_t least, struct arena *arena, struct lru_entry *list)
{
	const struct lru_entry *entry = coherence_find(&cache->coherence, list->key, list->key_bytes);
	if (entry == NULL || entry->certificate < least
		|| !coherence_may_answer(&cache->coherence, clock_steady_us()))
		return false;
	list->value = arena_bytes(arena, entry->value, entry->value_bytes);
	list->value_bytes = entry->value_bytes;
	list->certificate = entry->certificate;
	return true;
}

static bool find_shared(struct cache *cache, uint64_t least, struct arena *arena, struct lru_entry *list)
{
	return read_shared(cache, arena, list) && list->certificate >= least
		&& coherence_keep_shared(&cache->coherence, list, clock_steady_us());
}

enum cache_layer cache_find(struct cache *cache, const char *key, uint64_t least, struct arena *arena,
	struct lru_entry *list)
{
	*list = (struct lru_entry){ .key = key, .key_bytes = strlen(key) };
	if (find_own(cache, least, arena, list)) {
		cache->counts.own_hits++;
		return CACHE_OWN;
	}
	cache->counts.own_misses++;
	if (find_shared(cache, least, arena, list)) {
		cache->counts.shared_hits++;
		return CACHE_SHARED;
	}
	cache->counts.shared_misses++;
	return CACHE_NONE;
}

void cache_keep(struct cache *cache, const struct lru_entry *list)
{
	char key[SHARED_KEY_BYTES];
	if (!coherence_keep(&cache->coherence, list))
		return;
	cache->counts.filled++;
	if (cache_shared_key(cache->timeline, list->key, key))
		keyvalue_put(cache->runtime->keyvalue, key, (int64_t)list->certificate, list->value,
			list->value_bytes, NULL);
}

void cache_print(const struct runtime *runtime, const char *labels, struct buffer *out)
{
	const struct cache *cache = runtime->cache;
	if (cache == NULL)
		return;
	cache_report(&cache->counts, &cache->coherence, labels, out);
	const struct metric metrics[] = {
		cache_counter("carebus_cache_writes_total", "batches that waited for caches", NULL, cache->writes),
		cache_counter("carebus_cache_fenced_total", "caches that were silent", NULL, cache->fenced),
		cache->waits,
	};
	metrics_print(metrics, sizeof(metrics) / sizeof(metrics[0]), labels, out);
}
