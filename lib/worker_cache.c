/* A worker's cache of lists: its connections, its lease, its two layers. */
#include "worker_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry_queries.h"

enum {
	LISTENER_PREFETCH = 200,
	SHARED_WAIT_MS = 50,     /* for Redis, which answers in less than one or is away */
	SHARED_KEY_BYTES = 512,  /* of "view:slots:<timeline>:<key>" */
	EVICTIONS_LOGGED = 1000, /* one of so many */
	NUMBER_MAX_BITS = 52,    /* of what others read as a JSON number, with room to count on */
};

static void note_eviction(void *owner, const struct lru_entry *entry)
{
	struct cache *cache = owner;
	if (cache->counts.evicted++ % EVICTIONS_LOGGED != 0)
		return;
	char evicted[24];
	snprintf(evicted, sizeof(evicted), "%llu", (unsigned long long)cache->counts.evicted);
	log_line(&cache->runtime->log, LOG_INFO_LEVEL, "list evicted for want of room", "key", entry->key,
		"evicted", evicted, NULL);
}

static uint64_t random_number(void)
{
	uint64_t number;
	arc4random_buf(&number, sizeof(number));
	return number >> (64 - NUMBER_MAX_BITS);
}

static void hear(void *owner, struct delivery *delivery)
{
	struct cache *cache = owner;
	struct why why = { 0 };
	cache_hear(cache, delivery);
	if (!consumer_ack(cache->listener, delivery->incarnation, delivery->tag, false, &why))
		links_lost(cache->runtime, LINK_LISTENER, &why);
	delivery_free(delivery);
}

/* Another name for each process, however often it is started: nobody else may acknowledge what is for this one. */
static void make_names(struct cache *cache)
{
	const struct runtime *runtime = cache->runtime;
	char uuid[UUID_TEXT_BYTES];
	uuid_random(uuid);
	snprintf(cache->queue_prefix, sizeof(cache->queue_prefix), "%.24s-listener", runtime->worker->name);
	snprintf(cache->name, sizeof(cache->name), "%.27s.%s", cache->queue_prefix, uuid);
	snprintf(cache->key, sizeof(cache->key), "%.24s.cache.%s", runtime->worker->name, cache->name);
	snprintf(cache->consumer_name, sizeof(cache->consumer_name), "%.100s (listen)", runtime->consumer_name);
}

static void make_listener(struct cache *cache)
{
	const struct worker_settings *settings = &cache->runtime->settings;
	cache->address = (struct broker_address){ settings->amqp_url, cache->queue_prefix,
		settings->listener_password, cache->consumer_name };
	cache->bindings[0] = (struct consumer_binding){ "caches", cache->key };
	cache->listener = consumer_new_own(&cache->address, cache->runtime->tag, cache->queue_prefix,
		cache->bindings, hear, cache);
}

static void make_registry(struct cache *cache)
{
	const struct worker_settings *settings = &cache->runtime->settings;
	cache->registry = database_new(settings->database_url, settings->database_password, cache->queue_prefix);
	database_add_queries(cache->registry, registry_queries);
	database_set_wait(cache->registry, links_wait_for, cache->runtime);
	database_add_queries(cache->runtime->database, registry_queries);
}

struct cache *cache_new(struct runtime *runtime)
{
	const struct worker_settings *settings = &runtime->settings;
	struct cache *cache = calloc(1, sizeof(*cache));
	if (cache == NULL)
		abort();
	cache->runtime = runtime;
	cache->lru = lru_new(&(struct lru_settings){
		.entries_max = settings->cache_entries == 0 ? 1 : (size_t)settings->cache_entries,
		.bytes_max = (size_t)settings->cache_bytes,
		.evicted = note_eviction,
		.owner = cache,
	});
	coherence_init(&cache->coherence, &coherence_times, cache->lru, random_number());
	cache->write_id = random_number();
	cache->waits = (struct metric){ .name = "carebus_cache_wait_seconds",
		.help = "of a batch that changed lists, for all caches to forget them",
		.kind = METRIC_HISTOGRAM };
	make_names(cache);
	make_listener(cache);
	make_registry(cache);
	return cache;
}

void cache_free(struct cache *cache)
{
	if (cache == NULL)
		return;
	consumer_free(cache->listener);
	database_free(cache->registry);
	lru_free(cache->lru);
	free(cache);
}

void cache_close(struct runtime *runtime)
{
	if (runtime->cache == NULL)
		return;
	consumer_close(runtime->cache->listener);
	database_close(runtime->cache->registry);
}

static void open_registry(struct runtime *runtime)
{
	struct why why = { 0 };
	struct database *registry = runtime->cache->registry;
	if (database_is_open(registry) || !links_are_due(runtime, LINK_REGISTRY) || !runtime->was_started)
		return;
	runtime->cache->is_asking = true;
	enum outcome outcome = database_open(registry, &why);
	runtime->cache->is_asking = false;
	if (outcome == DONE)
		links_opened(runtime, LINK_REGISTRY);
	else
		links_lost(runtime, LINK_REGISTRY, &why);
}

static void open_listener(struct runtime *runtime)
{
	struct why why = { 0 };
	struct consumer *listener = runtime->cache->listener;
	if (consumer_is_open(listener) || !links_are_due(runtime, LINK_LISTENER) || !runtime->was_started)
		return;
	if (consumer_open(listener, LISTENER_PREFETCH, &why))
		links_opened(runtime, LINK_LISTENER);
	else
		links_lost(runtime, LINK_LISTENER, &why);
}

