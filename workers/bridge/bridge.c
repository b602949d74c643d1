/* What every request passes: who calls, which route, what it is counted as. */
#include "bridge.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "openapi_data.h"

enum { BODY_BYTES_MAX = BROKER_BODY_MAX /* contract: 256 KiB */ };

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

static void note_answer(struct bridge *bridge, int64_t started_us, unsigned status)
{
	enum bridge_metric class = status < 400 ? METRIC_ANSWERED_2XX
		: status < 500                      ? METRIC_ANSWERED_4XX
											: METRIC_ANSWERED_5XX;
	bridge_count(bridge, class);
	metric_observe(&bridge->metrics[METRIC_ANSWER_SECONDS],
		(double)(clock_steady_us() - started_us) / (double)MICROSECONDS_PER_SECOND);
}

void bridge_answer(struct bridge *bridge, struct http_exchange *exchange, int64_t started_us,
	const struct http_answer *answer)
{
	note_answer(bridge, started_us, answer->status);
	http_answer(exchange, answer);
}

void bridge_refuse(struct bridge *bridge, struct http_exchange *exchange, int64_t started_us,
	const struct problem *problem)
{
	note_answer(bridge, started_us, problem->status);
	if (problem->status >= 500)
		log_line(&bridge->log, LOG_WARNING_LEVEL, "refused", "reason", problem->code, "detail",
			problem->detail, NULL);
	problem_answer(exchange, problem);
}

void bridge_hear(struct bridge *bridge, const struct delivery *delivery)
{
	struct heard heard = {
		.event = event_find(delivery->type == NULL ? "" : delivery->type),
		.delivery = delivery,
	};
	if (heard.event == EVENT_NONE)
		return;
	calls_hear(&bridge->calls, &heard);
	streams_hear(bridge, &heard);
	json_decref(heard.body);
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
	answer_text(bridge, exchange, 200, "text/plain; version=0.0.4; charset=utf-8", buffer_text(&text),
		text.length_bytes);
	buffer_clear(&text);
}

/* Paths without a token. False: it is none of them. */
static bool answer_open_path(struct bridge *bridge, struct http_exchange *exchange)
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
		answer_text(bridge, exchange, 200, "application/json", openapi_text, openapi_bytes);
	else
		return false;
	return true;
}

static bool is_open_path(const char *path)
{
	return strcmp(path, "/metrics") == 0 || strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0
		|| strcmp(path, "/openapi.json") == 0;
}

static void refuse_unrouted(struct bridge *bridge, struct http_exchange *exchange,
	const struct finding *finding)
{
	struct problem problem = {
		.status = 404, .code = "not_found", .detail = "there is no such path; /openapi.json lists them"
	};
	char detail[128];
	const char *allowed = is_open_path(http_path(exchange)) ? "GET" : finding->allowed;
	if (finding->choice[0] != '\0') {
		snprintf(detail, sizeof(detail), "the query needs %s", finding->choice);
		problem = (struct problem){ .status = 400, .code = "missing_parameter", .detail = detail };
	} else if (allowed[0] != '\0') {
		problem = (struct problem){
			.status = 405,
			.code = "method_not_allowed",
			.detail = "this path has other methods",
			.headers = { { "Allow", allowed } },
		};
	}
	bridge_refuse(bridge, exchange, clock_steady_us(), &problem);
}

static void begin(struct bridge *bridge, struct http_exchange *exchange, const struct route *route,
	const struct caller *caller, const char *id)
{
	if (route->kind == ROUTE_STREAM) {
		stream_begin(bridge, exchange, caller, clock_steady_us());
		return;
	}
	struct call *call = call_new(bridge, exchange, route, caller, id);
	if (call == NULL)
		bridge_refuse(bridge, exchange, clock_steady_us(),
			&(struct problem){ .status = 503,
				.code = "unavailable",
				.detail = "too many requests wait; try again",
				.headers = { { "Retry-After", "2" } } });
	else if (route->kind == ROUTE_COMMAND)
		posting_begin(call);
	else
		reading_begin(call);
}

static void take(void *owner, struct http_exchange *exchange)
{
	struct bridge *bridge = owner;
	struct finding finding;
	struct caller caller;
	struct problem problem;
	if (answer_open_path(bridge, exchange))
		return;
	if (!callers_identify(&bridge->callers, http_header(exchange, "Authorization"), &caller, &problem)) {
		bridge_refuse(bridge, exchange, clock_steady_us(), &problem);
		return;
	}
	const struct route *route = route_find(exchange, &finding);
	if (route == NULL)
		refuse_unrouted(bridge, exchange, &finding);
	else if ((route->roles & ROLE(caller.role)) == 0)
		bridge_refuse(bridge, exchange, clock_steady_us(),
			&(struct problem){
				.status = 403, .code = "forbidden", .detail = "the token's role may not do this" });
	else
		begin(bridge, exchange, route, &caller, finding.id);
}

/* An exchange that ended by itself: its client left. */
static void note_over(void *owner, struct http_exchange *exchange)
{
	struct bridge *bridge = owner;
	struct guest *guest = http_data(exchange);
	if (guest != NULL)
		guest->leave(bridge, guest);
}

static void refuse_by_server(void *owner, struct http_exchange *exchange, unsigned status, const char *detail)
{
	static const struct {
		unsigned status;
		const char *code;
	} codes[] = { { 413, "too_large" }, { 417, "expectation_failed" }, { 501, "not_implemented" } };
	const char *code = "malformed";
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].status == status)
			code = codes[i].code;
	bridge_refuse(owner, exchange, clock_steady_us(),
		&(struct problem){ .status = status, .code = code, .detail = detail });
}

struct http_options bridge_http_options(struct bridge *bridge)
{
	return (struct http_options){
		.port = (uint16_t)bridge->settings.http_port,
		.connections_max = (unsigned)bridge->settings.connections_max,
		.body_bytes_max = BODY_BYTES_MAX,
		.request = take,
		.over = note_over,
		.refuse = refuse_by_server,
		.owner = bridge,
	};
}

void bridge_make_metrics(struct bridge *bridge)
{
	memcpy(bridge->metrics, metric_templates, sizeof(metric_templates));
}
