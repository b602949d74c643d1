/* carebus request: asks for blood as an upstream system does, and follows what becomes of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "chain.h"
#include "clock.h"
#include "command.h"
#include "connections.h"
#include "events.h"
#include "feed.h"
#include "session.h"
#include "uuid.h"

struct request_values {
	struct common_values common;
	struct ask ask;
	long timeout_s;
	bool is_watched;
};

#define AT(member) offsetof(struct request_values, member)

static const struct option_row options[] = {
	{ .name = "hospital",
		.argument = "ID",
		.kind = OPTION_TEXT,
		.offset = AT(ask.hospital_id),
		.fallback = "hospital-001",
		.help = "who asks" },
	{ .name = "component",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(ask.component),
		.fallback = "red_cells",
		.choices = "red_cells|whole_blood|plasma|cryo|platelets",
		.help = "what is asked for" },
	{ .name = "group",
		.argument = "GROUP",
		.kind = OPTION_TEXT,
		.offset = AT(ask.group),
		.is_required = true,
		.choices = "O-|O+|A-|A+|B-|B+|AB-|AB+|unknown",
		.help = "the patient's group" },
	{ .name = "quantity",
		.argument = "UNITS",
		.kind = OPTION_NUMBER,
		.offset = AT(ask.quantity),
		.fallback = "1",
		.minimum = 1,
		.maximum = 100,
		.help = "how many units" },
	{ .name = "urgency",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(ask.urgency),
		.fallback = "routine",
		.choices = "emergency|urgent|routine|replenishment",
		.help = "how soon" },
	{ .name = "needed-at",
		.argument = "TIME",
		.kind = OPTION_TEXT,
		.offset = AT(ask.needed_at),
		.help = "2026-03-01T08:00:00Z, or from now: +90m, +36h, +3d" },
	{ .name = "attribute",
		.argument = "NAME",
		.kind = OPTION_TEXTS,
		.offset = AT(ask.attributes),
		.help = "irradiated, cmv_negative, ...; may be repeated" },
	{ .name = "antigen-negative",
		.argument = "NAME",
		.kind = OPTION_TEXTS,
		.offset = AT(ask.antigen_negative),
		.help = "K, Fya, ...; may be repeated" },
	{ .name = "patient",
		.argument = "REF",
		.kind = OPTION_TEXT,
		.offset = AT(ask.patient_ref),
		.help = "an opaque reference, no name" },
	{ .name = "sex",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(ask.sex),
		.choices = "female|male|unknown",
		.help = "the patient's" },
	{ .name = "age",
		.argument = "YEARS",
		.kind = OPTION_TEXT,
		.offset = AT(ask.age_years),
		.help = "the patient's" },
	{ .name = "all-or-nothing",
		.kind = OPTION_FLAG,
		.offset = AT(ask.is_all_or_nothing),
		.help = "refuse a part of the quantity" },
	{ .name = "signed-by",
		.argument = "REF",
		.kind = OPTION_TEXT,
		.offset = AT(ask.signed_by),
		.help = "who answers for it" },
	{ .name = "requested-by",
		.argument = "REF",
		.kind = OPTION_TEXT,
		.offset = AT(ask.requested_by),
		.help = "who asks" },
	{ .name = "note",
		.argument = "TEXT",
		.kind = OPTION_TEXT,
		.offset = AT(ask.note),
		.help = "for people; no names" },
	{ .name = "order",
		.argument = "ID",
		.kind = OPTION_TEXT,
		.offset = AT(ask.order_id),
		.help = "links components of one order" },
	{ .name = "request-id",
		.argument = "UUID",
		.kind = OPTION_TEXT,
		.offset = AT(ask.request_id),
		.help = "to ask again for the same; default: a new one" },
	{ .name = "direct",
		.kind = OPTION_FLAG,
		.offset = AT(ask.is_direct),
		.help = "publish hospital.blood.requested, past the hospital worker" },
	{ .name = "watch",
		.kind = OPTION_FLAG,
		.offset = AT(is_watched),
		.help = "follow the chain of events until the decision" },
	{ .name = "timeout",
		.argument = "SECONDS",
		.kind = OPTION_NUMBER,
		.offset = AT(timeout_s),
		.fallback = "10",
		.minimum = 1,
		.maximum = 600,
		.help = "how long to wait for the broker and the decision" },
	{ 0 },
};

static const enum event watched[] = { HOSPITAL_BLOOD_REQUEST, HOSPITAL_BLOOD_REQUESTED,
	HOSPITAL_BLOOD_REFUSED, HOSPITAL_REQUEST_UPDATED, BLOODBANK_BLOOD_APPROVED, BLOODBANK_BLOOD_REJECTED,
	BLOODBANK_RESERVATION_RELEASED, EVENT_NONE };

/* One run of the command. */
struct run {
	const struct request_values *values;
	struct connections connections;
	struct session session;
	struct feed feed;
	struct chain chain;
	struct arena arena;
	char message_id[UUID_TEXT_BYTES];
	char request_id[UUID_TEXT_BYTES];
	struct buffer body;
	enum event event;
};

