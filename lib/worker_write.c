/*
 * What a batch changes of cached lists: between its decisions and its commit every registered cache is told, and forgets them or is
 * waited out. The answers come while it waits, as do the messages of other writers, who wait for this process.
 */
#include "worker_cache.h"

#include <string.h>

#include "cache_bus.h"
#include "registry_queries.h"

/* False: it does not leave now, and the one who waits for it will notice. */
static bool tell(struct runtime *runtime, enum event event, const char *name, const void *body)
{
	struct why why = { 0 };
	bool is_sent = cache_bus_tell(runtime->publisher, runtime->worker->name, event, name, body, &why);
	if (why.reason[0] != '\0')
		links_lost(runtime, LINK_PUBLISHER, &why);
	return is_sent;
}

/* Acknowledged whatever this cache's state is, and in the words of the one who asked: it may be about an incarnation of before. */
static void forget(struct cache *cache, const struct appointment_cache_invalidate *message)
{
	const struct appointment_cache_acknowledge body = { message->write, message->incarnation };
	coherence_invalidate(&cache->coherence, message->keys, message->keys_count, (uint64_t)message->above);
	if (!tell(cache->runtime, APPOINTMENT_CACHE_ACKNOWLEDGE, message->writer, &body))
		log_line(&cache->runtime->log, LOG_WARNING_LEVEL,
			"a writer could not be told that its lists are forgotten", "writer", message->writer, NULL);
}

void cache_hear(struct cache *cache, const struct delivery *delivery)
{
	struct arena arena;
	struct why why = { 0 };
	const void *body = NULL;
	arena_init(&arena);
	enum event event = cache_bus_read(delivery, &arena, &body, &why);
	if (event == APPOINTMENT_CACHE_INVALIDATE) {
		forget(cache, body);
	} else if (event == APPOINTMENT_CACHE_ACKNOWLEDGE) {
		const struct appointment_cache_acknowledge *message = body;
		coherence_write_acknowledge(&cache->write, (uint64_t)message->write, (uint64_t)message->incarnation);
	} else {
		log_line(&cache->runtime->log, LOG_WARNING_LEVEL, "not for a cache", "reason", why.reason, "detail",
			why.text, "type", delivery->type, NULL);
	}
	arena_clear(&arena);
}

/* The lists that change, and how they are told. */
struct change {
	const char **keys;
	size_t count;
	int64_t above;
	const struct cache_row *rows;
	size_t rows_count;
};

/* Behind the locks, each by a statement of its own; they travel with the batch's own statements. */
static enum outcome read_registry(struct runtime *runtime, const struct batch *batch, struct change *change,
	struct why *why)
{
	int place = database_send(runtime->database, &cache_place, NULL, 0);
	int registry = database_send(runtime->database, &cache_registry, NULL, 0);
	const struct rows *found = database_rows(runtime->database, registry, why);
	if (found == NULL)
		return database_failure(runtime->database, why);
	change->above = rows_int(database_rows(runtime->database, place, why), 0, 0);
	change->rows_count = rows_count(found);
	struct cache_row *rows = arena_array(batch->arena, change->rows_count, sizeof(*rows));
	for (size_t row = 0; row < change->rows_count; row++)
		rows[row] = (struct cache_row){
			.incarnation = (uint64_t)rows_int(found, row, 0),
			.name = rows_text(found, row, 1, batch->arena),
			.is_fenced = rows_bool(found, row, 2),
		};
	change->rows = rows;
	return DONE;
}

static bool begin(struct cache *cache, const struct change *change)
{
	struct coherence_row rows[COHERENCE_ROWS_MAX];
	if (change->rows_count > COHERENCE_ROWS_MAX)
		return false;
	for (size_t i = 0; i < change->rows_count; i++)
		rows[i] = (struct coherence_row){ change->rows[i].incarnation, change->rows[i].is_fenced };
	return coherence_write_begin(&cache->write, &coherence_times, ++cache->write_id, rows, change->rows_count,
		clock_steady_us());
}

/* One's own is told without the bus. */
static void tell_all(struct cache *cache, const struct change *change)
{
	coherence_invalidate(&cache->coherence, change->keys, change->count, (uint64_t)change->above);
	for (size_t i = 0; i < change->rows_count; i++) {
		const struct cache_row *row = &change->rows[i];
		const struct appointment_cache_invalidate body = {
			.keys = change->keys,
			.keys_count = change->count,
			.above = change->above,
			.write = (int64_t)cache->write_id,
			.writer = cache->name,
			.incarnation = (int64_t)row->incarnation,
		};
		if (strcmp(row->name, cache->name) == 0)
			coherence_write_acknowledge(&cache->write, cache->write_id, row->incarnation);
		else
			tell(cache->runtime, APPOINTMENT_CACHE_INVALIDATE, row->name, &body);
	}
	links_serve_publisher(cache->runtime);
}

/* Without its fence a lease could be renewed while it is waited out. */
static bool fence(struct cache *cache)
{
	uint64_t incarnations[COHERENCE_ROWS_MAX];
	size_t count = coherence_write_fence(&cache->write, incarnations);
	if (!database_is_open(cache->registry) || !registry_fence(cache, incarnations, count))
		return false;
	cache->fenced += count;
	coherence_write_fenced(&cache->write, clock_steady_us());
	log_line(&cache->runtime->log, LOG_WARNING_LEVEL, "caches are silent: their leases are waited out", NULL);
	return true;
}

static bool wait_for_all(struct cache *cache)
{
	enum coherence_step step;
	int64_t until_us = 0;
	while ((step = coherence_write_next(&cache->write, clock_steady_us(), &until_us)) != COHERENCE_COMMIT) {
		if (step == COHERENCE_FENCE && !fence(cache))
			return false;
		if (step == COHERENCE_WAIT)
			links_turn(cache->runtime, until_us / 1000 + 1);
	}
	return true;
}

/* As if the database were gone, which is likely: the batch is delivered again when it is back. */
static enum outcome roll_back(struct runtime *runtime, struct why *why)
{
	database_close(runtime->database);
	return retry(why, "caches",
		"the registry has too many caches, or one that is silent could not be fenced");
}

enum outcome cache_before_commit(struct runtime *runtime, const struct batch *batch, struct why *why)
{
	struct cache *cache = runtime->cache;
	struct change change = { .count = 0 };
	if (cache == NULL)
		return DONE;
	cache->write.count = 0;
	change.count = runtime->worker->changed(batch, &change.keys);
	if (change.count == 0)
		return DONE;
	enum outcome outcome = read_registry(runtime, batch, &change, why);
	if (outcome != DONE || change.rows_count == 0)
		return outcome;
	int64_t begun_us = clock_steady_us();
	if (!begin(cache, &change))
		return roll_back(runtime, why);
	tell_all(cache, &change);
	if (!wait_for_all(cache))
		return roll_back(runtime, why);
	cache->writes++;
	metric_observe(&cache->waits, (double)(clock_steady_us() - begun_us) / 1e6);
	return DONE;
}

void cache_after_commit(struct runtime *runtime)
{
	uint64_t incarnations[COHERENCE_ROWS_MAX];
	struct cache *cache = runtime->cache;
	size_t count = cache == NULL ? 0 : coherence_write_dead(&cache->write, incarnations);
	if (count > 0 && database_is_open(cache->registry))
		registry_remove(cache, incarnations, count);
}
