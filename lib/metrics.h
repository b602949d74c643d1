/* Counters, gauges and histograms of one process, in Prometheus' text format 0.0.4. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
enum { METRIC_BUCKETS_MAX = 16 };

struct metric {
	const char *name; /* "carebus_messages_total": standard suffixes */
	const char *help;
	const char *labels; /* `outcome="done"` or NULL; rows of one name stand together */
	enum metric_kind kind;
	double value; /* of a counter or gauge */
	/* of a histogram: seconds, cumulative when printed */
	uint64_t buckets[METRIC_BUCKETS_MAX + 1];
	double sum;
};

/* Upper bounds shared by all histograms, in seconds: 0.0005 .. 10. */
extern const double metric_bounds[METRIC_BUCKETS_MAX];

void metric_observe(struct metric *histogram, double seconds);
void metrics_print(const struct metric metrics[], size_t count, const char *common_labels,
	struct buffer *out);
