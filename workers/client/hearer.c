/* A consumer on a queue of the feed, opened again with a growing pause; the queue keeps what comes meanwhile. */
#include "hearer.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "broker.h"
#include "clock.h"
#include "feed.h"
#include "load_plan.h"

enum { PREFETCH = 2000, PAUSE_MIN_MS = 200, PAUSE_MAX_MS = 5000 };

struct hearer {
	struct feed feed;
	struct broker_address broker;
	struct consumer *consumer;
	const char *queues[1];
	struct schedule *schedule;
	uint64_t heard_incarnation, heard_tag; /* of the last delivery; tag 0 = all are acknowledged */
	int64_t pause_ms, again_ms;            /* while it is closed */
};

static const enum event watched[] = { BLOODBANK_BLOOD_APPROVED, BLOODBANK_BLOOD_REJECTED,
	HOSPITAL_BLOOD_REFUSED, EVENT_NONE };

static const enum verdict verdicts[] = { VERDICT_APPROVED, VERDICT_REJECTED, VERDICT_REFUSED };

/* By the workflow, which the publishing lane names after the request; else by the body. */
static bool find_number(const struct hearer *hearer, const struct delivery *delivery, uint64_t *number)
{
	uint64_t key = hearer->schedule->key;
	if (delivery->correlation_id != NULL && load_id_parse(key, delivery->correlation_id, number))
		return true;
	json_t *body = json_loadb(delivery->body, delivery->body_bytes, 0, NULL);
	const char *id = json_string_value(json_object_get(body, "request_id"));
	bool is_ours = id != NULL && load_id_parse(key, id, number);
	json_decref(body);
	return is_ours;
}

static void hear(void *owner, struct delivery *delivery)
{
	struct hearer *hearer = owner;
	enum event event = event_find(delivery->type == NULL ? "" : delivery->type);
	uint64_t number;
	hearer->heard_incarnation = delivery->incarnation;
	hearer->heard_tag = delivery->tag;
	for (size_t i = 0; watched[i] != EVENT_NONE; i++)
		if (watched[i] == event && find_number(hearer, delivery, &number))
			schedule_decided(hearer->schedule, number, verdicts[i], clock_steady_us());
	delivery_free(delivery);
}

static bool open_feed(struct hearer *hearer, const struct connections *connections, struct why *why)
{
	if (!feed_open(&hearer->feed, &connections->management, &connections->watcher, watched, why))
		return false;
	hearer->queues[0] = hearer->feed.name;
	hearer->broker = (struct broker_address){
		.url = connections->watcher.url,
		.user = connections->watcher.user,
		.password = connections->watcher.password,
		.connection_name = "carebus load (consume)",
	};
	hearer->consumer = consumer_new(&hearer->broker, "carebus-load", hearer->queues, 1, hear, hearer);
	return consumer_open(hearer->consumer, PREFETCH, why);
}

struct hearer *hearer_new(const struct connections *connections, struct schedule *schedule, struct why *why)
{
	struct hearer *hearer = calloc(1, sizeof(*hearer));
	if (hearer == NULL)
		abort();
	hearer->schedule = schedule;
	hearer->pause_ms = PAUSE_MIN_MS;
	if (open_feed(hearer, connections, why))
		return hearer;
	hearer_free(hearer);
	return NULL;
}

void hearer_free(struct hearer *hearer)
{
	if (hearer == NULL)
		return;
	if (hearer->consumer != NULL)
		consumer_close(hearer->consumer);
	consumer_free(hearer->consumer);
	feed_close(&hearer->feed);
	free(hearer);
}

static void come_back(struct hearer *hearer)
{
	struct why ignored;
	if (clock_steady_ms() < hearer->again_ms)
		return;
	if (consumer_open(hearer->consumer, PREFETCH, &ignored)) {
		hearer->pause_ms = PAUSE_MIN_MS;
		return;
	}
	hearer->again_ms = clock_steady_ms() + hearer->pause_ms;
	hearer->pause_ms = hearer->pause_ms * 2 < PAUSE_MAX_MS ? hearer->pause_ms * 2 : PAUSE_MAX_MS;
}

void hearer_serve(struct hearer *hearer)
{
	struct why ignored;
	if (!consumer_is_open(hearer->consumer)) {
		come_back(hearer);
		return;
	}
	bool is_open = consumer_serve(hearer->consumer, &ignored);
	if (is_open && hearer->heard_tag != 0)
		consumer_ack(hearer->consumer, hearer->heard_incarnation, hearer->heard_tag, true, &ignored);
	hearer->heard_tag = 0;
}

struct pollfd hearer_socket(const struct hearer *hearer)
{
	bool wants_write = consumer_wants_write(hearer->consumer);
	return (struct pollfd){ .fd = consumer_socket(hearer->consumer),
		.events = (short)(POLLIN | (wants_write ? POLLOUT : 0)) };
}

bool hearer_has_pending(const struct hearer *hearer)
{
	return consumer_has_pending(hearer->consumer);
}
