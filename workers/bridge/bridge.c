/* What every request passes: who calls, which route, what it is counted as. */
#include "bridge.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"

enum {
	BODY_BYTES_MAX = BROKER_BODY_MAX, /* contract: 256 KiB */
	REFUSALS_EVERY_MS = 1000,         /* logged */
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

/* One line a second: a log that is full of refusals would hold up the loop, and hide their reason. */
static void log_refusal(struct bridge *bridge, const struct problem *problem)
{
	char count[16];
	int64_t now_ms = clock_steady_ms();
	if (now_ms < bridge->refusals_ms) {
		bridge->refusals_unlogged++;
		return;
	}
	snprintf(count, sizeof(count), "%u", bridge->refusals_unlogged);
	log_line(&bridge->log, LOG_WARNING_LEVEL, "refused", "reason", problem->code, "detail", problem->detail,
		"unlogged", bridge->refusals_unlogged > 0 ? count : NULL, NULL);
	bridge->refusals_ms = now_ms + REFUSALS_EVERY_MS;
	bridge->refusals_unlogged = 0;
}

void bridge_refuse(struct bridge *bridge, struct http_exchange *exchange, int64_t started_us,
	const struct problem *problem)
{
	note_answer(bridge, started_us, problem->status);
	if (problem->status >= 500)
		log_refusal(bridge, problem);
	problem_answer(exchange, problem);
}

void bridge_hear(struct bridge *bridge, const struct delivery *delivery)
{
	struct heard heard;
	if (!heard_begin(&heard, delivery))
		return;
	calls_hear(&bridge->calls, &heard);
	streams_hear(bridge, &heard);
	heard_end(&heard);
}

static void refuse_unrouted(struct bridge *bridge, struct http_exchange *exchange,
	const struct finding *finding)
{
	struct problem problem = {
		.status = 404, .code = "not_found", .detail = "there is no such path; /openapi.json lists them"
	};
	char detail[128];
	const char *allowed = bridge_has_open_path(http_path(exchange)) ? "GET" : finding->allowed;
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

static void refuse_parameter(struct bridge *bridge, struct http_exchange *exchange, const char *name)
{
	char detail[128];
	snprintf(detail, sizeof(detail), "there is no parameter \"%.64s\" here", name);
	bridge_refuse(bridge, exchange, clock_steady_us(),
		&(struct problem){ .status = 400, .code = "unknown_parameter", .detail = detail });
}

static void begin(struct bridge *bridge, struct http_exchange *exchange, const struct route *route,
	const struct caller *caller, const char *id)
{
	const char *unknown = http_unknown_parameter(exchange, route->parameters);
	if (unknown != NULL) {
		refuse_parameter(bridge, exchange, unknown);
		return;
	}
	if (route->kind == ROUTE_STREAM) {
		stream_begin(bridge, exchange, caller, clock_steady_us());
		return;
	}
	if (route->kind == ROUTE_READING && route->reading->is_cached && slots_answer(bridge, exchange))
		return;
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

static void refuse_stopping(struct bridge *bridge, struct http_exchange *exchange)
{
	bridge_refuse(bridge, exchange, clock_steady_us(),
		&(struct problem){
			.status = 503,
			.code = "unavailable",
			.detail = "the bridge stops; try again",
			.headers = { { "Retry-After", "2" }, { "Connection", "close" } },
		});
}

/* The head of a request that brings a body: nothing of a stranger's is kept. */
static void admit(void *owner, struct http_exchange *exchange)
{
	struct bridge *bridge = owner;
	struct caller caller;
	struct problem problem;
	if (bridge->is_stopping)
		refuse_stopping(bridge, exchange);
	else if (!callers_identify(&bridge->callers, http_header(exchange, "Authorization"), &caller, &problem))
		bridge_refuse(bridge, exchange, clock_steady_us(), &problem);
}

static void take(void *owner, struct http_exchange *exchange)
{
	struct bridge *bridge = owner;
	struct finding finding;
	struct caller caller;
	struct problem problem;
	if (bridge_answer_open(bridge, exchange))
		return;
	if (bridge->is_stopping) {
		refuse_stopping(bridge, exchange);
		return;
	}
	if (!callers_identify(&bridge->callers, http_header(exchange, "Authorization"), &caller, &problem)
		|| !callers_take(&bridge->callers, &caller, &problem)) {
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
	} codes[] = { { 413, "too_large" }, { 417, "expectation_failed" }, { 431, "too_large" },
		{ 501, "not_implemented" }, { 503, "unavailable" } };
	const char *code = "malformed";
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].status == status)
			code = codes[i].code;
	bridge_refuse(owner, exchange, clock_steady_us(),
		&(struct problem){
			.status = status,
			.code = code,
			.detail = detail,
			.headers = { { status == 503 ? "Retry-After" : NULL, "2" } },
		});
}

struct http_options bridge_http_options(struct bridge *bridge)
{
	return (struct http_options){
		.port = (uint16_t)bridge->settings.http_port,
		.connections_max = (unsigned)bridge->settings.connections_max,
		.body_bytes_max = BODY_BYTES_MAX,
		.admit = admit,
		.request = take,
		.over = note_over,
		.refuse = refuse_by_server,
		.owner = bridge,
	};
}
