/* Questions: read only, answered between batches, to the one who asked. */
#include "worker_cache.h"

#include "asker.h"
#include "machine_queries.h"

static const struct question *find_question(const struct worker *worker, enum event event)
{
	for (const struct question *question = worker->questions; question->event != EVENT_NONE; question++)
		if (question->event == event)
			return question;
	return NULL;
}

static const struct look_up *find_look_up(const struct worker *worker, enum event event)
{
	for (const struct look_up *look_up = worker->look_ups; look_up->event != EVENT_NONE; look_up++)
		if (look_up->event == event)
			return look_up;
	return NULL;
}

static void add_answer(struct flight *flight, const struct incoming *incoming, enum event event,
	const void *body)
{
	struct outbox *outbox = &flight->extras;
	outbox_cause(outbox, &incoming->message, incoming->message.message_id, incoming->digest_text, 0);
	outbox_reply(outbox, event, body);
	outbox->last->is_stored = false;
}

/* What a question is answered with. */
struct reply {
	enum event event;
	const void *body;
};

static enum outcome answer_in_snapshot(struct runtime *runtime, const struct question *question,
	const struct message *message, struct reply *reply, struct why *why)
{
	database_begin(runtime->database);
	database_send(runtime->database, &question_snapshot, NULL, 0);
	enum outcome outcome = question->answer(message, runtime->database, &reply->event, &reply->body, why);
	database_rollback(runtime->database);
	return outcome;
}

static enum outcome answer(struct runtime *runtime, const struct message *message, struct reply *reply,
	struct why *why)
{
	const struct question *question = find_question(runtime->worker, message->event);
	const struct look_up *look_up = find_look_up(runtime->worker, message->event);
	if (look_up != NULL)
		return look_up->answer(message, runtime->database, runtime->cache, &reply->event, &reply->body, why);
	if (question != NULL)
		return answer_in_snapshot(runtime, question, message, reply, why);
	return reject(why, "not_routed", "%s is not a question", event_type(message->event)->name);
}

static enum outcome answer_lease(struct runtime *runtime, const struct message *message, struct reply *reply,
	struct why *why)
{
	return registry_answer(message, runtime->cache, &reply->event, &reply->body, why);
}

typedef enum outcome answer_fn(struct runtime *runtime, const struct message *message, struct reply *reply,
	struct why *why);

static enum outcome reply_to(struct runtime *runtime, struct flight *flight, struct delivery *delivery,
	answer_fn *how, struct why *why)
{
	struct incoming incoming;
	struct reply reply = { .event = EVENT_NONE };
	if (!incoming_read(runtime, delivery, &flight->arena, &incoming, why))
		return REJECT;
	if (!asker_is_name(incoming.message.reply_to))
		return reject(why, "no_asker", "reply_to does not name the asker");
	incoming.message.now = clock_now_us();
	enum outcome outcome = how(runtime, &incoming.message, &reply, why);
	if (outcome == DONE)
		add_answer(flight, &incoming, reply.event, reply.body);
	return outcome;
}

/* Unanswerable ones are dropped: the asker waits no longer than their lifetime. */
static bool run_one(struct runtime *runtime, enum lane_number lane, const struct database *database,
	answer_fn *how)
{
	bool has_work = runtime->lanes[lane].count > 0 && database_is_open(database);
	struct flight *flight = has_work ? flight_new(runtime) : NULL;
	struct why why = { 0 };
	if (flight == NULL)
		return false;
	struct delivery *delivery = lane_take(&runtime->lanes[lane]);
	flight->deliveries = arena_array(&flight->arena, 1, sizeof(*flight->deliveries));
	flight->deliveries[flight->deliveries_count++] = delivery;
	if (reply_to(runtime, flight, delivery, how, &why) == DONE)
		count(runtime, METRIC_QUERIES, 1);
	else
		log_line(&runtime->log, LOG_WARNING_LEVEL, "question not answered", "reason", why.reason, "detail",
			why.text, NULL);
	if (lane == LANE_QUERY && !database_is_open(database))
		links_lost(runtime, LINK_DATABASE, &why);
	flight_launch(runtime, flight);
	return true;
}

bool query_run(struct runtime *runtime)
{
	return run_one(runtime, LANE_QUERY, runtime->database, answer);
}

bool lease_run(struct runtime *runtime)
{
	return run_one(runtime, LANE_LEASE, runtime->cache->registry, answer_lease);
}
