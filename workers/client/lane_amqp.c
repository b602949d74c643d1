/* One publishing connection, opened again with a growing pause when it is lost; what was in flight then is counted as lost. */
#include "lane.h"

#include <stdio.h>
#include <stdlib.h>

#include "broker.h"
#include "clock.h"

enum { PAUSE_MIN_MS = 200, PAUSE_MAX_MS = 5000, WAIT_MS = 1000, KEY_BYTES = 128 };

struct amqp_lane {
	struct lane lane;
	struct address address;
	struct broker_address broker;
	struct publisher *publisher;
	int64_t pause_ms, again_ms; /* while it is closed */
	struct why why;
};

static struct amqp_lane *own(struct lane *lane)
{
	return (struct amqp_lane *)lane;
}

static void settled(void *owner, void *token, enum settlement settlement)
{
	static const enum failure failures[] = {
		[SETTLED_RETURNED] = FAILURE_RETURNED, [SETTLED_NACKED] = FAILURE_FULL, [SETTLED_LOST] = FAILURE_LOST
	};
	struct amqp_lane *lane = owner;
	uint64_t number = (uint64_t)((const unsigned char *)token - lane->lane.schedule->states);
	if (settlement == SETTLED_CONFIRMED)
		schedule_acknowledged(lane->lane.schedule, number, clock_steady_us());
	else
		schedule_failed(lane->lane.schedule, number, failures[settlement]);
}

static void close_lane(struct lane *lane)
{
	struct amqp_lane *amqp = own(lane);
	publisher_close(amqp->publisher);
	publisher_free(amqp->publisher);
	address_clear(&amqp->address);
	free(amqp);
}

static size_t room(const struct lane *lane)
{
	const struct amqp_lane *amqp = (const struct amqp_lane *)lane;
	return publisher_room(amqp->publisher);
}

/* Ids of the message and of the workflow are the request's: its decision is known by them. */
static void send_request(struct lane *lane, uint64_t number, const struct hospital_blood_request *request,
	const struct buffer *body)
{
	const struct event_type *type = event_type(HOSPITAL_BLOOD_REQUEST);
	struct amqp_lane *amqp = own(lane);
	char key[KEY_BYTES];
	snprintf(key, sizeof(key), "%s%s", type->name, request->urgency == URGENCY_EMERGENCY ? ".emergency" : "");
	const struct publication publication = {
		.exchange = type->exchange,
		.routing_key = key,
		.message_id = request->request_id,
		.correlation_id = request->request_id,
		.type = type->name,
		.app_id = "carebus-load",
		.schema_version = type->schema_version,
		.timestamp_s = clock_now_us() / MICROSECONDS_PER_SECOND,
		.body = buffer_text(body),
		.body_bytes = body->length_bytes,
		.is_mandatory = true,
	};
	bool is_open = publisher_is_open(amqp->publisher); /* it was when there was room */
	if (!is_open
		|| !publisher_send(amqp->publisher, &publication, &lane->schedule->states[number], &amqp->why))
		schedule_failed(lane->schedule, number, FAILURE_LOST);
}

static void come_back(struct amqp_lane *amqp)
{
	if (clock_steady_ms() < amqp->again_ms)
		return;
	if (publisher_open(amqp->publisher, &amqp->why)) {
		amqp->pause_ms = PAUSE_MIN_MS;
		return;
	}
	amqp->again_ms = clock_steady_ms() + amqp->pause_ms;
	amqp->pause_ms = amqp->pause_ms * 2 < PAUSE_MAX_MS ? amqp->pause_ms * 2 : PAUSE_MAX_MS;
}

static void serve(struct lane *lane)
{
	struct amqp_lane *amqp = own(lane);
	if (publisher_is_open(amqp->publisher))
		publisher_serve(amqp->publisher, &amqp->why);
	else
		come_back(amqp);
}

static void await_any(struct lane *lane, const struct pollfd sockets[], size_t count)
{
	struct amqp_lane *amqp = own(lane);
	struct pollfd all[LANE_SOCKETS_MAX + 1];
	bool is_open = publisher_is_open(amqp->publisher);
	all[0] = (struct pollfd){ .fd = is_open ? publisher_socket(amqp->publisher) : -1,
		.events = (short)(POLLIN | (is_open && publisher_wants_write(amqp->publisher) ? POLLOUT : 0)) };
	for (size_t i = 0; i < count && i < LANE_SOCKETS_MAX; i++)
		all[i + 1] = sockets[i];
	int longest_ms = is_open ? WAIT_MS : PAUSE_MIN_MS;
	poll(all, 1 + count, is_open && publisher_has_pending(amqp->publisher) ? 0 : longest_ms);
}

static const char *fault(const struct lane *lane)
{
	return ((const struct amqp_lane *)lane)->why.text;
}

static const struct lane_kind amqp_kind = {
	.close = close_lane,
	.room = room,
	.send = send_request,
	.serve = serve,
	.wait = await_any,
	.fault = fault,
};

struct lane *lane_amqp(const struct address *address, struct schedule *schedule, struct why *why)
{
	struct amqp_lane *amqp = calloc(1, sizeof(*amqp));
	if (amqp == NULL)
		abort();
	amqp->lane = (struct lane){ .kind = &amqp_kind, .schedule = schedule };
	amqp->address = *address;
	amqp->broker = (struct broker_address){
		.url = amqp->address.url,
		.user = amqp->address.user,
		.password = amqp->address.password,
		.connection_name = "carebus load (publish)",
	};
	amqp->pause_ms = PAUSE_MIN_MS;
	amqp->publisher = publisher_new(&amqp->broker, settled, amqp);
	if (publisher_open(amqp->publisher, why))
		return &amqp->lane;
	close_lane(&amqp->lane);
	return NULL;
}
