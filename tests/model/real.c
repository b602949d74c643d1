/* A world's bytes in the structures of lib/, and back. */
#include "real.h"

#include <string.h>

#include "hash.h"

enum { NUMBER = 40, WRITE_ID = 7, OLD_WRITE_ID = 6 };

static const char key[] = "p1/2026-03-01";
static const size_t key_bytes = sizeof(key) - 1;

static struct coherence_times times_of(const struct limits *limits)
{
	return (struct coherence_times){
		.ttl_us = limits->ttl, .renew_us = 1, .silent_us = 0, .margin_us = limits->margin
	};
}

static size_t floor_place(void)
{
	return hash_bytes(key, key_bytes) % COHERENCE_FLOORS;
}

static struct lru_entry list_of(const uint8_t *version, uint8_t n)
{
	return (struct lru_entry){
		.key = key, .key_bytes = key_bytes, .value = version, .value_bytes = 1, .certificate = n
	};
}

static struct coherence *the_cache(void)
{
	static struct coherence real;
	if (real.lru == NULL)
		real.lru = lru_new(&(struct lru_settings){ .entries_max = 4, .bytes_max = 4096 });
	return &real;
}

static void load_map(struct lru *lru, const struct cache *cache)
{
	const struct lru_entry *entry = lru_find(lru, key, key_bytes), list = list_of(&cache->version, cache->n);
	if (cache->n == 0)
		lru_drop(lru, key, key_bytes);
	else if (entry == NULL || entry->certificate != cache->n
		|| *(const uint8_t *)entry->value != cache->version)
		lru_put(lru, &list);
}

static uint64_t real_number(uint8_t number)
{
	return NUMBER - 2 + number;
}

static void load_requests(struct coherence *real, const struct cache *cache)
{
	real->number = NUMBER;
	memset(real->requests, 0, sizeof(real->requests));
	for (unsigned i = 0; i < REQUESTS; i++) {
		const struct request *request = &cache->requests[i];
		if (request->stage == REQUEST_NONE)
			continue;
		uint64_t number = real_number(request->number);
		real->requests[number % COHERENCE_REQUESTS] = (struct coherence_request){ .number = number,
			.renew = request->is_registration ? 0 : request->row,
			.left = request->left,
			.sent_at_us = NOW - request->age };
	}
}

struct coherence *real_load(const struct cache *cache, const struct limits *limits)
{
	struct coherence *real = the_cache();
	real->times = times_of(limits);
	real->incarnation = cache->incarnation;
	real->left = cache->left;
	real->generation = cache->generation;
	real->lease_until_us = NOW + cache->lease;
	real->floors[floor_place()] = cache->floor;
	load_requests(real, cache);
	load_map(real->lru, cache);
	return real;
}

void real_save(struct cache *cache, const struct coherence *real)
{
	const struct lru_entry *entry = lru_find(real->lru, key, key_bytes);
	cache->incarnation = (uint8_t)real->incarnation;
	cache->left = (uint8_t)real->left;
	cache->generation = (uint8_t)real->generation;
	cache->lease = real->lease_until_us > NOW ? (uint8_t)(real->lease_until_us - NOW) : 0;
	cache->floor = (uint8_t)real->floors[floor_place()];
	cache->n = entry == NULL ? 0 : (uint8_t)entry->certificate;
	cache->version = entry == NULL ? 0 : *(const uint8_t *)entry->value;
}

bool real_ask(struct cache *cache, const struct limits *limits)
{
	unsigned place = 0;
	while (place < limits->requests && cache->requests[place].stage != REQUEST_NONE)
		place++;
	if (place == limits->requests)
		return false;
	struct coherence_request asked = coherence_ask(real_load(cache, limits), NOW);
	for (unsigned i = 0; i < REQUESTS; i++)
		if (cache->requests[i].stage != REQUEST_NONE)
			cache->requests[i].number = 1;
	cache->requests[place] = (struct request){ .stage = REQUEST_SENT,
		.is_registration = asked.renew == 0,
		.number = 2,
		.row = (uint8_t)asked.renew,
		.left = (uint8_t)asked.left };
	return true;
}

void real_hear(struct cache *cache, const struct limits *limits, unsigned place)
{
	struct coherence *real = real_load(cache, limits);
	const struct request *request = &cache->requests[place];
	struct coherence_answer answer = { .number = real_number(request->number),
		.is_granted = request->is_granted,
		.incarnation = request->row,
		.generation = request->generation };
	coherence_hear(real, &answer, NOW);
	for (unsigned i = 0; i < REQUESTS; i++)
		if (i == place
			|| (cache->requests[i].stage != REQUEST_NONE
				&& real->requests[real_number(cache->requests[i].number) % COHERENCE_REQUESTS].number == 0))
			memset(&cache->requests[i], 0, sizeof(cache->requests[i]));
	real_save(cache, real);
}

