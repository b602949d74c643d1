/* PURE. Counts of durations in log-linear buckets: each percentile is at most 0.1 % above the true one, whatever its size. */
#pragma once

#include <stdint.h>

enum {
	HISTOGRAM_STEP_BITS = 10,  /* 1024 buckets in each power of two */
	HISTOGRAM_VALUE_BITS = 36, /* larger values count as the largest: 19 hours in microseconds */
	HISTOGRAM_BUCKETS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS,
};

struct histogram {
	uint64_t *buckets;
	uint64_t count;
	int64_t max; /* exact */
};

void histogram_init(struct histogram *histogram);
void histogram_clear(struct histogram *histogram);

/* A negative value counts as 0. */
void histogram_add(struct histogram *histogram, int64_t value);

/* The value below or at which that share of all is: 999 for the 99.9th percentile. 0 while there are none. */
int64_t histogram_quantile(const struct histogram *histogram, unsigned per_mille);
