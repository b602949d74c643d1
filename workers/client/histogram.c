/* A value's bucket is its highest bit and the ten bits behind it. */
#include "histogram.h"

#include <stdlib.h>

#define STEPS (INT64_C(1) << HISTOGRAM_STEP_BITS)
#define VALUE_MAX ((INT64_C(1) << HISTOGRAM_VALUE_BITS) - 1)

void histogram_init(struct histogram *histogram)
{
	*histogram = (struct histogram){ .buckets = calloc(HISTOGRAM_BUCKETS, sizeof(uint64_t)) };
	if (histogram->buckets == NULL)
		abort();
}

void histogram_clear(struct histogram *histogram)
{
	free(histogram->buckets);
	*histogram = (struct histogram){ .buckets = NULL };
}

/* How far a value is shifted so that its highest bit is that of STEPS. */
static int shift_of(int64_t value)
{
	int highest = 63 - __builtin_clzll((unsigned long long)value | 1);
	return highest < HISTOGRAM_STEP_BITS ? 0 : highest - HISTOGRAM_STEP_BITS;
}

static int64_t bucket_of(int64_t value)
{
	int shift = shift_of(value);
	return shift * STEPS + (value >> shift);
}

/* The largest value of a bucket. */
static int64_t value_of(int64_t bucket)
{
	int64_t shift = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;
	return ((bucket - shift * STEPS + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, int64_t value)
{
	if (value < 0)
		value = 0;
	if (value > VALUE_MAX)
		value = VALUE_MAX;
	histogram->buckets[bucket_of(value)]++;
	histogram->count++;
	if (value > histogram->max)
		histogram->max = value;
}

int64_t histogram_quantile(const struct histogram *histogram, unsigned per_mille)
{
	uint64_t wanted = (histogram->count * per_mille + 999) / 1000, sum = 0;
	if (wanted == 0)
		wanted = 1;
	if (histogram->count == 0)
		return 0;
	for (int64_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
		sum += histogram->buckets[bucket];
		if (sum >= wanted)
			return value_of(bucket) < histogram->max ? value_of(bucket) : histogram->max;
	}
	return histogram->max;
}
