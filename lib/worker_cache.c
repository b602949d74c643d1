/* A worker's cache of lists: its names, its connections, its lease. */
#include "worker_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry_queries.h"

enum { LISTENER_PREFETCH = 200 };

static void note_eviction(void *owner, const struct lru_entry *entry)
{
	struct cache *cache = owner;
	cache_note_eviction(&cache->counts, &cache->runtime->log, entry);
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

static void make_names(struct cache *cache)
{
	const struct runtime *runtime = cache->runtime;
	snprintf(cache->queue_prefix, sizeof(cache->queue_prefix), "%.24s-listener", runtime->worker->name);
	cache_name_make(cache->queue_prefix, cache->name);
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
	coherence_init(&cache->coherence, &coherence_times, cache->lru, cache_number_make());
	cache->write_id = cache_number_make();
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
	if (cache == NULL)
		return;
	const struct coherence_request request = coherence_leave(&cache->coherence);
	if (request.number != 0 && database_is_open(cache->registry))
		registry_leave(cache, cache->name, &request);
}
