/* A world's start, its one form, and what happens in it beside caches and writers: time, the log, crashes, other keys. */
#include "world.h"

#include <string.h>

#include "internal.h"
#include "real.h"

enum { PLACES_MAX = 64, PLACE_FIRST = 4 };

static const char *const names[ACTION_COUNT] = {
	[ACTION_TICK] = "a tick; clocks that stand still:",
	[ACTION_NOISE] = "another key's record is logged",
	[ACTION_FLUSH] = "the log is flushed",
	[ACTION_DATABASE_CRASH] = "the database crashes",
	[ACTION_FOREIGN_FENCE] = "a writer of another key fences row",
	[ACTION_FOREIGN_DELETE] = "a writer of another key deletes row",
	[ACTION_ASK] = "a request is sent by cache",
	[ACTION_REPEAT] = "the bus repeats a registration of cache",
	[ACTION_SNAPSHOT] = "a snapshot is taken for cache",
	[ACTION_READ] = "the database is read for cache",
	[ACTION_READ_OTHER] = "the other cache's list is read for cache",
	[ACTION_LAND] = "a list lands in cache",
	[ACTION_EVICT] = "the list is evicted from cache",
	[ACTION_CACHE_CRASH] = "a crash of cache",
	[ACTION_SHARED] = "Redis is read (cache + 2 * version):",
	[ACTION_EXECUTE] = "the database goes on with a request (cache + 2 * request):",
	[ACTION_HEAR] = "an answer is heard (cache + 2 * request):",
	[ACTION_LOSE] = "a request or answer is lost (cache + 2 * request):",
	[ACTION_DELIVER] = "an invalidation is heard and acknowledged for row",
	[ACTION_DELIVER_OLD] = "one of the write before is heard and acknowledged for row",
	[ACTION_ACKNOWLEDGE] = "an acknowledgement reaches the writer for row",
	[ACTION_ACKNOWLEDGE_OLD] = "one of the write before reaches the writer for row",
	[ACTION_LOCK] = "a writer locks the key and decides",
	[ACTION_NUMBER] = "the writer reads N",
	[ACTION_TELL] = "the writer reads the registry and tells all",
	[ACTION_NEXT] = "the writer goes on: fences, or logs its commit",
	[ACTION_COMMIT] = "the commit is seen; dead rows deleted:",
	[ACTION_ABORT] = "the writer crashes or rolls back",
};

const char *action_name(enum action_kind kind)
{
	return names[kind];
}

unsigned action_arguments(enum action_kind kind, const struct limits *limits)
{
	if (kind >= ACTION_LOCK)
		return kind == ACTION_COMMIT ? 2 : 1;
	if (kind >= ACTION_DELIVER)
		return limits->rows;
	if (kind >= ACTION_EXECUTE)
		return CACHES * limits->requests;
	if (kind == ACTION_SHARED)
		return CACHES * (limits->writes + 1U);
	if (kind >= ACTION_ASK)
		return limits->caches;
	if (kind >= ACTION_FOREIGN_FENCE)
		return limits->rows;
	if (kind == ACTION_NOISE)
		return limits->database_crashes > 0 ? 2 : 1; /* places are given again only after a crash */
	return kind == ACTION_TICK && limits->is_slow ? 1U << limits->caches : 1;
}

static void join_cache(struct world *world, const struct limits *limits, uint8_t number)
{
	world->rows[number] = (struct row){ .state = ROW_SEEN, .owner = number };
	world->caches[number].incarnation = (uint8_t)(number + 1);
	world->caches[number].generation = PLACE_FIRST - 2;
	world->caches[number].lease = limits->ttl;
}

void world_start(struct world *world, const struct limits *limits)
{
	memset(world, 0, sizeof(*world));
	world->inserted = world->flushed = PLACE_FIRST;
	memset(world->write.peers, PEER_ABSENT, sizeof(world->write.peers));
	world->writes_left = limits->writes;
	world->cache_crashes_left = limits->cache_crashes;
	world->database_crashes_left = limits->database_crashes;
	world->fences_left = limits->fences;
	for (uint8_t number = 0; number < limits->caches && limits->is_joined; number++)
		join_cache(world, limits, number);
	world_normalise(world);
}

