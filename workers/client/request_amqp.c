/* The request as an upstream system publishes it, and the feed that tells what becomes of it. */
#include "request_run.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "events.h"

static const enum event watched[] = { HOSPITAL_BLOOD_REQUEST, HOSPITAL_BLOOD_REQUESTED,
	HOSPITAL_BLOOD_REFUSED, HOSPITAL_REQUEST_UPDATED, BLOODBANK_BLOOD_APPROVED, BLOODBANK_BLOOD_REJECTED,
	BLOODBANK_RESERVATION_RELEASED, EVENT_NONE };

bool request_connect(struct request_run *run, const struct address *sending, bool is_watched, struct why *why)
{
	const char *queue = NULL;
	if (is_watched) {
		if (!feed_open(&run->feed, &run->connections.management, &run->connections.watcher, watched, why))
			return false;
		queue = run->feed.name;
	}
	return session_open(&run->session, sending, &run->connections.watcher, queue, chain_hear, &run->chain,
		why);
}

enum ending request_follow(struct request_run *run, struct why *why)
{
	while (!run->chain.is_over && clock_steady_ms() < run->deadline_ms)
		if (!session_serve(&run->session, run->deadline_ms, why))
			return ENDING_FAULT;
	if (run->chain.is_over)
		return run->chain.ending;
	because(why, "timeout", "no decision within %ld s; `compose/status` tells whether the workers run",
		run->values->timeout_s);
	return ENDING_NO_ANSWER;
}

static bool publish(struct request_run *run, struct why *why)
{
	const struct event_type *type = event_type(run->event);
	bool is_emergency = strcmp(run->values->ask.urgency, urgency_name(URGENCY_EMERGENCY)) == 0;
	const struct publication publication = {
		.exchange = type->exchange,
		.routing_key = arena_print(&run->arena, "%s%s", type->name, is_emergency ? ".emergency" : ""),
		.message_id = run->message_id,
		.correlation_id = run->message_id,
		.type = type->name,
		.app_id = "carebus",
		.schema_version = type->schema_version,
		.timestamp_s = clock_now_us() / MICROSECONDS_PER_SECOND,
		.body = buffer_text(&run->body),
		.body_bytes = run->body.length_bytes,
		.is_mandatory = true,
	};
	memcpy(run->chain.correlation_id, run->message_id, sizeof(run->chain.correlation_id));
	chain_begin(&run->chain, run->event, buffer_text(&run->body));
	return session_send(&run->session, &publication, run->deadline_ms, why)
		&& session_settle(&run->session, run->deadline_ms, why);
}

enum ending request_over_amqp(struct request_run *run, struct why *why)
{
	bool is_watched = run->values->is_watched;
	if (!request_connect(run, &run->connections.upstream, is_watched, why))
		return ENDING_FAULT;
	enum ending ending = publish(run, why) ? ENDING_DONE : ENDING_FAULT;
	if (ending == ENDING_DONE && is_watched)
		ending = request_follow(run, why);
	if (ending == ENDING_DONE && !is_watched && !run->chain.is_json)
		printf("confirmed: request %s\n", run->request_id);
	else if (ending != ENDING_FAULT)
		chain_finish(&run->chain);
	return ending;
}
