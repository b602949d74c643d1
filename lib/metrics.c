/* Metrics as Prometheus reads them. */
#include "metrics.h"

#include <math.h>
#include <string.h>

const double metric_bounds[METRIC_BUCKETS_MAX] = {
	0.0005,
	0.001,
	0.002,
	0.003,
	0.005,
	0.0075,
	0.0125,
	0.025,
	0.05,
	0.1,
	0.25,
	0.5,
	1,
	2.5,
	5,
	10,
};

static const char *kind_name(enum metric_kind kind)
{
	static const char *const names[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
	};
	return names[kind];
}

static void print_number(double value, struct buffer *out)
{
	if (isnan(value))
		buffer_add_text(out, "NaN");
	else if (isinf(value))
		buffer_add_text(out, value > 0 ? "+Inf" : "-Inf");
	else
		buffer_print(out, "%.15g", value);
}

/* `{a="1",b="2"}` from up to three lists of labels; nothing when all are NULL or empty. */
static void print_labels(const char *const lists[3], struct buffer *out)
{
	char separator = '{';
	for (int i = 0; i < 3; i++) {
		if (lists[i] == NULL || lists[i][0] == '\0')
			continue;
		buffer_add_byte(out, (unsigned char)separator);
		buffer_add_text(out, lists[i]);
		separator = ',';
	}
	if (separator == ',')
		buffer_add_byte(out, '}');
}

static void print_sample(const struct metric *metric, const char *suffix, const char *common_labels,
	const char *bound_label, struct buffer *out)
{
	const char *const lists[3] = { common_labels, metric->labels, bound_label };
	buffer_add_text(out, metric->name);
	buffer_add_text(out, suffix);
	print_labels(lists, out);
	buffer_add_byte(out, ' ');
}

static void print_bucket(const struct metric *metric, double bound, uint64_t count, const char *common_labels,
	struct buffer *out)
{
	struct buffer label;
	buffer_init(&label);
	buffer_add_text(&label, "le=\"");
	print_number(bound, &label);
	buffer_add_byte(&label, '"');
	print_sample(metric, "_bucket", common_labels, buffer_text(&label), out);
	buffer_print(out, "%llu\n", (unsigned long long)count);
	buffer_clear(&label);
}

static void print_histogram(const struct metric *metric, const char *common_labels, struct buffer *out)
{
	uint64_t count = 0;
	for (size_t i = 0; i <= METRIC_BUCKETS_MAX; i++) {
		count += metric->buckets[i];
		print_bucket(metric, i < METRIC_BUCKETS_MAX ? metric_bounds[i] : INFINITY, count, common_labels, out);
	}
	print_sample(metric, "_sum", common_labels, NULL, out);
	print_number(metric->sum, out);
	buffer_add_byte(out, '\n');
	print_sample(metric, "_count", common_labels, NULL, out);
	buffer_print(out, "%llu\n", (unsigned long long)count);
}

static void print_help(const struct metric *metric, struct buffer *out)
{
	buffer_print(out, "# HELP %s ", metric->name);
	for (const char *cursor = metric->help; *cursor != '\0'; cursor++) {
		if (*cursor == '\\')
			buffer_add_text(out, "\\\\");
		else if (*cursor == '\n')
			buffer_add_text(out, "\\n");
		else
			buffer_add_byte(out, (unsigned char)*cursor);
	}
	buffer_print(out, "\n# TYPE %s %s\n", metric->name, kind_name(metric->kind));
}

void metric_observe(struct metric *histogram, double seconds)
{
	size_t bucket = 0;
	while (bucket < METRIC_BUCKETS_MAX && seconds > metric_bounds[bucket])
		bucket++;
	histogram->buckets[bucket]++;
	histogram->sum += seconds;
}

void metrics_print(const struct metric metrics[], size_t count, const char *common_labels, struct buffer *out)
{
	for (size_t i = 0; i < count; i++) {
		const struct metric *metric = &metrics[i];
		if (i == 0 || strcmp(metrics[i - 1].name, metric->name) != 0)
			print_help(metric, out);
		if (metric->kind == METRIC_HISTOGRAM) {
			print_histogram(metric, common_labels, out);
			continue;
		}
		print_sample(metric, "", common_labels, NULL, out);
		print_number(metric->value, out);
		buffer_add_byte(out, '\n');
	}
}
