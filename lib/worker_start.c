/* Configuration, names, and what must hold before the first message is taken. */
#include "worker_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine_queries.h"

enum { MACHINE_SCHEMA_VERSION = 2 };

#define MEMBER(name) offsetof(struct worker_settings, name)

const struct setting worker_settings_table[] = {
	{ "AMQP_URL", SETTING_TEXT, MEMBER(amqp_url), NULL, 0, 0, NULL,
		"broker, amqp://host:port/vhost without credentials" },
	{ "AMQP_USER", SETTING_TEXT, MEMBER(amqp_user), NULL, 0, 0, NULL, "the worker's user at the broker" },
	{ "AMQP_PASSWORD", SETTING_SECRET, MEMBER(amqp_password), NULL, 0, 0, NULL, "and its password" },
	{ "BATCH_MAX", SETTING_NUMBER, MEMBER(batch_max), "128", 1, BATCH_LIMIT, NULL,
		"messages of one transaction" },
	{ "DATABASE_PASSWORD", SETTING_SECRET, MEMBER(database_password), NULL, 0, 0, NULL,
		"password of the worker's role" },
	{ "DATABASE_URL", SETTING_TEXT, MEMBER(database_url), NULL, 0, 0, NULL,
		"postgresql://role@host:port/database" },
	{ "INSTALLATION_SECRET", SETTING_SECRET, MEMBER(installation_secret), NULL, 0, 0, NULL,
		"one for all workers of an installation: ids are made under it" },
	{ "INSTANCE", SETTING_TEXT, MEMBER(instance), "1", 0, 0, NULL,
		"tells processes of one worker apart, in consumer tags" },
	{ "LOG_FORMAT", SETTING_TEXT, MEMBER(log_format), "logfmt", 0, 0, "logfmt|json",
		"of the lines on stderr" },
	{ "LOG_LEVEL", SETTING_TEXT, MEMBER(log_level), "info", 0, 0, "debug|info|warning|error",
		"lines below it are left out" },
	{ "METRICS_PORT", SETTING_NUMBER, MEMBER(metrics_port), "0", 0, 65535, NULL,
		"loopback port of /metrics, /healthz, /readyz; 0 = none" },
	{ "PREFETCH", SETTING_NUMBER, MEMBER(prefetch), "384", 1, 2000, NULL,
		"unacknowledged deliveries of one queue" },
	{ "REDIS_PASSWORD", SETTING_SECRET, MEMBER(redis_password), NULL, 0, 0, NULL,
		"password of the worker's user" },
	{ "REDIS_URL", SETTING_TEXT, MEMBER(redis_url), NULL, 0, 0, NULL, "redis://host:port" },
	{ "REDIS_USER", SETTING_TEXT, MEMBER(redis_user), NULL, 0, 0, NULL, "the worker's user at Redis" },
	{ "STUCK_AFTER_MS", SETTING_NUMBER, MEMBER(stuck_after_ms), "30000", 1000, 3600000, NULL,
		"work, but no progress for that long: the process ends" },
	{ "SWEEP_AFTER_MS", SETTING_NUMBER, MEMBER(sweep_after_ms), "30000", 100, 3600000, NULL,
		"an output unsent for that long is sent again by the sweeper" },
	{ 0 },
};

const struct setting cache_settings_table[] = {
	{ "CACHE_BYTES", SETTING_NUMBER, MEMBER(cache_bytes), "67108864", 65536, 1L << 40, NULL,
		"of memory for lists" },
	{ "CACHE_ENTRIES", SETTING_NUMBER, MEMBER(cache_entries), "10000", 0, LRU_ENTRIES_MAX, NULL,
		"lists in memory; 0 = none, and none of Redis" },
	{ "LISTENER_PASSWORD", SETTING_SECRET, MEMBER(listener_password), NULL, 0, 0, NULL,
		"of the user <worker>-listener, who hears at the broker what is for the cache" },
	{ 0 },
};

