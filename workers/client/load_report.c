/* The figures of a load, as a table or as JSON. */
#include "load_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "print.h"

enum { PERCENTILES = 4, NUMBER_BYTES = 32 };

static const struct {
	const char *name;
	unsigned per_mille;
} percentiles[PERCENTILES] = { { "p50", 500 }, { "p90", 900 }, { "p99", 990 }, { "p99.9", 999 } };

static double milliseconds(int64_t microseconds)
{
	return (double)microseconds / 1000;
}

/* Sent by the second, while requests were due. */
static double achieved_rate(const struct schedule *schedule)
{
	if (schedule->sent == 0)
		return 0;
	double seconds = (double)(schedule->last_sent_us - schedule->start_us) / MICROSECONDS_PER_SECOND;
	return (double)schedule->sent / (seconds + 1 / (double)schedule->rate);
}

static uint64_t failures(const struct schedule *schedule)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < FAILURES; i++)
		sum += schedule->failed[i];
	return sum;
}

static uint64_t unanswered(const struct schedule *schedule)
{
	return schedule->sent - schedule->acknowledged - failures(schedule);
}

/* Became due, but there was never room to send it. */
static uint64_t unsent(const struct schedule *schedule)
{
	return schedule->admitted - schedule->overflow - schedule->sent;
}

static bool hears_decisions(const struct load_run *run)
{
	return run->hearer != NULL || (strcmp(run->values->via, "http") == 0 && run->values->wait_s > 0);
}

static void add_latency_row(struct table *table, const char *name, const struct histogram *histogram)
{
	char numbers[PERCENTILES + 2][NUMBER_BYTES];
	snprintf(numbers[0], NUMBER_BYTES, "%" PRIu64, histogram->count);
	for (size_t i = 0; i < PERCENTILES; i++)
		snprintf(numbers[i + 1], NUMBER_BYTES, "%.2f",
			milliseconds(histogram_quantile(histogram, percentiles[i].per_mille)));
	snprintf(numbers[PERCENTILES + 1], NUMBER_BYTES, "%.2f", milliseconds(histogram->max));
	const char *const cells[] = { name, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4],
		numbers[5] };
	table_add(table, cells, NULL);
}

static void print_latencies(const struct load_run *run)
{
	static const struct column columns[] = { { .title = "MS" }, { .title = "COUNT", .is_number = true },
		{ .title = "P50", .is_number = true }, { .title = "P90", .is_number = true },
		{ .title = "P99", .is_number = true }, { .title = "P99.9", .is_number = true },
		{ .title = "MAX", .is_number = true }, { 0 } };
	struct table table;
	table_init(&table, columns);
	add_latency_row(&table, "acknowledged", &run->schedule.confirm);
	if (hears_decisions(run))
		add_latency_row(&table, "decided", &run->schedule.decision);
	table_print(&table, stdout);
	table_clear(&table);
}

static void print_text(const struct load_run *run)
{
	const struct schedule *schedule = &run->schedule;
	print_latencies(run);
	printf("%.1f a second of %" PRIu64 " asked: %" PRIu64 " sent, %" PRIu64 " acknowledged",
		achieved_rate(schedule), schedule->rate, schedule->sent, schedule->acknowledged);
	if (hears_decisions(run))
		printf(", %" PRIu64 " not decided in time", schedule->awaited);
	printf("\n");
	for (size_t i = 0; i < VERDICTS; i++)
		if (schedule->decided[i] > 0)
			printf("%s: %" PRIu64 "\n", verdict_name((enum verdict)i), schedule->decided[i]);
	for (size_t i = 0; i < FAILURES; i++)
		if (schedule->failed[i] > 0)
			printf("not acknowledged, %s: %" PRIu64 "\n", failure_name((enum failure)i), schedule->failed[i]);
	if (unanswered(schedule) > 0)
		printf("not acknowledged in time: %" PRIu64 "\n", unanswered(schedule));
	if (schedule->overflow + unsent(schedule) > 0)
		printf("never sent: %" PRIu64 " overflowed (more than %" PRIu64 " open), %" PRIu64
			   " had no room; the figures are without them\n",
			schedule->overflow, schedule->open_max, unsent(schedule));
	if (run->lane->kind->fault(run->lane)[0] != '\0')
		printf("last fault: %s\n", run->lane->kind->fault(run->lane));
}

static json_t *latencies(const struct histogram *histogram)
{
	json_t *object = json_pack("{s:I}", "count", (json_int_t)histogram->count);
	for (size_t i = 0; i < PERCENTILES; i++)
		json_object_set_new(object, percentiles[i].name,
			json_real(milliseconds(histogram_quantile(histogram, percentiles[i].per_mille))));
	json_object_set_new(object, "max", json_real(milliseconds(histogram->max)));
	return object;
}

static json_t *to_json(const struct load_run *run)
{
	const struct schedule *schedule = &run->schedule;
	json_t *failed = json_object(), *decided = json_object();
	for (size_t i = 0; i < FAILURES; i++)
		json_object_set_new(failed, failure_name((enum failure)i),
			json_integer((json_int_t)schedule->failed[i]));
	for (size_t i = 0; i < VERDICTS; i++)
		json_object_set_new(decided, verdict_name((enum verdict)i),
			json_integer((json_int_t)schedule->decided[i]));
	json_t *object = json_pack("{s:s, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:I, s:o}", "via",
		run->values->via, "rate_asked", (json_int_t)schedule->rate, "rate_achieved", achieved_rate(schedule),
		"sent", (json_int_t)schedule->sent, "acknowledged", (json_int_t)schedule->acknowledged, "unanswered",
		(json_int_t)unanswered(schedule), "overflow", (json_int_t)schedule->overflow, "unsent",
		(json_int_t)unsent(schedule), "failed", failed, "decided", decided, "undecided",
		(json_int_t)schedule->awaited, "acknowledged_ms", latencies(&schedule->confirm));
	if (hears_decisions(run))
		json_object_set_new(object, "decided_ms", latencies(&schedule->decision));
	else
		json_object_del(object, "undecided");
	return object;
}

enum ending load_report(const struct load_run *run)
{
	const struct schedule *schedule = &run->schedule;
	if (strcmp(run->values->common.format, "json") == 0) {
		json_t *object = to_json(run);
		print_json_value(object);
		json_decref(object);
	} else {
		print_text(run);
	}
	if (failures(schedule) + unanswered(schedule) + schedule->overflow + unsent(schedule) > 0)
		return ENDING_NO;
	return hears_decisions(run) && schedule->awaited > 0 ? ENDING_NO_ANSWER : ENDING_DONE;
}
