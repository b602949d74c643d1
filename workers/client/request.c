/* carebus request: asks for blood as an upstream system does, and follows what becomes of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain.h"
#include "clock.h"
#include "command.h"
#include "connections.h"
#include "events.h"
#include "feed.h"
#include "moment_option.h"
#include "session.h"
#include "uuid.h"

struct request_values {
	struct common_values common;
	const char *hospital_id, *component, *group, *urgency, *needed_at, *request_id, *order_id, *signed_by,
		*requested_by, *note;
	const char *patient_ref, *sex, *age_years;
	struct option_texts attributes, antigen_negative;
	long quantity, timeout_s;
	bool is_all_or_nothing, is_watched, is_direct;
};

#define AT(member) offsetof(struct request_values, member)

static const struct option_row options[] = {
	{ .name = "hospital",
		.argument = "ID",
		.kind = OPTION_TEXT,
		.offset = AT(hospital_id),
		.fallback = "hospital-001",
		.help = "who asks" },
	{ .name = "component",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(component),
		.fallback = "red_cells",
		.choices = "red_cells|whole_blood|plasma|cryo|platelets",
		.help = "what is asked for" },
	{ .name = "group",
		.argument = "GROUP",
		.kind = OPTION_TEXT,
		.offset = AT(group),
		.is_required = true,
		.choices = "O-|O+|A-|A+|B-|B+|AB-|AB+|unknown",
		.help = "the patient's group" },
	{ .name = "quantity",
		.argument = "UNITS",
		.kind = OPTION_NUMBER,
		.offset = AT(quantity),
		.fallback = "1",
		.minimum = 1,
		.maximum = 100,
		.help = "how many units" },
	{ .name = "urgency",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(urgency),
		.fallback = "routine",
		.choices = "emergency|urgent|routine|replenishment",
		.help = "how soon" },
	{ .name = "needed-at",
		.argument = "TIME",
		.kind = OPTION_TEXT,
		.offset = AT(needed_at),
		.help = "2026-03-01T08:00:00Z, or from now: +90m, +36h, +3d" },
	{ .name = "attribute",
		.argument = "NAME",
		.kind = OPTION_TEXTS,
		.offset = AT(attributes),
		.help = "irradiated, cmv_negative, ...; may be repeated" },
	{ .name = "antigen-negative",
		.argument = "NAME",
		.kind = OPTION_TEXTS,
		.offset = AT(antigen_negative),
		.help = "K, Fya, ...; may be repeated" },
	{ .name = "patient",
		.argument = "REF",
		.kind = OPTION_TEXT,
		.offset = AT(patient_ref),
		.help = "an opaque reference, no name" },
	{ .name = "sex",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(sex),
		.choices = "female|male|unknown",
		.help = "the patient's" },
	{ .name = "age",
		.argument = "YEARS",
		.kind = OPTION_TEXT,
		.offset = AT(age_years),
		.help = "the patient's" },
	{ .name = "all-or-nothing",
		.kind = OPTION_FLAG,
		.offset = AT(is_all_or_nothing),
		.help = "refuse a part of the quantity" },
	{ .name = "signed-by",
		.argument = "REF",
		.kind = OPTION_TEXT,
		.offset = AT(signed_by),
		.help = "who answers for it" },
	{ .name = "requested-by",
		.argument = "REF",
		.kind = OPTION_TEXT,
		.offset = AT(requested_by),
		.help = "who asks" },
	{ .name = "note",
		.argument = "TEXT",
		.kind = OPTION_TEXT,
		.offset = AT(note),
		.help = "for people; no names" },
	{ .name = "order",
		.argument = "ID",
		.kind = OPTION_TEXT,
		.offset = AT(order_id),
		.help = "links components of one order" },
	{ .name = "request-id",
		.argument = "UUID",
		.kind = OPTION_TEXT,
		.offset = AT(request_id),
		.help = "to ask again for the same; default: a new one" },
	{ .name = "direct",
		.kind = OPTION_FLAG,
		.offset = AT(is_direct),
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

static const struct feed_binding bindings[] = {
	{ "feed", "hospital.blood.#" },
	{ "feed", "hospital.request.updated" },
	{ "feed", "bloodbank.blood.#" },
	{ "feed", "bloodbank.reservation.#" },
	{ NULL, NULL },
};

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

static struct patient *make_patient(const struct request_values *values, struct arena *arena)
{
	bool has_patient = values->patient_ref != NULL || values->sex != NULL || values->age_years != NULL
		|| values->antigen_negative.count > 0;
	if (!has_patient)
		return NULL;
	struct patient *patient = arena_new(arena, sizeof(*patient));
	patient->ref = values->patient_ref;
	patient->sex = sex_find(values->sex == NULL ? "" : values->sex);
	patient->has_age_years = values->age_years != NULL;
	patient->age_years = values->age_years == NULL ? 0 : strtol(values->age_years, NULL, 10);
	patient->antigen_negative_count = values->antigen_negative.count;
	patient->antigen_negative = arena_array(arena, values->antigen_negative.count, sizeof(char *));
	memcpy(patient->antigen_negative, values->antigen_negative.items,
		values->antigen_negative.count * sizeof(char *));
	return patient;
}

/* Both events have the same members, as far as people set them. */
static struct hospital_blood_requested *make_body(const struct run *run, struct arena *arena)
{
	const struct request_values *values = run->values;
	struct hospital_blood_requested *body = arena_new(arena, sizeof(*body));
	*body = (struct hospital_blood_requested){
		.request_id = run->request_id,
		.order_id = values->order_id,
		.hospital_id = values->hospital_id,
		.component = component_find(values->component),
		.group = blood_group_find(values->group),
		.quantity = values->quantity,
		.urgency = urgency_find(values->urgency),
		.attributes = arena_array(arena, values->attributes.count, sizeof(char *)),
		.attributes_count = values->attributes.count,
		.patient = make_patient(values, arena),
		.signed_by = values->signed_by,
		.accept_partial = !values->is_all_or_nothing,
		.requested_by = values->requested_by,
		.note = values->note,
	};
	memcpy(body->attributes, values->attributes.items, values->attributes.count * sizeof(char *));
	return body;
}