static const struct metric metric_templates[METRIC_COUNT] = {
	[METRIC_DONE] = { "carebus_messages_total", "messages taken, by what became of them", "outcome=\"done\"",
		METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_PARKED] = { "carebus_messages_total", "", "outcome=\"parked\"", METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_SEEN] = { "carebus_messages_total", "", "outcome=\"seen\"", METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_ACKS] = { "carebus_acknowledgements_total", "acknowledgements sent, each for one message or many",
		NULL, METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_CONFLICTS] = { "carebus_conflicts_total", "batches rolled back by a conflict", NULL,
		METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_BATCHES] = { "carebus_batches_total", "batches committed", NULL, METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_BATCH_SECONDS] = { "carebus_batch_seconds", "from the first message read to the commit", NULL,
		METRIC_HISTOGRAM, 0, { 0 }, 0 },
	[METRIC_PUBLISHED] = { "carebus_publishes_total", "publishes, by their answer", "answer=\"sent\"",
		METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_CONFIRMED] = { "carebus_publishes_total", "", "answer=\"confirmed\"", METRIC_COUNTER, 0, { 0 },
		0 },
	[METRIC_RETURNED] = { "carebus_publishes_total", "", "answer=\"returned\"", METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_NACKED] = { "carebus_publishes_total", "", "answer=\"nacked\"", METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_VIEWS] = { "carebus_views_total", "views stored in Redis", NULL, METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_QUERIES] = { "carebus_queries_total", "questions answered", NULL, METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_SWEPT] = { "carebus_outbox_swept_total", "outputs that the sweeper sent again", NULL,
		METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_RECONNECTS] = { "carebus_connection_failures_total", "connections lost or refused", NULL,
		METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_WAITING] = { "carebus_deliveries_waiting", "deliveries in memory, not yet started", NULL,
		METRIC_GAUGE, 0, { 0 }, 0 },
	[METRIC_IN_FLIGHT] = { "carebus_publishes_in_flight", "publishes without an answer yet", NULL,
		METRIC_GAUGE, 0, { 0 }, 0 },
};

static void name_queues(struct runtime *runtime)
{
	const struct worker *worker = runtime->worker;
	runtime->lane_of[runtime->queues_count] = LANE_ROUTINE;
	runtime->queues[runtime->queues_count++] = worker->name;
	if (worker->has_emergency_lane) {
		snprintf(runtime->emergency_queue, sizeof(runtime->emergency_queue), "%s.emergency", worker->name);
		runtime->lane_of[runtime->queues_count] = LANE_EMERGENCY;
		runtime->queues[runtime->queues_count++] = runtime->emergency_queue;
	}
	if (worker->questions[0].event != EVENT_NONE) {
		snprintf(runtime->query_queue, sizeof(runtime->query_queue), "%s.query", worker->name);
		runtime->lane_of[runtime->queues_count] = LANE_QUERY;
		runtime->queues[runtime->queues_count++] = runtime->query_queue;
	}
}

/* Two connections, named as operators see them in the management UI. */
static void name_connections(struct runtime *runtime)
{
	char host[64] = "localhost";
	gethostname(host, sizeof(host) - 1);
	snprintf(runtime->consumer_name, sizeof(runtime->consumer_name), "%s@%s:%d (consume)",
		runtime->worker->name, host, getpid());
	snprintf(runtime->publisher_name, sizeof(runtime->publisher_name), "%s@%s:%d (publish)",
		runtime->worker->name, host, getpid());
	snprintf(runtime->tag, sizeof(runtime->tag), "%s-%s", runtime->worker->name, runtime->settings.instance);
}

static void take_delivery(void *owner, struct delivery *delivery)
{
	struct runtime *runtime = owner;
	runtime->delivered_ms = clock_steady_ms();
	if (delivery->incarnation != runtime->acks.incarnation)
		acks_reset(&runtime->acks, delivery->incarnation);
	if (!acks_add(&runtime->acks, delivery->incarnation, delivery->tag)) {
		struct why why;
		stop(&why, "tag", "delivery tag %llu is out of order, or too many are unacknowledged",
			(unsigned long long)delivery->tag);
		worker_fail(runtime, EXIT_OUR_FAULT, &why);
	}
	enum lane_number lane = runtime->lane_of[delivery->lane];
	if (lane == LANE_QUERY && registry_is_lease_question(runtime, delivery))
		lane = LANE_LEASE;
	if (runtime->lanes[LANE_ROUTINE].count == 0)
		runtime->gathering_ms = runtime->delivered_ms;
	lane_push(&runtime->lanes[lane], delivery);
}

