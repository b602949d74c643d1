/*
 * How long a look-up of the process's own cache takes: in the map alone, and as the coherent cache answers it (look up, read the
 * clock, check the lease). bench-lru [ENTRIES]: medians of many rounds, in nanoseconds a look-up, beside the clock itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "coherence.h"

enum { ROUNDS = 1001, LOOKUPS = 1000, ENTRIES_DEFAULT = 10000, VALUE_BYTES = 2000, KEY_BYTES = 64 };

struct bench {
	struct coherence cache;
	struct lru *lru;
	char (*keys)[KEY_BYTES];
	size_t *lengths;
	size_t count;
	uint64_t random;
};

typedef bool look_up_fn(struct bench *bench, size_t key);

static size_t next_key(struct bench *bench)
{
	bench->random = bench->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(bench->random >> 33) % bench->count;
}

static bool look_up_clock(struct bench *bench, size_t key)
{
	(void)bench;
	(void)key;
	return clock_steady_us() > 0;
}

static bool look_up_map(struct bench *bench, size_t key)
{
	return lru_find(bench->lru, bench->keys[key], bench->lengths[key]) != NULL;
}

static bool look_up_coherent(struct bench *bench, size_t key)
{
	return coherence_find(&bench->cache, bench->keys[key], bench->lengths[key]) != NULL
		&& coherence_may_answer(&bench->cache, clock_steady_us());
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Fails loudly: a look-up that misses is no measurement. */
static void measure(struct bench *bench, const char *name, look_up_fn *look_up)
{
	static double rounds[ROUNDS];
	size_t keys[LOOKUPS], found = 0;
	for (size_t round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < LOOKUPS; i++)
			keys[i] = next_key(bench);
		int64_t start_ns = now_ns();
		for (size_t i = 0; i < LOOKUPS; i++)
			found += look_up(bench, keys[i]);
		rounds[round] = (double)(now_ns() - start_ns) / LOOKUPS;
	}
	if (found != (size_t)ROUNDS * LOOKUPS) {
		fprintf(stderr, "%s: only %zu of %zu were found\n", name, found, (size_t)ROUNDS * LOOKUPS);
		exit(EXIT_FAILURE);
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
	printf("%-24s %8.1f %8.1f %8.1f\n", name, rounds[ROUNDS / 20], rounds[ROUNDS / 2],
		rounds[ROUNDS - ROUNDS / 20]);
}

static void fill(struct bench *bench, size_t count)
{
	static char value[VALUE_BYTES];
	bench->count = count;
	bench->keys = calloc(count, sizeof(bench->keys[0]));
	bench->lengths = calloc(count, sizeof(bench->lengths[0]));
	if (bench->keys == NULL || bench->lengths == NULL)
		abort();
	memset(value, 'x', sizeof(value));
	for (size_t i = 0; i < count; i++) {
		bench->lengths[i] = (size_t)snprintf(bench->keys[i], KEY_BYTES, "provider-%06zu/2026-%02zu-%02zu",
			i / 360, i / 30 % 12 + 1, i % 30 + 1);
		struct lru_entry list = { .key = bench->keys[i],
			.key_bytes = bench->lengths[i],
			.value = value,
			.value_bytes = sizeof(value),
			.certificate = 2 };
		coherence_keep(&bench->cache, &list);
	}
}

int main(int argc, char *argv[])
{
	static struct bench bench;
	struct coherence_times times = coherence_times;
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : ENTRIES_DEFAULT;
	if (count < 1 || count > LRU_ENTRIES_MAX) {
		fprintf(stderr, "want 1 to %d entries\n", LRU_ENTRIES_MAX);
		return EXIT_FAILURE;
	}
	times.ttl_us = INT64_C(3600) * MICROSECONDS_PER_SECOND; /* as if it were renewed */
	bench.lru = lru_new(&(struct lru_settings){ .entries_max = count, .bytes_max = LRU_BYTES_MAX });
	coherence_init(&bench.cache, &times, bench.lru, 1);
	struct coherence_request request = coherence_ask(&bench.cache, clock_steady_us());
	coherence_hear(&bench.cache, &(struct coherence_answer){ request.number, true, 1, 1 }, clock_steady_us());
	fill(&bench, count);
	printf("%-24s %8s %8s %8s   (%zu entries of %d bytes)\n", "ns a look-up", "p5", "median", "p95", count,
		VALUE_BYTES);
	measure(&bench, "the clock alone", look_up_clock);
	measure(&bench, "map", look_up_map);
	measure(&bench, "map, clock and lease", look_up_coherent);
	lru_free(bench.lru);
	free(bench.keys);
	free(bench.lengths);
	return EXIT_SUCCESS;
}
