/* What happens at a cache: requests and their answers, reads of the database, of Redis, of the other cache, crashes. */
#include "internal.h"

#include <string.h>

#include "real.h"

static unsigned find_free_row(const struct world *world, const struct limits *limits)
{
	unsigned row = 0;
	while (row < limits->rows && world->rows[row].state != ROW_NONE)
		row++;
	return row;
}

static enum step repeat_registration(struct world *world, const struct limits *limits, uint8_t number)
{
	unsigned row = find_free_row(world, limits);
	if (!limits->is_repeated || row == limits->rows)
		return STEP_NONE;
	world->rows[row] = (struct row){ .state = ROW_SEEN, .owner = number };
	world_log_commit(world);
	return STEP_DONE;
}

static enum step insert_row(struct world *world, const struct limits *limits, struct request *request,
	uint8_t number)
{
	unsigned row = find_free_row(world, limits);
	if (row == limits->rows)
		return STEP_NONE;
	request->generation = world->inserted; /* overwritten later, but for the fault */
	request->row = (uint8_t)(row + 1);
	request->stage = REQUEST_LOGGED;
	world->rows[row] = (struct row){ .state = ROW_LOGGED, .owner = number };
	world_log_commit(world);
	return STEP_DONE;
}

static bool is_renewed(const struct world *world, const struct limits *limits, const struct request *request,
	uint8_t number)
{
	unsigned state = world->rows[request->row - 1].state;
	if (limits->fault == FAULT_RENEW_OTHER)
		for (unsigned row = 0; row < ROWS; row++)
			if (world->rows[row].owner == number && world->rows[row].state == ROW_SEEN)
				return true;
	return state == ROW_SEEN || (state == ROW_FENCED && limits->fault == FAULT_RENEW_FENCED);
}

/* The row is seen, and the one of before goes with the same commit. */
static void show_row(struct world *world, struct request *request)
{
	world->rows[request->row - 1].state = ROW_SEEN;
	if (request->left != 0 && world->rows[request->left - 1].state != ROW_NONE) {
		world->rows[request->left - 1].state = ROW_DELETED;
		world->rows[request->left - 1].age = 0;
	}
	request->left = 0;
	request->stage = REQUEST_SEEN;
}

static enum step execute(struct world *world, const struct limits *limits, uint8_t number,
	struct request *request)
{
	if (request->stage == REQUEST_NONE || request->stage == REQUEST_ANSWERED)
		return STEP_NONE;
	if (request->stage == REQUEST_SENT && request->is_registration)
		return insert_row(world, limits, request, number);
	if (request->stage == REQUEST_LOGGED) {
		show_row(world, request);
		return STEP_DONE;
	}
	request->is_granted = request->is_registration || is_renewed(world, limits, request, number);
	if (request->is_registration && limits->fault != FAULT_GENERATION_EARLY)
		request->generation = world->inserted;
	request->stage = REQUEST_ANSWERED;
	return STEP_DONE;
}

static enum step take_snapshot(struct world *world, const struct limits *limits, struct cache *cache)
{
	if (limits->fault != FAULT_SNAPSHOT || cache->fill_stage != FILL_NONE)
		return STEP_NONE;
	cache->fill_stage = FILL_SNAPSHOT;
	cache->fill_version = world->version;
	return STEP_DONE;
}

/* One function of the database: shared lock, n, list. Without the lock the list is no certificate, and of no interest here. */
static enum step read_database(struct world *world, const struct limits *limits, struct cache *cache)
{
	unsigned wanted = limits->fault == FAULT_SNAPSHOT ? FILL_SNAPSHOT : FILL_NONE;
	if (cache->fill_stage != wanted || (world->write.stage > WRITE_EARLY && limits->fault != FAULT_LOCK))
		return STEP_NONE;
	if (limits->fault != FAULT_SNAPSHOT)
		cache->fill_version = world->version;
	cache->fill_n = limits->fault == FAULT_INSERTED ? world->inserted : world->flushed;
	cache->fill_stage = FILL_READ;
	if (world->shared_n[cache->fill_version] < cache->fill_n)
		world->shared_n[cache->fill_version] = cache->fill_n;
	return STEP_DONE;
}

