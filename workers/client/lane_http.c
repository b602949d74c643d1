/* A pool of connections to the bridge. */
#include "lane.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "pool.h"

enum { WAIT_MS = 1000 };

struct http_lane {
	struct lane lane;
	struct pool *pool;
	long wait_s;
	const char *fault;
};

static struct http_lane *own(struct lane *lane)
{
	return (struct http_lane *)lane;
}

static enum failure failure_of(CURLcode code, long status)
{
	if (code != CURLE_OK)
		return code == CURLE_OPERATION_TIMEDOUT ? FAILURE_TIMEOUT : FAILURE_LOST;
	if (status == 429)
		return FAILURE_THROTTLED;
	return status >= 400 && status < 500 ? FAILURE_REFUSED : FAILURE_UNAVAILABLE;
}

static void note_decision(struct schedule *schedule, uint64_t number, const json_t *body, int64_t now_us)
{
	const char *decision = json_string_value(json_object_get(body, "decision"));
	if (decision != NULL)
		schedule_decided(schedule, number,
			strcmp(decision, "rejected") == 0 ? VERDICT_REJECTED : VERDICT_APPROVED, now_us);
}

static void done(void *owner, uint64_t number, CURLcode code, const struct door_answer *answer)
{
	struct http_lane *http = owner;
	int64_t now_us = clock_steady_us();
	if (code == CURLE_OK && answer->status >= 200 && answer->status <= 299) {
		schedule_acknowledged(http->lane.schedule, number, now_us);
		if (answer->status == 200)
			note_decision(http->lane.schedule, number, answer->body, now_us);
		return;
	}
	if (code != CURLE_OK)
		http->fault = curl_easy_strerror(code);
	schedule_failed(http->lane.schedule, number, failure_of(code, answer->status));
}

static void close_lane(struct lane *lane)
{
	pool_free(own(lane)->pool);
	free(lane);
}

static size_t room(const struct lane *lane)
{
	const struct http_lane *http = (const struct http_lane *)lane;
	return pool_room(http->pool);
}

static void send_request(struct lane *lane, uint64_t number, const struct hospital_blood_request *request,
	const struct buffer *body)
{
	struct http_lane *http = own(lane);
	const struct door_request posted = {
		.method = "POST",
		.path = "/v1/blood-requests",
		.body = buffer_text(body),
		.body_bytes = body->length_bytes,
		.key = request->request_id,
		.wait_s = http->wait_s,
	};
	pool_send(http->pool, &posted, number);
}

static void serve(struct lane *lane)
{
	pool_serve(own(lane)->pool);
}

static void await_any(struct lane *lane, const struct pollfd sockets[], size_t count)
{
	pool_wait(own(lane)->pool, sockets, count, WAIT_MS);
}

static const char *fault(const struct lane *lane)
{
	return ((const struct http_lane *)lane)->fault;
}

static const struct lane_kind http_kind = {
	.close = close_lane,
	.room = room,
	.send = send_request,
	.serve = serve,
	.wait = await_any,
	.fault = fault,
};

struct lane *lane_http(const struct door *door, size_t connections, long wait_s, struct schedule *schedule)
{
	struct http_lane *http = calloc(1, sizeof(*http));
	if (http == NULL)
		abort();
	http->lane = (struct lane){ .kind = &http_kind, .schedule = schedule };
	http->pool = pool_new(door, connections, wait_s > 0, done, http);
	http->wait_s = wait_s;
	http->fault = "";
	return &http->lane;
}