void cache_open(struct runtime *runtime)
{
	if (runtime->cache == NULL)
		return;
	open_registry(runtime);
	open_listener(runtime);
}

/* A size of 0 means not to register: then nothing is ever kept. */
static bool is_wanted(const struct cache *cache)
{
	return cache->runtime->settings.cache_entries > 0;
}

static bool can_ask(const struct cache *cache)
{
	return is_wanted(cache) && database_is_open(cache->registry) && consumer_is_open(cache->listener);
}

static void renew_lease(struct cache *cache)
{
	struct coherence_answer answer;
	char timeline[TIMELINE_BYTES] = "";
	struct coherence_request request = coherence_ask(&cache->coherence, clock_steady_us());
	bool is_answered = request.renew == 0 ? registry_register(cache, cache->name, &request, &answer, timeline)
										  : registry_renew(cache, cache->name, &request, &answer);
	if (!is_answered)
		return;
	if (timeline[0] != '\0')
		memcpy(cache->timeline, timeline, sizeof(timeline));
	coherence_hear(&cache->coherence, &answer, clock_steady_us());
}

void cache_serve(struct runtime *runtime)
{
	struct cache *cache = runtime->cache;
	struct why why = { 0 };
	if (cache == NULL)
		return;
	if (consumer_is_open(cache->listener) && !consumer_serve(cache->listener, &why))
		links_lost(runtime, LINK_LISTENER, &why);
	if (cache->is_asking)
		return;
	if (can_ask(cache) && clock_steady_us() >= coherence_due_us(&cache->coherence))
		renew_lease(cache);
	while (lease_run(runtime))
		continue;
}

int64_t cache_due_ms(const struct runtime *runtime)
{
	const struct cache *cache = runtime->cache;
	if (cache == NULL || cache->is_asking || !can_ask(cache))
		return INT64_MAX;
	int64_t due_us = coherence_due_us(&cache->coherence);
	return due_us < 0 ? 0 : due_us / 1000 + 1;
}

void cache_leave(struct runtime *runtime)
{
	struct cache *cache = runtime->cache;
	uint64_t left = cache == NULL ? 0 : coherence_leave(&cache->coherence);
	if (left != 0 && database_is_open(cache->registry))
		registry_remove(cache, &left, 1);
}

static bool print_shared_key(const struct cache *cache, const char *key, char text[SHARED_KEY_BYTES])
{
	int length = snprintf(text, SHARED_KEY_BYTES, "view:slots:%s:%s", cache->timeline, key);
	return length > 0 && length < SHARED_KEY_BYTES;
}

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
	if (cache->coherence.incarnation == 0 || !print_shared_key(cache, list->key, key))
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
	if (print_shared_key(cache, list->key, key))
		keyvalue_put(cache->runtime->keyvalue, key, (int64_t)list->certificate, list->value,
			list->value_bytes, NULL);
}

static struct metric counter(const char *name, const char *help, const char *labels, uint64_t value)
{
	return (struct metric){
		.name = name, .help = help, .labels = labels, .kind = METRIC_COUNTER, .value = (double)value
	};
}

static struct metric gauge(const char *name, const char *help, uint64_t value)
{
	return (struct metric){ .name = name, .help = help, .kind = METRIC_GAUGE, .value = (double)value };
}

void cache_print(const struct runtime *runtime, const char *labels, struct buffer *out)
{
	const struct cache *cache = runtime->cache;
	if (cache == NULL)
		return;
	const struct cache_counts *counts = &cache->counts;
	const struct coherence_counts *lease = &cache->coherence.counts;
	const struct lru_counts map = lru_counts(cache->lru);
	const struct metric metrics[] = {
		counter("carebus_cache_hits_total", "lists found, by where", "layer=\"lru\"", counts->own_hits),
		counter("carebus_cache_hits_total", "", "layer=\"redis\"", counts->shared_hits),
		counter("carebus_cache_misses_total", "lists not found, or not to be used, by where", "layer=\"lru\"",
			counts->own_misses),
		counter("carebus_cache_misses_total", "", "layer=\"redis\"", counts->shared_misses),
		counter("carebus_cache_evictions_total", "lists that left for want of room", "layer=\"lru\"",
			map.evictions),
		counter("carebus_cache_fills_total", "lists of the database that were kept", NULL, counts->filled),
		counter("carebus_cache_refused_total", "lists too old to be kept", NULL, lease->too_old),
		counter("carebus_cache_unleased_total", "lists found that no lease covered", NULL,
			lease->without_lease),
		counter("carebus_cache_registrations_total", "leases begun", NULL, lease->registrations),
		counter("carebus_cache_refusals_total", "leases not renewed", NULL, lease->refusals),
		counter("carebus_cache_invalidations_total", "messages that named lists to forget, one's own too",
			NULL, lease->invalidations),
		counter("carebus_cache_writes_total", "batches that waited for caches", NULL, counts->writes),
		counter("carebus_cache_fenced_total", "caches that were silent", NULL, counts->fenced),
		gauge("carebus_cache_entries", "lists in memory", map.entries),
		gauge("carebus_cache_bytes", "that they take", map.bytes),
		cache->waits,
	};
	metrics_print(metrics, sizeof(metrics) / sizeof(metrics[0]), labels, out);
}