static enum step read_other(struct world *world, const struct limits *limits, uint8_t number)
{
	struct cache *cache = &world->caches[number];
	const struct cache *other = &world->caches[!number];
	if (limits->caches < 2 || cache->fill_stage != FILL_NONE || other->n == 0 || !real_is_hit(other, limits))
		return STEP_NONE;
	cache->fill_stage = FILL_READ;
	cache->fill_n = other->n;
	cache->fill_version = other->version;
	return STEP_DONE;
}

/* The one who asked has its answer anyway; here it matters for those who joined, just now. */
static enum step land(struct world *world, const struct limits *limits, struct cache *cache)
{
	if (cache->fill_stage != FILL_READ)
		return STEP_NONE;
	uint8_t n = cache->fill_n, version = cache->fill_version;
	cache->fill_stage = cache->fill_n = cache->fill_version = 0;
	return real_keep(cache, limits, n, version) && version != world->version ? STEP_WRONG : STEP_DONE;
}

static enum step read_shared(struct world *world, const struct limits *limits, struct cache *cache,
	uint8_t version)
{
	if (world->shared_n[version] == 0)
		return STEP_NONE;
	return real_keep_shared(cache, limits, world->shared_n[version], version) && version != world->version
		? STEP_WRONG
		: STEP_DONE;
}

static enum step evict(struct cache *cache)
{
	if (cache->n == 0)
		return STEP_NONE;
	cache->n = cache->version = 0;
	return STEP_DONE;
}

/* Its queue goes with it; its rows stay, and nobody answers for them. */
static enum step crash(struct world *world, struct cache *cache, uint8_t number)
{
	if (world->cache_crashes_left == 0)
		return STEP_NONE;
	world->cache_crashes_left--;
	for (unsigned i = 0; i < REQUESTS; i++)
		request_end(world, &cache->requests[i]);
	for (unsigned row = 0; row < ROWS; row++)
		if (world->rows[row].state != ROW_NONE && world->rows[row].owner == number) {
			world->rows[row].owner = NOBODY;
			world->told &= (uint8_t)~bit(row);
			world->old_told &= (uint8_t)~bit(row);
		}
	uint8_t slow = cache->slow; /* the machine's clock is the same */
	*cache = (struct cache){ .slow = slow };
	return STEP_DONE;
}

static enum step request_step(struct world *world, const struct limits *limits, enum action_kind kind,
	unsigned argument)
{
	uint8_t number = argument % CACHES;
	unsigned place = argument / CACHES;
	struct request *request = &world->caches[number].requests[place];
	if (kind == ACTION_EXECUTE)
		return execute(world, limits, number, request);
	if (request->stage == REQUEST_NONE || (kind == ACTION_HEAR && request->stage != REQUEST_ANSWERED))
		return STEP_NONE;
	if (kind == ACTION_HEAR)
		real_hear(&world->caches[number], limits, place);
	else
		request_end(world, request);
	return STEP_DONE;
}

/* Those whose argument is a cache alone. */
static enum step plain_step(struct world *world, const struct limits *limits, enum action_kind kind,
	uint8_t number)
{
	struct cache *cache = &world->caches[number];
	if (kind == ACTION_ASK)
		return real_ask(cache, limits) ? STEP_DONE : STEP_NONE;
	if (kind == ACTION_REPEAT)
		return repeat_registration(world, limits, number);
	if (kind == ACTION_SNAPSHOT)
		return take_snapshot(world, limits, cache);
	if (kind == ACTION_READ)
		return read_database(world, limits, cache);
	if (kind == ACTION_READ_OTHER)
		return read_other(world, limits, number);
	if (kind == ACTION_LAND)
		return land(world, limits, cache);
	return kind == ACTION_EVICT ? evict(cache) : crash(world, cache, number);
}

enum step cache_step(struct world *world, const struct limits *limits, enum action_kind kind,
	unsigned argument)
{
	uint8_t number = argument % CACHES;
	if (number >= limits->caches)
		return STEP_NONE;
	if (kind == ACTION_SHARED)
		return read_shared(world, limits, &world->caches[number], (uint8_t)(argument / CACHES));
	if (kind > ACTION_SHARED)
		return request_step(world, limits, kind, argument);
	return plain_step(world, limits, kind, number);
}
