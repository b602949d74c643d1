/* carebus request: asks for blood as an upstream system does, and follows what becomes of it. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "door.h"
#include "events.h"
#include "option_rows.h"
#include "print.h"
#include "request_run.h"

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
		.choices = COMPONENT_CHOICES,
		.help = "what is asked for" },
	{ .name = "group",
		.argument = "GROUP",
		.kind = OPTION_TEXT,
		.offset = AT(ask.group),
		.is_required = true,
		.choices = GROUP_CHOICES "|unknown",
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
	{ .name = "via",
		.argument = "WAY",
		.kind = OPTION_TEXT,
		.offset = AT(via),
		.choices = "http|amqp",
		.help = "default: http where CAREBUS_HTTP and CAREBUS_TOKEN are set" },
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

static bool prepare(struct request_run *run, struct why *why)
{
	const struct ask *ask = &run->values->ask;
	run->deadline_ms = clock_steady_ms() + SECONDS(run->values->timeout_s);
	uuid_random(run->message_id);
	memcpy(run->request_id, run->message_id, sizeof(run->request_id));
	if (ask->request_id != NULL && !uuid_canonical(ask->request_id, run->request_id))
		return because(why, "usage", "--request-id: \"%s\" is no uuid", ask->request_id);
	run->event = ask->is_direct ? HOSPITAL_BLOOD_REQUESTED : HOSPITAL_BLOOD_REQUEST;
	return ask_write(ask, run->request_id, clock_now_us(), &run->arena, &run->body, why);
}

static bool goes_by_http(const struct request_values *values)
{
	if (values->via != NULL)
		return strcmp(values->via, "http") == 0;
	return !values->ask.is_direct && door_is_known();
}

/* What the way needs; over HTTP the feed is a help, not a need. */
static bool read_connections(struct request_run *run, bool is_http)
{
	if (is_http && run->values->ask.is_direct) {
		fprintf(stderr, "--direct is for --via amqp: the bridge sends hospital.blood.request only\n");
		return false;
	}
	unsigned to_watch = run->values->is_watched ? CONNECTIONS_WATCHER | CONNECTIONS_MANAGEMENT : 0;
	return connections_read(&run->connections, is_http ? 0 : CONNECTIONS_UPSTREAM | to_watch);
}

static void close_run(struct request_run *run)
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
	struct request_run run = { .values = values, .feed = { .management = NULL } };
	struct why why = { .text = "" };
	bool is_http = goes_by_http(run.values);
	(void)positionals;
	if (!read_connections(&run, is_http))
		return ENDING_FAULT;
	arena_init(&run.arena);
	buffer_init(&run.body);
	run.chain = (struct chain){
		.id_name = "request_id",
		.request_id = run.request_id,
		.is_json = strcmp(run.values->common.format, "json") == 0,
		.has_color = print_has_color(),
	};
	enum ending ending = ENDING_FAULT;
	if (prepare(&run, &why))
		ending = (is_http ? request_over_http : request_over_amqp)(&run, &why);
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
		"Sends hospital.blood.request: through the bridge at CAREBUS_HTTP with CAREBUS_TOKEN, or as the upstream system of\n"
		"CAREBUS_AMQP. It counts as sent when the bridge has accepted it, or the broker has confirmed it. With --watch it then\n"
		"prints each event of the workflow with the milliseconds since the start and since the last one; that needs\n"
		"CAREBUS_AMQP_ADMIN and CAREBUS_MANAGEMENT; without them the bridge is asked to wait for the decision.\n"
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