void real_invalidate(struct cache *cache, const struct limits *limits, uint8_t n)
{
	const char *const keys[] = { key };
	struct coherence *real = real_load(cache, limits);
	coherence_invalidate(real, keys, 1, n);
	real_save(cache, real);
}

bool real_keep(struct cache *cache, const struct limits *limits, uint8_t n, uint8_t version)
{
	struct coherence *real = real_load(cache, limits);
	struct lru_entry list = list_of(&version, n);
	bool is_kept = coherence_keep(real, &list), may_answer = coherence_may_join(real, is_kept, NOW);
	real_save(cache, real);
	return may_answer;
}

bool real_keep_shared(struct cache *cache, const struct limits *limits, uint8_t n, uint8_t version)
{
	struct coherence *real = real_load(cache, limits);
	struct lru_entry list = list_of(&version, n);
	bool may_answer = coherence_keep_shared(real, &list, NOW);
	real_save(cache, real);
	return may_answer;
}

bool real_is_hit(const struct cache *cache, const struct limits *limits)
{
	struct coherence *real = real_load(cache, limits);
	return coherence_find(real, key, key_bytes) != NULL && coherence_may_answer(real, NOW);
}

/* Rows and peers have the same order; an incarnation is its row + 1. */
static struct coherence_write *load_write(const struct world *world, const struct limits *limits)
{
	static struct coherence_write real;
	real.times = times_of(limits);
	real.id = WRITE_ID;
	real.count = 0;
	for (unsigned row = 0; row < ROWS; row++)
		if (world->write.peers[row] != PEER_ABSENT) {
			struct coherence_peer *peer = &real.peers[real.count++];
			peer->incarnation = row + 1;
			peer->until_us = NOW + world->write.ticks[row];
			peer->state = (enum peer_state)world->write.peers[row];
		}
	return &real;
}

static void save_write(struct world *world, const struct coherence_write *real)
{
	memset(world->write.peers, PEER_ABSENT, sizeof(world->write.peers));
	memset(world->write.ticks, 0, sizeof(world->write.ticks));
	for (size_t i = 0; i < real->count; i++) {
		const struct coherence_peer *peer = &real->peers[i];
		world->write.peers[peer->incarnation - 1] = (uint8_t)peer->state;
		if (peer->state == PEER_WAITED_OUT && peer->until_us > NOW)
			world->write.ticks[peer->incarnation - 1] = (uint8_t)(peer->until_us - NOW);
	}
}

void real_begin_write(struct world *world, const struct limits *limits)
{
	static struct coherence_write real;
	struct coherence_row rows[ROWS];
	struct coherence_times times = times_of(limits);
	size_t count = 0;
	for (unsigned row = 0; row < ROWS; row++)
		if (world->rows[row].state == ROW_SEEN || world->rows[row].state == ROW_FENCED)
			rows[count++] = (struct coherence_row){ row + 1, world->rows[row].state == ROW_FENCED };
	if (coherence_write_begin(&real, &times, WRITE_ID, rows, count, NOW))
		save_write(world, &real);
}

void real_acknowledge(struct world *world, const struct limits *limits, unsigned row, bool is_old)
{
	struct coherence_write *real = load_write(world, limits);
	coherence_write_acknowledge(real, is_old ? OLD_WRITE_ID : WRITE_ID, row + 1);
	save_write(world, real);
}

enum coherence_step real_next(struct world *world, const struct limits *limits, uint8_t *fenced)
{
	uint64_t incarnations[COHERENCE_ROWS_MAX];
	int64_t until_us;
	struct coherence_write *real = load_write(world, limits);
	enum coherence_step step = coherence_write_next(real, NOW, &until_us);
	*fenced = 0;
	if (step == COHERENCE_FENCE) {
		size_t count = coherence_write_fence(real, incarnations);
		for (size_t i = 0; i < count; i++)
			*fenced |= (uint8_t)(1 << (incarnations[i] - 1));
		coherence_write_fenced(real, NOW);
	}
	save_write(world, real);
	return step;
}

uint8_t real_dead(const struct world *world, const struct limits *limits)
{
	uint64_t incarnations[COHERENCE_ROWS_MAX];
	uint8_t dead = 0;
	size_t count = coherence_write_dead(load_write(world, limits), incarnations);
	for (size_t i = 0; i < count; i++)
		dead |= (uint8_t)(1 << (incarnations[i] - 1));
	return dead;
}
