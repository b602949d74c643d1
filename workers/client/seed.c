/* carebus seed: fills the banks of a demo or a load test with fictional units, as an upstream system does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "connections.h"
#include "consignment.h"
#include "events.h"
#include "feed.h"
#include "moment_option.h"
#include "option_rows.h"
#include "session.h"
#include "uuid.h"

enum { PROGRESS_EVERY_MS = 200 };

struct seed_values {
	struct common_values common;
	const char *seed, *at, *component, *group;
	struct option_texts banks;
	long units, batch, timeout_s;
	bool is_fresh;
};

#define AT(member) offsetof(struct seed_values, member)

static const struct option_row options[] = {
	{ .name = "units",
		.argument = "COUNT",
		.kind = OPTION_NUMBER,
		.offset = AT(units),
		.fallback = "600",
		.minimum = 1,
		.maximum = WORLD_UNITS_MAX,
		.help = "how many units in all" },
	{ .name = "bank",
		.argument = "ID",
		.kind = OPTION_TEXTS,
		.offset = AT(banks),
		.help = "who receives them, in turn; may be repeated (default: bank-001 and bank-002)" },
	{ .name = "component",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(component),
		.choices = COMPONENT_CHOICES,
		.help = "only this one (default: mixed)" },
	{ .name = "group",
		.argument = "GROUP",
		.kind = OPTION_TEXT,
		.offset = AT(group),
		.choices = GROUP_CHOICES,
		.help = "only this one (default: mixed)" },
	{ .name = "fresh", .kind = OPTION_FLAG, .offset = AT(is_fresh), .help = "all collected on the last day" },
	{ .name = "batch",
		.argument = "UNITS",
		.kind = OPTION_NUMBER,
		.offset = AT(batch),
		.fallback = "100",
		.minimum = 1,
		.maximum = 200,
		.help = "units in one command" },
	{ .name = "seed",
		.argument = "TEXT",
		.kind = OPTION_TEXT,
		.offset = AT(seed),
		.fallback = "demo",
		.help = "another text, other units" },
	{ .name = "at",
		.argument = "TIME",
		.kind = OPTION_TEXT,
		.offset = AT(at),
		.help = "the day from which collections count back (default: today)" },
	{ .name = "timeout",
		.argument = "SECONDS",
		.kind = OPTION_NUMBER,
		.offset = AT(timeout_s),
		.fallback = "60",
		.minimum = 1,
		.maximum = 3600,
		.help = "how long to wait for all answers" },
	{ 0 },
};

static const enum event watched[] = { BLOODBANK_UNIT_RECEIVED, BLOODBANK_UNIT_REFUSED, EVENT_NONE };

/* One command. */
struct part {
	char message_id[UUID_TEXT_BYTES];
	bool is_answered;
};

struct run {
	const struct seed_values *values;
	struct connections connections;
	struct session session;
	struct feed feed;
	struct consignment consignment;
	char correlation_id[UUID_TEXT_BYTES];
	struct part *parts;
	size_t part_count;
	size_t sent_parts, received_parts, refused_parts;
	size_t received_units;
	struct arena arena; /* of one part */
	struct buffer body;
	char refusal[200]; /* the first one heard */
};

static bool send_part(struct run *run, size_t number, int64_t deadline_ms, struct why *why)
{
	const struct event_type *type = event_type(BLOODBANK_UNIT_RECEIVE);
	struct part *part = &run->parts[number];
	arena_reset(&run->arena);
	if (!consignment_write(&run->consignment, number, &run->arena, &run->body, part->message_id, why))
		return false;
	const struct publication publication = {
		.exchange = type->exchange,
		.routing_key = type->name,
		.message_id = part->message_id,
		.correlation_id = run->correlation_id,
		.type = type->name,
		.app_id = "carebus",
		.schema_version = type->schema_version,
		.timestamp_s = clock_now_us() / MICROSECONDS_PER_SECOND,
		.body = buffer_text(&run->body),
		.body_bytes = run->body.length_bytes,
		.is_mandatory = true,
	};
	run->sent_parts++;
	return session_send(&run->session, &publication, deadline_ms, why);
}

static struct part *find_part(const struct run *run, const char *message_id)
{
	for (size_t i = 0; i < run->sent_parts; i++)
		if (message_id != NULL && strcmp(run->parts[i].message_id, message_id) == 0)
			return &run->parts[i];
	return NULL;
}

static void note_refusal(struct run *run, const struct delivery *delivery)
{
	json_t *body = json_loadb(delivery->body, delivery->body_bytes, 0, NULL);
	const char *reason = json_string_value(json_object_get(body, "reason"));
	const char *detail = json_string_value(json_object_get(body, "detail"));
	if (run->refused_parts++ == 0)
		snprintf(run->refusal, sizeof(run->refusal), "%s: %s", reason == NULL ? "refused" : reason,
			detail == NULL ? "" : detail);
	json_decref(body);
}

/* An answer belongs to a part by its cause; one that was heard twice counts once. */
static void hear(void *owner, struct delivery *delivery)
{
	struct run *run = owner;
	struct part *part = find_part(run, delivery->causation_id);
	if (part != NULL && !part->is_answered) {
		part->is_answered = true;
		if (event_find(delivery->type == NULL ? "" : delivery->type) == BLOODBANK_UNIT_REFUSED) {
			note_refusal(run, delivery);
		} else {
			run->received_parts++;
			run->received_units += consignment_units(&run->consignment, (size_t)(part - run->parts));
		}
	}
	delivery_free(delivery);
}