static bool prepare(struct run *run, struct why *why)
{
	const struct ask *ask = &run->values->ask;
	uuid_random(run->message_id);
	memcpy(run->request_id, run->message_id, sizeof(run->request_id));
	if (ask->request_id != NULL && !uuid_canonical(ask->request_id, run->request_id))
		return because(why, "usage", "--request-id: \"%s\" is no uuid", ask->request_id);
	run->event = ask->is_direct ? HOSPITAL_BLOOD_REQUESTED : HOSPITAL_BLOOD_REQUEST;
	return ask_write(ask, run->request_id, clock_now_us(), &run->arena, &run->body, why);
}

static bool connect(struct run *run, struct why *why)
{
	const char *queue = NULL;
	if (run->values->is_watched) {
		if (!feed_open(&run->feed, &run->connections.management, &run->connections.watcher, watched, why))
			return false;
		queue = run->feed.name;
	}
	return session_open(&run->session, &run->connections.upstream, &run->connections.watcher, queue,
		chain_hear, &run->chain, why);
}

static bool publish(struct run *run, int64_t deadline_ms, struct why *why)
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
	chain_begin(&run->chain, run->event, buffer_text(&run->body));
	return session_send(&run->session, &publication, deadline_ms, why)
		&& session_settle(&run->session, deadline_ms, why);
}

static enum ending follow(struct run *run, int64_t deadline_ms, struct why *why)
{
	while (!run->chain.is_over && clock_steady_ms() < deadline_ms)
		if (!session_serve(&run->session, deadline_ms, why))
			return ENDING_FAULT;
	if (run->chain.is_over)
		return run->chain.ending;
	because(why, "timeout", "no decision within %ld s; `compose/status` tells whether the workers run",
		run->values->timeout_s);
	return ENDING_NO_ANSWER;
}

static enum ending converse(struct run *run, struct why *why)
{
	int64_t deadline_ms = clock_steady_ms() + SECONDS(run->values->timeout_s);
	if (!prepare(run, why) || !connect(run, why))
		return ENDING_FAULT;
	enum ending ending = publish(run, deadline_ms, why) ? ENDING_DONE : ENDING_FAULT;
	if (ending == ENDING_DONE && run->values->is_watched)
		ending = follow(run, deadline_ms, why);
	if (ending == ENDING_DONE && !run->values->is_watched && !run->chain.is_json)
		printf("confirmed: request %s\n", run->request_id);
	else if (ending != ENDING_FAULT)
		chain_finish(&run->chain);
	return ending;
}

static void close_run(struct run *run)
{
	session_close(&run->session);
	feed_close(&run->feed);
	json_decref(run->chain.events);
	buffer_clear(&run->body);
	arena_clear(&run->arena);
	connections_clear(&run->connections);
}

static enum ending run_request(const void *values, const struct positionals *positionals)
{
	struct run run = { .values = values, .feed = { .management = NULL } };
	struct why why = { .text = "" };
	(void)positionals;
	unsigned to_watch = run.values->is_watched ? CONNECTIONS_WATCHER | CONNECTIONS_MANAGEMENT : 0;
	if (!connections_read(&run.connections, CONNECTIONS_UPSTREAM | to_watch))
		return ENDING_FAULT;
	arena_init(&run.arena);
	buffer_init(&run.body);
	run.chain = (struct chain){
		.request_id = run.request_id,
		.correlation_id = run.message_id,
		.is_json = strcmp(run.values->common.format, "json") == 0,
		.has_color = getenv("NO_COLOR") == NULL && isatty(STDOUT_FILENO),
	};
	enum ending ending = converse(&run, &why);
	if (why.text[0] != '\0')
		fprintf(stderr, "%s\n", why.text);
	close_run(&run);
	return ending;
}

const struct command command_request = {
	.name = "request",
	.summary = "ask for blood, and follow what becomes of it",
	.arguments = "",
	.details =
		"Publishes hospital.blood.request as the upstream system of CAREBUS_AMQP. It counts as sent when the broker has\n"
		"confirmed it. With --watch it then prints each event of the workflow with the milliseconds since the start and\n"
		"since the last one; that needs CAREBUS_AMQP_ADMIN and CAREBUS_MANAGEMENT.\n"
		"Exit: 0 sent (with --watch: approved, in part or in full, or scheduled), 1 rejected or refused,\n"
		"2 a fault, 3 no decision in time.\n",
	.examples =
		"  eval \"$(compose/status --env)\"; export ${!CAREBUS_*}\n"
		"  carebus request --group O- --quantity 2 --urgency emergency --watch\n"
		"  carebus request --component platelets --group A+ --attribute irradiated --needed-at +36h --watch -o json\n",
	.options = options,
	.values_bytes = sizeof(struct request_values),
	.run = run_request,
};
