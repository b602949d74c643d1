/* Questions: read only, answered between batches, to the one who asked. */
#include "worker_internal.h"

#include "asker.h"
#include "machine_queries.h"

static const struct question *find_question(const struct worker *worker, enum event event)
{
	for (const struct question *question = worker->questions; question->event != EVENT_NONE; question++)
		if (question->event == event)
			return question;
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

static enum outcome answer(struct runtime *runtime, struct flight *flight, struct incoming *incoming,
	struct why *why)
{
	const struct question *question = find_question(runtime->worker, incoming->message.event);
	enum event event;
	const void *body;
	if (question == NULL)
		return reject(why, "not_routed", "%s is not a question", event_type(incoming->message.event)->name);
	if (!asker_is_name(incoming->message.reply_to))
		return reject(why, "no_asker", "reply_to does not name the asker");
	incoming->message.now = clock_now_us();
	database_begin(runtime->database);
	database_send(runtime->database, &question_snapshot, NULL, 0);
	enum outcome outcome = question->answer(&incoming->message, runtime->database, &event, &body, why);
	if (outcome == DONE)
		add_answer(flight, incoming, event, body);
	database_rollback(runtime->database);
	return outcome;
}

bool query_run(struct runtime *runtime)
{
	bool has_work = runtime->lanes[LANE_QUERY].count > 0 && database_is_open(runtime->database);
	struct flight *flight = has_work ? flight_new(runtime) : NULL;
	if (flight == NULL)
		return false;
	struct delivery *delivery = lane_take(&runtime->lanes[LANE_QUERY]);
	struct incoming incoming;
	struct why why = { 0 };
	flight->deliveries = arena_array(&flight->arena, 1, sizeof(*flight->deliveries));
	flight->deliveries[flight->deliveries_count++] = delivery;
	enum outcome outcome = REJECT;
	if (incoming_read(runtime, delivery, &flight->arena, &incoming, &why))
		outcome = answer(runtime, flight, &incoming, &why);
	if (outcome == DONE)
		count(runtime, METRIC_QUERIES, 1);
	else
		log_line(&runtime->log, LOG_WARNING_LEVEL, "question not answered", "reason", why.reason, "detail",
			why.text, NULL);
	if (!database_is_open(runtime->database))
		links_lost(runtime, LINK_DATABASE, &why);
	flight_launch(runtime,
		flight); /* unanswerable ones are dropped: the asker waits no longer than their lifetime */
	return true;
}