static bool prepare(struct run *run, struct why *why)
{
	const struct seed_values *values = run->values;
	int64_t at_us = clock_now_us();
	if (values->at != NULL && !moment_option_read(values->at, at_us, &at_us))
		return because(why, "usage", "--at: \"%s\" is no time; write 2026-03-01T00:00:00Z or -2d",
			values->at);
	run->consignment = (struct consignment){
		.world = {
			.seed = values->seed,
			.day_us = at_us - at_us % DAYS_US(1),
			.component = component_find(values->component == NULL ? "" : values->component),
			.group = blood_group_find(values->group == NULL ? "" : values->group),
			.is_fresh = values->is_fresh,
		},
		.banks = &values->banks,
		.units = (size_t)values->units,
		.units_per_command = (size_t)values->batch,
	};
	run->part_count = consignment_commands(&run->consignment);
	run->parts = calloc(run->part_count, sizeof(*run->parts));
	if (run->parts == NULL)
		abort();
	uuid_random(run->correlation_id);
	return true;
}

static bool connect(struct run *run, struct why *why)
{
	const char *queue = NULL;
	if (run->connections.has_watcher) {
		if (!feed_open(&run->feed, &run->connections.management, &run->connections.watcher, watched, why))
			return false;
		queue = run->feed.name;
	}
	return session_open(&run->session, &run->connections.upstream, &run->connections.watcher, queue, hear,
		run, why);
}

static bool send_all(struct run *run, int64_t deadline_ms, struct why *why)
{
	for (size_t i = 0; i < run->part_count; i++)
		if (!send_part(run, i, deadline_ms, why))
			return false;
	return session_settle(&run->session, deadline_ms, why);
}

static void show_progress(const struct run *run)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%zu of %ld units received", run->received_units, run->values->units);
}

static bool is_answered(const struct run *run)
{
	return run->received_parts + run->refused_parts == run->part_count;
}

static enum ending await_answers(struct run *run, int64_t deadline_ms, struct why *why)
{
	while (!is_answered(run) && clock_steady_ms() < deadline_ms) {
		int64_t soon_ms = clock_steady_ms() + PROGRESS_EVERY_MS;
		show_progress(run);
		if (!session_serve(&run->session, soon_ms < deadline_ms ? soon_ms : deadline_ms, why))
			return ENDING_FAULT;
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	if (is_answered(run))
		return run->refused_parts == 0 ? ENDING_DONE : ENDING_NO;
	because(why, "timeout",
		"%zu of %zu commands were not answered within %ld s; look whether the bloodbank worker runs",
		run->part_count - run->received_parts - run->refused_parts, run->part_count, run->values->timeout_s);
	return ENDING_NO_ANSWER;
}

static void print_result(const struct run *run)
{
	bool is_heard = run->connections.has_watcher;
	if (strcmp(run->values->common.format, "json") == 0) {
		json_t *result = json_pack("{s:I, s:I, s:b, s:I, s:I}", "units", (json_int_t)run->values->units,
			"commands", (json_int_t)run->part_count, "answers_awaited", is_heard, "units_received",
			(json_int_t)run->received_units, "commands_refused", (json_int_t)run->refused_parts);
		json_dumpf(result, stdout, JSON_INDENT(2));
		printf("\n");
		json_decref(result);
	} else if (is_heard) {
		printf("%zu of %ld units received, %zu of %zu commands refused%s%s\n", run->received_units,
			run->values->units, run->refused_parts, run->part_count,
			run->refused_parts > 0 ? "; first: " : "", run->refusal);
	} else {
		printf(
			"%ld units sent in %zu commands; answers were not awaited (CAREBUS_AMQP_ADMIN, CAREBUS_MANAGEMENT)\n",
			run->values->units, run->part_count);
	}
}

static enum ending converse(struct run *run, struct why *why)
{
	int64_t deadline_ms = clock_steady_ms() + SECONDS(run->values->timeout_s);
	if (!prepare(run, why) || !connect(run, why) || !send_all(run, deadline_ms, why))
		return ENDING_FAULT;
	enum ending ending = run->connections.has_watcher ? await_answers(run, deadline_ms, why) : ENDING_DONE;
	if (ending != ENDING_FAULT)
		print_result(run);
	return ending;
}

static void close_run(struct run *run)
{
	session_close(&run->session);
	feed_close(&run->feed);
	free(run->parts);
	buffer_clear(&run->body);
	arena_clear(&run->arena);
	connections_clear(&run->connections);
}

static enum ending run_seed(const void *values, const struct positionals *positionals)
{
	struct run run = { .values = values, .feed = { .management = NULL } };
	struct why why = { .text = "" };
	(void)positionals;
	if (!connections_read(&run.connections, CONNECTIONS_UPSTREAM))
		return ENDING_FAULT;
	arena_init(&run.arena);
	buffer_init(&run.body);
	enum ending ending = converse(&run, &why);
	if (why.text[0] != '\0')
		fprintf(stderr, "%s\n", why.text);
	close_run(&run);
	return ending;
}

const struct command command_seed = {
	.name = "seed",
	.summary = "fill the banks with fictional units",
	.arguments = "",
	.details =
		"Publishes bloodbank.unit.receive commands as the upstream system of CAREBUS_AMQP: units with realistic groups,\n"
		"components and ages. The same seed on the same day is the same world: a second run changes nothing. Where\n"
		"CAREBUS_AMQP_ADMIN and CAREBUS_MANAGEMENT are set it waits until each command is answered.\n"
		"Exit: 0 all received, 1 some refused, 2 a fault, 3 not answered in time.\n",
	.examples =
		"  carebus seed\n"
		"  carebus seed --units 200000 --batch 200 --component red_cells --fresh --seed load-1 --timeout 300\n",
	.options = options,
	.values_bytes = sizeof(struct seed_values),
	.run = run_seed,
};
