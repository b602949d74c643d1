/* Paths that everybody may see: health, metrics, the description. */
#include "bridge.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "openapi_data.h"

static const struct metric metric_templates[METRIC_COUNT] = {
	[METRIC_ANSWERED_2XX] = { "carebus_http_requests_total", "requests, by the class of their answer",
		"class=\"2xx\"", METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_ANSWERED_4XX] = { "carebus_http_requests_total", "", "class=\"4xx\"", METRIC_COUNTER, 0, { 0 },
		0 },
	[METRIC_ANSWERED_5XX] = { "carebus_http_requests_total", "", "class=\"5xx\"", METRIC_COUNTER, 0, { 0 },
		0 },
	[METRIC_ANSWER_SECONDS] = { "carebus_http_request_seconds", "from the whole request to its answer", NULL,
		METRIC_HISTOGRAM, 0, { 0 }, 0 },
	[METRIC_VIEW_HITS] = { "carebus_view_reads_total", "views asked of Redis", "result=\"hit\"",
		METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_VIEW_MISSES] = { "carebus_view_reads_total", "", "result=\"miss\"", METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_SENT] = { "carebus_messages_sent_total", "commands and questions published", NULL, METRIC_COUNTER,
		0, { 0 }, 0 },
	[METRIC_HEARD] = { "carebus_messages_heard_total", "events and answers heard", NULL, METRIC_COUNTER, 0,
		{ 0 }, 0 },
	[METRIC_STREAMED] = { "carebus_stream_events_total", "events handed to streams", NULL, METRIC_COUNTER, 0,
		{ 0 }, 0 },
	[METRIC_SLOW_READERS] = { "carebus_streams_ended_total", "streams ended since their reader was too slow",
		NULL, METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_CONNECTION_FAILURES] = { "carebus_connection_failures_total", "connections lost or refused", NULL,
		METRIC_COUNTER, 0, { 0 }, 0 },
	[METRIC_CALLS] = { "carebus_calls_waiting", "requests that wait for Redis, the broker or events", NULL,
		METRIC_GAUGE, 0, { 0 }, 0 },
	[METRIC_STREAMS] = { "carebus_streams", "clients that listen to events", NULL, METRIC_GAUGE, 0, { 0 },
		0 },
};

void bridge_make_metrics(struct bridge *bridge)
{
	memcpy(bridge->metrics, metric_templates, sizeof(metric_templates));
}

static void answer_text(struct bridge *bridge, struct http_exchange *exchange, unsigned status,
	const char *type, const char *text, size_t length)
{
	bridge_answer(bridge, exchange, clock_steady_us(),
		&(struct http_answer){
			.status = status,
			.content_type = type,
			.body = text,
			.body_bytes = length,
			.headers = { { "Cache-Control", "no-store" } },
		});
}

static void answer_metrics(struct bridge *bridge, struct http_exchange *exchange)
{
	struct buffer text;
	char labels[96];
	bridge->metrics[METRIC_CALLS].value = (double)bridge->calls.count;
	bridge->metrics[METRIC_STREAMS].value = (double)bridge->streams.count;
	snprintf(labels, sizeof(labels), "worker=\"bridge\",instance_id=\"%.32s\"", bridge->settings.instance);
	buffer_init(&text);
	metrics_print(bridge->metrics, METRIC_COUNT, labels, &text);
	cache_report(&bridge->slots.counts, &bridge->slots.coherence, labels, &text);
	answer_text(bridge, exchange, 200, "text/plain; version=0.0.4; charset=utf-8", buffer_text(&text),
		text.length_bytes);
	buffer_clear(&text);
}

/* For everybody, and large: not copied for each. */
static void answer_description(struct bridge *bridge, struct http_exchange *exchange)
{
	bridge_answer(bridge, exchange, clock_steady_us(),
		&(struct http_answer){
			.status = 200,
			.content_type = "application/json",
			.body = openapi_text,
			.body_bytes = openapi_bytes,
			.is_static = true,
			.headers = { { "Cache-Control", "no-store" } },
		});
}

bool bridge_answer_open(struct bridge *bridge, struct http_exchange *exchange)
{
	const char *path = http_path(exchange);
	bool is_ready = links_are_open(bridge) && !bridge->is_stopping;
	if (strcmp(http_method(exchange), "GET") != 0 && strcmp(http_method(exchange), "HEAD") != 0)
		return false;
	if (strcmp(path, "/metrics") == 0)
		answer_metrics(bridge, exchange);
	else if (strcmp(path, "/healthz") == 0)
		answer_text(bridge, exchange, 200, "text/plain", "alive\n", 6);
	else if (strcmp(path, "/readyz") == 0)
		answer_text(bridge, exchange, is_ready ? 200 : 503, "text/plain",
			is_ready ? "ready\n" : "waiting for broker\n", is_ready ? 6 : 19);
	else if (strcmp(path, "/openapi.json") == 0)
		answer_description(bridge, exchange);
	else
		return false;
	return true;
}

bool bridge_has_open_path(const char *path)
{
	return strcmp(path, "/metrics") == 0 || strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0
		|| strcmp(path, "/openapi.json") == 0;
}
