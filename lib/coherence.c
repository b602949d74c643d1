/* A cache of the coherence protocol: registration, lease, floors, and what they allow. */
#include "coherence.h"

#include <string.h>

#include "guard.h"
#include "hash.h"

const struct coherence_times coherence_times = {
	.ttl_us = 1000000,
	.renew_us = 300000,
	.silent_us = 100000,
	.margin_us = 20000,
};

static uint64_t *floor_of(struct coherence *cache, const char *key, size_t key_bytes)
{
	return &cache->floors[hash_bytes(key, key_bytes) % COHERENCE_FLOORS];
}

static struct coherence_request *place_of(struct coherence *cache, uint64_t number)
{
	return &cache->requests[number % COHERENCE_REQUESTS];
}

/* From now on nothing of this incarnation is answered; its row may go. */
static void give_up(struct coherence *cache)
{
	cache->left = cache->incarnation;
	cache->incarnation = 0;
	cache->lease_until_us = INT64_MIN;
	if (guard_is_on(GUARD_FORGET))
		lru_drop_all(cache->lru);
}

/* A later answer to an earlier request shortens nothing. */
static void extend_lease(struct coherence *cache, const struct coherence_request *request, int64_t now_us)
{
	int64_t start_us = guard_is_on(GUARD_LEASE_START) ? request->sent_at_us : now_us;
	if (start_us + cache->times.ttl_us > cache->lease_until_us)
		cache->lease_until_us = start_us + cache->times.ttl_us;
}

/* A second registration, of a request given up too early, leaves a stray row: coherence_return. */
static void hear_registration(struct coherence *cache, const struct coherence_request *request,
	const struct coherence_answer *answer, int64_t now_us)
{
	if (cache->incarnation != 0 || !answer->is_granted)
		return;
	cache->incarnation = answer->incarnation;
	cache->generation = answer->generation;
	cache->left = 0;
	cache->counts.registrations++;
	extend_lease(cache, request, now_us);
	cache->due_us = now_us;
}

static void hear_renewal(struct coherence *cache, const struct coherence_request *request,
	const struct coherence_answer *answer, int64_t now_us)
{
	if (cache->incarnation != request->renew)
		return;
	if (answer->is_granted) {
		extend_lease(cache, request, now_us);
		return;
	}
	cache->counts.refusals++;
	give_up(cache);
	cache->due_us = now_us;
}

static bool is_above(uint64_t n, uint64_t bound)
{
	return guard_is_on(GUARD_ABOVE) ? n > bound : n >= bound;
}

static bool is_acceptable(struct coherence *cache, const struct lru_entry *list)
{
	if (cache->incarnation == 0 || list->certificate == 0)
		return false;
	return (!guard_is_on(GUARD_GENERATION) || is_above(list->certificate, cache->generation))
		&& (!guard_is_on(GUARD_FLOOR)
			|| is_above(list->certificate, *floor_of(cache, list->key, list->key_bytes)));
}

void coherence_init(struct coherence *cache, const struct coherence_times *times, struct lru *lru,
	uint64_t number)
{
	memset(cache, 0, sizeof(*cache));
	cache->times = *times;
	cache->lru = lru;
	cache->lease_until_us = INT64_MIN;
	cache->due_us = INT64_MIN;
	cache->number = number;
}

int64_t coherence_due_us(const struct coherence *cache)
{
	return cache->due_us;
}

static uint64_t next_number(struct coherence *cache)
{
	cache->number += cache->number == UINT64_MAX ? 2 : 1; /* 0 is no number */
	return cache->number;
}

struct coherence_request coherence_ask(struct coherence *cache, int64_t now_us)
{
	uint64_t number = next_number(cache);
	struct coherence_request *request = place_of(cache, number);
	*request = (struct coherence_request){ .number = number,
		.renew = cache->incarnation,
		.left = cache->incarnation == 0 ? cache->left : 0,
		.sent_at_us = now_us };
	/* A registration that only takes long is not repeated at once: each leaves a row. */
	cache->due_us = now_us + (cache->incarnation == 0 ? cache->times.ttl_us : cache->times.renew_us);
	return *request;
}

void coherence_hear(struct coherence *cache, const struct coherence_answer *answer, int64_t now_us)
{
	uint64_t number = guard_is_on(GUARD_MATCH) ? answer->number : cache->number;
	struct coherence_request *place = place_of(cache, number), request = *place;
	if (number == 0 || request.number != number)
		return;
	place->number = 0;
	if (request.renew == 0)
		hear_registration(cache, &request, answer, now_us);
	else
		hear_renewal(cache, &request, answer, now_us);
}

static struct coherence_request leave(struct coherence *cache, uint64_t incarnation)
{
	return (struct coherence_request){ .number = next_number(cache), .renew = incarnation, .leaves = true };
}

struct coherence_request coherence_return(struct coherence *cache, const struct coherence_answer *answer)
{
	if (!answer->is_granted || answer->incarnation == 0 || answer->incarnation == cache->incarnation)
		return (struct coherence_request){ 0 };
	return leave(cache, answer->incarnation);
}

struct coherence_request coherence_leave(struct coherence *cache)
{
	if (cache->incarnation != 0)
		give_up(cache);
	memset(cache->requests, 0, sizeof(cache->requests)); /* answers under way are strange now */
	cache->due_us = INT64_MAX;
	if (cache->left == 0)
		return (struct coherence_request){ 0 };
	return leave(cache, cache->left);
}

void coherence_invalidate(struct coherence *cache, const char *const keys[], size_t count, uint64_t n)
{
	cache->counts.invalidations++;
	for (size_t i = 0; i < count; i++) {
		size_t key_bytes = strlen(keys[i]);
		uint64_t *floor = floor_of(cache, keys[i], key_bytes);
		if (n > *floor && guard_is_on(GUARD_RAISE))
			*floor = n;
		if (guard_is_on(GUARD_DROP))
			lru_drop(cache->lru, keys[i], key_bytes);
	}
}

const struct lru_entry *coherence_find(struct coherence *cache, const char *key, size_t key_bytes)
{
	return lru_find(cache->lru, key, key_bytes);
}

bool coherence_may_answer(struct coherence *cache, int64_t now_us)
{
	if (now_us < cache->lease_until_us || !guard_is_on(GUARD_LEASE))
		return true;
	cache->counts.without_lease++;
	return false;
}

bool coherence_keep(struct coherence *cache, const struct lru_entry *list)
{
	if (!is_acceptable(cache, list)) {
		cache->counts.too_old++;
		return false;
	}
	cache->counts.kept++;
	lru_put(cache->lru, list);
	return true;
}

bool coherence_may_join(struct coherence *cache, bool is_kept, int64_t now_us)
{
	return !guard_is_on(GUARD_JOIN) || (is_kept && coherence_may_answer(cache, now_us));
}

bool coherence_keep_shared(struct coherence *cache, const struct lru_entry *list, int64_t now_us)
{
	if (!coherence_keep(cache, list))
		return false;
	return !guard_is_on(GUARD_LEASE_SHARED) || coherence_may_answer(cache, now_us);
}

uint64_t coherence_least(const struct coherence *cache, const char *key, size_t key_bytes)
{
	if (cache->incarnation == 0)
		return UINT64_MAX;
	uint64_t floor = cache->floors[hash_bytes(key, key_bytes) % COHERENCE_FLOORS];
	return (floor > cache->generation ? floor : cache->generation) + 1;
}
