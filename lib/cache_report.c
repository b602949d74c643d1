/* Metrics and log lines of a cache of lists. */
#include "cache_report.h"

#include <stdio.h>

enum { EVICTIONS_LOGGED = 1000 /* one of so many */ };

void cache_note_eviction(struct cache_counts *counts, const struct log *log, const struct lru_entry *entry)
{
	char evicted[24];
	if (counts->evicted++ % EVICTIONS_LOGGED != 0)
		return;
	snprintf(evicted, sizeof(evicted), "%llu", (unsigned long long)counts->evicted);
	log_line(log, LOG_INFO_LEVEL, "list evicted for want of room", "key", entry->key, "evicted", evicted,
		NULL);
}

struct metric cache_counter(const char *name, const char *help, const char *labels, uint64_t value)
{
	return (struct metric){
		.name = name, .help = help, .labels = labels, .kind = METRIC_COUNTER, .value = (double)value
	};
}

static struct metric gauge(const char *name, const char *help, uint64_t value)
{
	return (struct metric){ .name = name, .help = help, .kind = METRIC_GAUGE, .value = (double)value };
}

void cache_report(const struct cache_counts *counts, const struct coherence *coherence, const char *labels,
	struct buffer *out)
{
	const struct coherence_counts *lease = &coherence->counts;
	const struct lru_counts map = lru_counts(coherence->lru);
	const struct metric metrics[] = {
		cache_counter("carebus_cache_hits_total", "lists found, by where", "layer=\"lru\"", counts->own_hits),
		cache_counter("carebus_cache_hits_total", "", "layer=\"redis\"", counts->shared_hits),
		cache_counter("carebus_cache_misses_total", "lists not found, or not to be used, by where",
			"layer=\"lru\"", counts->own_misses),
		cache_counter("carebus_cache_misses_total", "", "layer=\"redis\"", counts->shared_misses),
		cache_counter("carebus_cache_evictions_total", "lists that left for want of room", "layer=\"lru\"",
			map.evictions),
		cache_counter("carebus_cache_fills_total",
			"lists of the database, or of who asked it, that were kept", NULL, counts->filled),
		cache_counter("carebus_cache_refused_total", "lists too old to be kept", NULL, lease->too_old),
		cache_counter("carebus_cache_unleased_total", "lists found that no lease covered", NULL,
			lease->without_lease),
		cache_counter("carebus_cache_registrations_total", "leases begun", NULL, lease->registrations),
		cache_counter("carebus_cache_refusals_total", "leases not renewed", NULL, lease->refusals),
		cache_counter("carebus_cache_invalidations_total",
			"messages that named lists to forget, one's own too", NULL, lease->invalidations),
		gauge("carebus_cache_entries", "lists in memory", map.entries),
		gauge("carebus_cache_bytes", "that they take", map.bytes),
	};
	metrics_print(metrics, sizeof(metrics) / sizeof(metrics[0]), labels, out);
}