static enum log_level level_by_name(const char *name)
{
	static const char *const names[] = { "debug", "info", "warning", "error" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return (enum log_level)i;
	return LOG_INFO_LEVEL;
}

static void derive_namespace(struct runtime *runtime)
{
	unsigned char digest[SHA256_BYTES];
	sha256(runtime->settings.installation_secret, strlen(runtime->settings.installation_secret), digest);
	memcpy(runtime->namespace_id, digest, UUID_BYTES);
}

static void make_links(struct runtime *runtime)
{
	const struct worker_settings *settings = &runtime->settings;
	struct broker_address address = { settings->amqp_url, settings->amqp_user, settings->amqp_password,
		runtime->consumer_name };
	runtime->consumer_address = address;
	runtime->publisher_address = address;
	runtime->publisher_address.connection_name = runtime->publisher_name;
	runtime->consumer = consumer_new(&runtime->consumer_address, runtime->tag, runtime->queues,
		runtime->queues_count, take_delivery, runtime);
	runtime->publisher = publisher_new(&runtime->publisher_address, send_settled, runtime);
	runtime->database = database_new(settings->database_url, settings->database_password, runtime->tag);
	database_add_queries(runtime->database, machine_queries);
	database_add_queries(runtime->database, runtime->worker->queries);
	database_set_wait(runtime->database, links_wait_for, runtime);
	runtime->keyvalue = keyvalue_new(settings->redis_url, settings->redis_user, settings->redis_password);
	if (runtime->worker->changed != NULL)
		runtime->cache = cache_new(runtime);
}

static bool is_ready(const struct runtime *runtime)
{
	return runtime->was_started && consumer_is_open(runtime->consumer)
		&& publisher_is_open(runtime->publisher) && database_is_open(runtime->database);
}

static bool check_answer(const struct worker *worker, const struct rows *rows, struct arena *arena,
	struct why *why)
{
	static const char *const names[] = { "fsync", "full_page_writes", "synchronous_commit" };
	for (unsigned i = 0; i < 3; i++) {
		const char *value = rows_text(rows, 0, i, arena);
		if (strcmp(value, "off") == 0 || (i == 2 && strcmp(value, "local") == 0))
			return because(why, "durability",
				"the database runs with %s = %s: commits could be lost; set it to on", names[i], value);
	}
	if (rows_int(rows, 0, 3) != MACHINE_SCHEMA_VERSION || rows_int(rows, 0, 4) != worker->schema_version)
		return because(why, "schema_version",
			"schema machine %lld, %s %lld; this program needs %d and %d: migrate, or start the right one",
			(long long)rows_int(rows, 0, 3), worker->name, (long long)rows_int(rows, 0, 4),
			MACHINE_SCHEMA_VERSION, worker->schema_version);
	return true;
}

void worker_prepare(struct runtime *runtime)
{
	runtime->log = (struct log){ .worker = runtime->worker->name,
		.level = level_by_name(runtime->settings.log_level),
		.is_json = strcmp(runtime->settings.log_format, "json") == 0 };
	memcpy(runtime->metrics, metric_templates, sizeof(metric_templates));
	for (size_t i = 0; i < sizeof(runtime->marks) / sizeof(runtime->marks[0]); i++)
		parameters_arrays(runtime->marks[i].columns, "ui");
	runtime->progress_ms = clock_steady_ms();
	runtime->prune_due_ms = clock_steady_ms() + SECONDS(60);
	derive_namespace(runtime);
	name_queues(runtime);
	name_connections(runtime);
	make_links(runtime);
}

void worker_clear_settings(struct runtime *runtime)
{
	settings_clear(worker_settings_table, &runtime->settings);
	if (runtime->worker->changed != NULL)
		settings_clear(cache_settings_table, &runtime->settings);
}

void worker_release(struct runtime *runtime)
{
	links_close(runtime);
	consumer_free(runtime->consumer);
	publisher_free(runtime->publisher);
	database_free(runtime->database);
	keyvalue_free(runtime->keyvalue);
	cache_free(runtime->cache);
	for (size_t i = 0; i < FLIGHTS_MAX; i++) {
		struct flight *flight = &runtime->flights[i];
		for (size_t d = 0; d < flight->deliveries_count; d++)
			delivery_free(flight->deliveries[d]);
		arena_clear(&flight->arena);
		arena_clear(&flight->round_arena);
	}
	for (size_t i = 0; i < sizeof(runtime->marks) / sizeof(runtime->marks[0]); i++)
		parameters_clear(runtime->marks[i].columns, 2);
	free(runtime->sending);
	worker_clear_settings(runtime);
}

bool worker_check_database(struct runtime *runtime, struct why *why)
{
	struct parameter name;
	struct arena arena;
	arena_init(&arena);
	parameter_init(&name, PARAMETER_TEXT, false);
	parameter_text(&name, runtime->worker->name);
	database_begin(runtime->database);
	int ticket = database_send(runtime->database, &start_check, &name, 1);
	parameter_clear(&name);
	const struct rows *rows = database_rows(runtime->database, ticket, why);
	bool is_fit = rows != NULL && check_answer(runtime->worker, rows, &arena, why);
	if (rows != NULL && !is_fit)
		worker_fail(runtime, EXIT_CONFIGURATION, why);
	database_rollback(runtime->database);
	arena_clear(&arena);
	runtime->was_started |= is_fit;
	return is_fit;
}

static void print_metrics(struct runtime *runtime, struct buffer *body)
{
	char labels[96];
	size_t waiting = 0;
	for (size_t i = 0; i < LANE_COUNT; i++)
		waiting += runtime->lanes[i].count;
	runtime->metrics[METRIC_WAITING].value = (double)waiting;
	runtime->metrics[METRIC_IN_FLIGHT].value = (double)publisher_in_flight(runtime->publisher);
	snprintf(labels, sizeof(labels), "worker=\"%s\",instance_id=\"%.32s\"", runtime->worker->name,
		runtime->settings.instance);
	metrics_print(runtime->metrics, METRIC_COUNT, labels, body);
	cache_print(runtime, labels, body);
}

static unsigned answer_path(struct runtime *runtime, const char *path, struct buffer *body)
{
	if (strcmp(path, "/healthz") == 0) {
		buffer_add_text(body, "alive\n");
		return 200;
	}
	if (strcmp(path, "/readyz") == 0) {
		buffer_add_text(body, is_ready(runtime) ? "ready\n" : "waiting for broker or database\n");
		return is_ready(runtime) ? 200 : 503;
	}
	if (strcmp(path, "/metrics") == 0) {
		print_metrics(runtime, body);
		return 200;
	}
	buffer_add_text(body, "not found\n");
	return 404;
}

void worker_answer_http(void *owner, struct http_exchange *exchange)
{
	struct buffer body;
	struct http_answer answer = {
		.content_type = "text/plain; version=0.0.4; charset=utf-8",
		.headers = { { "Cache-Control", "no-store" } },
	};
	buffer_init(&body);
	if (strcmp(http_method(exchange), "GET") == 0 || strcmp(http_method(exchange), "HEAD") == 0) {
		answer.status = answer_path(owner, http_path(exchange), &body);
	} else {
		answer.status = 405;
		answer.headers[1] = (struct http_header){ "Allow", "GET, HEAD" };
		buffer_add_text(&body, "method not allowed, use GET\n");
	}
	answer.body = buffer_text(&body);
	answer.body_bytes = body.length_bytes;
	http_answer(exchange, &answer);
	buffer_clear(&body);
}