void world_log(struct world *world)
{
	world->inserted++; /* places that matter are even: this one lies between two of them, or above all */
}

void world_log_commit(struct world *world)
{
	world_log(world);
	world->flushed = world->inserted;
}

void request_end(struct world *world, struct request *request)
{
	if (request->stage == REQUEST_LOGGED)
		world->rows[request->row - 1].state = ROW_SEEN;
	memset(request, 0, sizeof(*request));
}

static void count_down(uint8_t *ticks)
{
	if (*ticks > 0)
		(*ticks)--;
}

static void count_up(uint8_t *ticks, uint8_t limit)
{
	if (*ticks < limit)
		(*ticks)++;
}

static void tick_cache(struct cache *cache, const struct limits *limits)
{
	count_down(&cache->lease);
	for (unsigned i = 0; i < REQUESTS; i++)
		if (cache->requests[i].stage != REQUEST_NONE)
			count_up(&cache->requests[i].age, limits->ttl);
}

/* A clock loses a tick in any lease at most: that is what the margin is for. */
static enum step tick(struct world *world, const struct limits *limits, unsigned standing)
{
	for (unsigned i = 0; i < limits->caches; i++) {
		struct cache *cache = &world->caches[i];
		bool is_standing = (standing >> i & 1) != 0;
		if (is_standing && cache->slow > 0)
			return STEP_NONE;
		count_down(&cache->slow);
		if (is_standing)
			cache->slow = (uint8_t)(limits->ttl + 1);
		else
			tick_cache(cache, limits);
	}
	for (unsigned row = 0; row < ROWS; row++) {
		count_down(&world->write.ticks[row]);
		if (world->rows[row].state == ROW_FENCED)
			count_up(&world->rows[row].age, (uint8_t)(limits->ttl + limits->margin));
	}
	return STEP_DONE;
}

/* What is in the log but not flushed is gone; what is flushed will be seen; all connections end. */
static enum step crash_database(struct world *world)
{
	if (world->database_crashes_left == 0)
		return STEP_NONE;
	world->database_crashes_left--;
	world->inserted = world->flushed;
	for (unsigned i = 0; i < CACHES; i++) {
		struct cache *cache = &world->caches[i];
		for (unsigned j = 0; j < REQUESTS; j++)
			if (cache->requests[j].stage == REQUEST_LOGGED || cache->requests[j].stage == REQUEST_SEEN)
				request_end(world, &cache->requests[j]);
		if (cache->fill_stage == FILL_SNAPSHOT)
			cache->fill_stage = cache->fill_version = 0;
	}
	if (world->write.stage == WRITE_LOGGED)
		world->version++;
	write_end(world);
	return STEP_DONE;
}

static enum step fence_foreign(struct world *world, unsigned row)
{
	if (world->fences_left == 0 || world->rows[row].state != ROW_SEEN)
		return STEP_NONE;
	world->fences_left--;
	world->rows[row].state = ROW_FENCED;
	world_log_commit(world);
	return STEP_DONE;
}

static enum step delete_foreign(struct world *world, const struct limits *limits, unsigned row)
{
	if (world->rows[row].state != ROW_FENCED)
		return STEP_NONE;
	if (world->rows[row].age < limits->ttl + limits->margin && limits->fault != FAULT_DELETE_EARLY)
		return STEP_NONE;
	world->rows[row].state = ROW_DELETED;
	world->rows[row].age = 0;
	return STEP_DONE;
}

static enum step flush(struct world *world)
{
	if (world->flushed == world->inserted)
		return STEP_NONE;
	world->flushed = world->inserted;
	return STEP_DONE;
}

