/* Metrics: the text that Prometheus reads. */
#include "metrics.h"

#include <math.h>
#include <string.h>

#include "run.h"

static struct buffer out;

static void set_up(void)
{
	buffer_init(&out);
}

static void tear_down(void)
{
	buffer_clear(&out);
}

START_TEST(rows_of_one_name_share_their_head)
{
	const struct metric metrics[] = {
		{ .name = "carebus_messages_total",
			.help = "Messages decided.",
			.labels = "outcome=\"done\"",
			.kind = METRIC_COUNTER,
			.value = 12345678 },
		{ .name = "carebus_messages_total",
			.help = "Messages decided.",
			.labels = "outcome=\"reject\"",
			.kind = METRIC_COUNTER,
			.value = 3 },
		{ .name = "carebus_unacked", .help = "Two\nlines, a \\.", .kind = METRIC_GAUGE, .value = 0.25 },
	};
	metrics_print(metrics, 3, "worker=\"hospital\"", &out);
	ck_assert_str_eq(buffer_text(&out),
		"# HELP carebus_messages_total Messages decided.\n# TYPE carebus_messages_total counter\n"
		"carebus_messages_total{worker=\"hospital\",outcome=\"done\"} 12345678\n"
		"carebus_messages_total{worker=\"hospital\",outcome=\"reject\"} 3\n"
		"# HELP carebus_unacked Two\\nlines, a \\\\.\n# TYPE carebus_unacked gauge\n"
		"carebus_unacked{worker=\"hospital\"} 0.25\n");
}
END_TEST

START_TEST(without_labels_there_are_no_braces)
{
	const struct metric metric = { .name = "up", .help = "h", .kind = METRIC_GAUGE, .value = 1 };
	metrics_print(&metric, 1, NULL, &out);
	ck_assert_str_eq(buffer_text(&out), "# HELP up h\n# TYPE up gauge\nup 1\n");
}
END_TEST

START_TEST(numbers_that_are_not_finite)
{
	const struct metric metrics[] = {
		{ .name = "a", .help = "h", .kind = METRIC_GAUGE, .value = (double)NAN },
		{ .name = "b", .help = "h", .kind = METRIC_GAUGE, .value = (double)INFINITY },
		{ .name = "c", .help = "h", .kind = METRIC_GAUGE, .value = -(double)INFINITY },
	};
	metrics_print(metrics, 3, NULL, &out);
	ck_assert_ptr_nonnull(strstr(buffer_text(&out), "\na NaN\n"));
	ck_assert_ptr_nonnull(strstr(buffer_text(&out), "\nb +Inf\n"));
	ck_assert_ptr_nonnull(strstr(buffer_text(&out), "\nc -Inf\n"));
}
END_TEST

START_TEST(bounds_ascend)
{
	for (size_t i = 1; i < METRIC_BUCKETS_MAX; i++)
		ck_assert_double_gt(metric_bounds[i], metric_bounds[i - 1]);
	ck_assert_double_eq(metric_bounds[0], 0.0005);
	ck_assert_double_eq(metric_bounds[METRIC_BUCKETS_MAX - 1], 10);
}
END_TEST

START_TEST(histograms_are_cumulative)
{
	struct metric metric = {
		.name = "batch_seconds", .help = "h", .kind = METRIC_HISTOGRAM, .labels = "kind=\"x\""
	};
	metric_observe(&metric, 0.0005); /* a bound belongs to its bucket */
	metric_observe(&metric, 0.0015);
	metric_observe(&metric, 100);
	metrics_print(&metric, 1, "w=\"1\"", &out);
	static const char *const wanted[] = {
		"# TYPE batch_seconds histogram\n",
		"batch_seconds_bucket{w=\"1\",kind=\"x\",le=\"0.0005\"} 1\n",
		"batch_seconds_bucket{w=\"1\",kind=\"x\",le=\"0.001\"} 1\n",
		"batch_seconds_bucket{w=\"1\",kind=\"x\",le=\"0.002\"} 2\n",
		"batch_seconds_bucket{w=\"1\",kind=\"x\",le=\"10\"} 2\n",
		"batch_seconds_bucket{w=\"1\",kind=\"x\",le=\"+Inf\"} 3\n",
		"batch_seconds_sum{w=\"1\",kind=\"x\"} 100.002\n",
		"batch_seconds_count{w=\"1\",kind=\"x\"} 3\n",
	};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		ck_assert_msg(strstr(buffer_text(&out), wanted[i]) != NULL, "%s is not in\n%s", wanted[i],
			buffer_text(&out));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *test_case = tcase_create("metrics");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, rows_of_one_name_share_their_head);
	tcase_add_test(test_case, without_labels_there_are_no_braces);
	tcase_add_test(test_case, numbers_that_are_not_finite);
	tcase_add_test(test_case, bounds_ascend);
	tcase_add_test(test_case, histograms_are_cumulative);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