/* The command's body is the event's without what the hospital sets. */
static bool write_body(struct run *run, const struct hospital_blood_requested *body, struct why *why)
{
	struct hospital_blood_request command = {
		.request_id = body->request_id,
		.order_id = body->order_id,
		.hospital_id = body->hospital_id,
		.component = body->component,
		.group = body->group,
		.quantity = body->quantity,
		.urgency = body->urgency,
		.needed_at = body->needed_at,
		.has_needed_at = body->has_needed_at,
		.attributes = body->attributes,
		.attributes_count = body->attributes_count,
		.patient = body->patient,
		.signed_by = body->signed_by,
		.accept_partial = body->accept_partial,
		.requested_by = body->requested_by,
		.note = body->note,
	};
	run->event = run->values->is_direct ? HOSPITAL_BLOOD_REQUESTED : HOSPITAL_BLOOD_REQUEST;
	const void *chosen = run->values->is_direct ? (const void *)body : (const void *)&command;
	const struct schema *schema = event_type(run->event)->schema;
	return schema_check(schema, chosen, why) && schema_write(schema, chosen, &run->body);
}

static bool prepare(struct run *run, struct why *why)
{
	const struct request_values *values = run->values;
	uuid_random(run->message_id);
	memcpy(run->request_id, run->message_id, sizeof(run->request_id));
	if (values->request_id != NULL && !uuid_canonical(values->request_id, run->request_id))
		return because(why, "usage", "--request-id: \"%s\" is no uuid", values->request_id);
	struct hospital_blood_requested *body = make_body(run, &run->arena);
	body->has_needed_at = values->needed_at != NULL;
	if (body->has_needed_at && !moment_option_read(values->needed_at, clock_now_us(), &body->needed_at))
		return because(why, "usage", "--needed-at: \"%s\" is no time; write 2026-03-01T08:00:00Z or +36h",
			values->needed_at);
	return write_body(run, body, why);
}

static bool connect(struct run *run, struct why *why)
{
	const char *queue = NULL;
	if (run->values->is_watched) {
		if (!feed_open(&run->feed, &run->connections.management, &run->connections.watcher, bindings, why))
			return false;
		queue = run->feed.name;
	}
	return session_open(&run->session, &run->connections.upstream, &run->connections.watcher, queue,
		chain_hear, &run->chain, why);
}

static bool publish(struct run *run, int64_t deadline_ms, struct why *why)
{
	const struct event_type *type = event_type(run->event);
	bool is_emergency = strcmp(run->values->urgency, urgency_name(URGENCY_EMERGENCY)) == 0;
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
	chain_begin(&run->chain, type->name, buffer_text(&run->body));
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

static int run_request(const void *values, const struct positionals *positionals)
{
	struct run run = { .values = values, .feed = { .management = NULL } };
	struct why why = { .text = "" };
	(void)positionals;
	unsigned needed = CONNECTIONS_UPSTREAM | (run.values->is_watched ? CONNECTIONS_WATCHER : 0);
	if (!connections_read(&run.connections, needed))
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
	session_close(&run.session);
	feed_close(&run.feed);
	json_decref(run.chain.events);
	buffer_clear(&run.body);
	arena_clear(&run.arena);
	connections_clear(&run.connections);
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