enum step world_step(struct world *world, const struct limits *limits, enum action_kind kind,
	unsigned argument)
{
	if (kind >= ACTION_DELIVER)
		return write_step(world, limits, kind, argument);
	if (kind >= ACTION_ASK)
		return cache_step(world, limits, kind, argument);
	if (kind == ACTION_TICK)
		return tick(world, limits, argument);
	if (kind == ACTION_FOREIGN_FENCE)
		return fence_foreign(world, argument);
	if (kind == ACTION_FOREIGN_DELETE)
		return delete_foreign(world, limits, argument);
	if (kind == ACTION_FLUSH)
		return flush(world);
	if (kind == ACTION_DATABASE_CRASH)
		return crash_database(world);
	world->inserted =
		(uint8_t)(world->inserted + 1 + argument); /* between two places, or at the next one again */
	return STEP_DONE;
}

bool world_is_wrong(const struct world *world, const struct limits *limits)
{
	for (unsigned i = 0; i < limits->caches; i++) {
		const struct cache *cache = &world->caches[i];
		if (cache->n != 0 && cache->version != world->version && real_is_hit(cache, limits))
			return true;
	}
	return false;
}

/* All places of the log that are remembered, by a function for each. */
static void for_each_place(struct world *world, void (*each)(uint8_t *place, uint8_t *map), uint8_t *map)
{
	each(&world->inserted, map);
	each(&world->flushed, map);
	each(&world->write.n, map);
	each(&world->old_n, map);
	for (unsigned i = 0; i < VERSIONS; i++)
		each(&world->shared_n[i], map);
	for (unsigned i = 0; i < CACHES; i++) {
		struct cache *cache = &world->caches[i];
		each(&cache->generation, map);
		each(&cache->floor, map);
		each(&cache->n, map);
		each(&cache->fill_n, map);
		for (unsigned j = 0; j < REQUESTS; j++)
			each(&cache->requests[j].generation, map);
	}
}

static void mark_place(uint8_t *place, uint8_t *map)
{
	map[*place] = 1;
}

static void move_place(uint8_t *place, uint8_t *map)
{
	*place = map[*place];
}

static void rank_places(struct world *world)
{
	uint8_t map[PLACES_MAX] = { 0 }, next = 0;
	for_each_place(world, mark_place, map);
	map[0] = 0;
	for (unsigned place = 1; place < PLACES_MAX; place++)
		if (map[place] != 0)
			map[place] = next = (uint8_t)(next + 2);
	for_each_place(world, move_place, map);
}

static bool is_in_request(const struct cache *cache, unsigned row)
{
	for (unsigned i = 0; i < REQUESTS; i++)
		if (cache->requests[i].row == row + 1 || cache->requests[i].left == row + 1)
			return true;
	return false;
}

static bool is_remembered(const struct world *world, unsigned row)
{
	if (((world->told | world->acknowledged | world->old_told | world->old_acknowledged) & bit(row)) != 0
		|| world->write.peers[row] != PEER_ABSENT)
		return true;
	for (unsigned i = 0; i < CACHES; i++)
		if (world->caches[i].incarnation == row + 1 || world->caches[i].left == row + 1
			|| is_in_request(&world->caches[i], row))
			return true;
	return false;
}

static void sort_requests(struct cache *cache)
{
	struct request first = cache->requests[0], second = cache->requests[1];
	if (second.stage != REQUEST_NONE && (first.stage == REQUEST_NONE || first.number > second.number)) {
		cache->requests[0] = second;
		cache->requests[1] = first;
	}
}

void world_normalise(struct world *world)
{
	for (unsigned row = 0; row < ROWS; row++)
		if (world->rows[row].state == ROW_DELETED && !is_remembered(world, row))
			memset(&world->rows[row], 0, sizeof(world->rows[row]));
	for (unsigned i = 0; i < CACHES; i++) {
		sort_requests(&world->caches[i]);
		if (world->caches[i].incarnation == 0)
			world->caches[i].generation = 0;
	}
	if (world->old_told == 0)
		world->old_n = 0;
	rank_places(world);
}
