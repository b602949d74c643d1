/*
 * carebus parked: what workers and the broker set aside. All verbs read a queue in one way: each message is taken with basic.get and
 * held, not acknowledged, so the broker gives it back when we end, however we end (parked_walk.c); only replay and drop let one go,
 * and only after what replaces it is safe (parked_settle.c). The management API is not used: its get can only requeue a message or
 * remove it before we have it. Nor does librabbitmq decode what comes: a header without a name would end every connection that reads
 * the queue (lib/broker_hold.h).
 */
#include "parked.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connections.h"
#include "queue_names.h"

#define AT(member) offsetof(struct parked_values, member)

static const struct option_row options[] = {
	{ .name = "reason",
		.argument = "CODE",
		.kind = OPTION_TEXT,
		.offset = AT(choice.reason),
		.help = "only what was parked for this reason" },
	{ .name = "event",
		.argument = "EVENT",
		.kind = OPTION_TEXT,
		.offset = AT(choice.event),
		.help = "only messages of this type" },
	{ .name = "id",
		.argument = "ID",
		.kind = OPTION_TEXT,
		.offset = AT(choice.message_id),
		.help = "only the message with this id" },
	{ .name = "all", .kind = OPTION_FLAG, .offset = AT(is_all), .help = "replay, drop: all of the queue" },
	{ .name = "dry-run",
		.kind = OPTION_FLAG,
		.offset = AT(is_dry),
		.help = "replay, drop: only tell what would be" },
	{ .name = "yes", .kind = OPTION_FLAG, .offset = AT(is_sure), .help = "drop: really" },
	{ .name = "to",
		.argument = "FILE",
		.kind = OPTION_TEXT,
		.offset = AT(file),
		.help = "drop: append the messages to this file, not to the output" },
	{ .name = "limit",
		.argument = "MESSAGES",
		.kind = OPTION_NUMBER,
		.offset = AT(limit),
		.fallback = "10000",
		.minimum = 1,
		.maximum = 1000000,
		.help = "look at so many of a queue at most, from its head" },
	{ 0 },
};

/* What may be said with a verb. */
static const struct verb {
	const char *name;
	bool takes_choice; /* --reason, --event, --id */
	bool changes;      /* needs a choice or --all; takes --dry-run */
	bool destroys;     /* needs --yes; takes --to */
	enum ending (*run)(const struct parked_run *run, const char *queue);
} verbs[] = {
	{ .name = "list" },
	{ .name = "show", .takes_choice = true, .run = parked_show },
	{ .name = "replay", .takes_choice = true, .changes = true, .run = parked_replay },
	{ .name = "drop", .takes_choice = true, .changes = true, .destroys = true, .run = parked_drop },
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	fprintf(stderr, "write `carebus parked list`, `show QUEUE`, `replay QUEUE` or `drop QUEUE`\n");
	return NULL;
}

static bool complain(const struct verb *verb, const char *what)
{
	fprintf(stderr, "%s: %s\n", verb->name, what);
	return false;
}

static bool check(const struct verb *verb, const struct parked_values *values)
{
	const struct choice *choice = &values->choice;
	bool has_choice = choice->reason != NULL || choice->event != NULL || choice->message_id != NULL;
	if (has_choice && !verb->takes_choice)
		return complain(verb, "takes no --reason, --event or --id; `show` does");
	if ((values->is_all || values->is_dry) && !verb->changes)
		return complain(verb, "changes nothing: --all and --dry-run go with replay and drop");
	if ((values->is_sure || values->file != NULL) && !verb->destroys)
		return complain(verb, "--yes and --to go with drop alone");
	if (verb->changes && has_choice == values->is_all)
		return complain(verb, "say which: --reason, --event or --id, or --all and none of them");
	if (verb->destroys && values->is_sure == values->is_dry)
		return complain(verb, "dropped is gone: write --yes, or --dry-run to see what would be");
	return true;
}

/* "hospital" and "hospital.parked" mean the same. NULL: told. Borrowed from `queues`. */
static const char *find_queue(const json_t *queues, const char *wanted)
{
	for (size_t i = 0; i < json_array_size(queues); i++) {
		const char *name = json_string_value(json_array_get(queues, i));
		char *origin = queue_names_origin(name);
		bool is_meant = strcmp(wanted, name) == 0 || strcmp(wanted, origin) == 0;
		free(origin);
		if (is_meant)
			return name;
	}
	fprintf(stderr, "\"%s\": no such queue; there are", wanted);
	for (size_t i = 0; i < json_array_size(queues); i++)
		fprintf(stderr, " %s", json_string_value(json_array_get(queues, i)));
	fprintf(stderr, "\n");
	return NULL;
}

/* `list` alone may leave the queue out. */
static enum ending run_verb(const struct verb *verb, const struct parked_run *run, json_t *queues,
	const char *wanted)
{
	const char *queue = wanted == NULL ? NULL : find_queue(queues, wanted);
	if (wanted == NULL && verb->run != NULL)
		complain(verb, "name a queue; `carebus parked list` shows what is where");
	if (queue == NULL && (wanted != NULL || verb->run != NULL))
		return ENDING_FAULT;
	if (verb->run != NULL)
		return verb->run(run, queue);
	json_t *chosen = queue == NULL ? json_incref(queues) : json_pack("[s]", queue);
	enum ending ending = parked_list(run, chosen);
	json_decref(chosen);
	return ending;
}

static enum ending run_parked(const void *values, const struct positionals *positionals)
{
	struct connections connections;
	struct parked_run run = { .values = values };
	const struct verb *verb = find_verb(positionals->count > 0 ? positionals->items[0] : "");
	if (verb == NULL || !check(verb, values))
		return ENDING_FAULT;
	if (positionals->count > 2) {
		complain(verb, "takes one queue");
		return ENDING_FAULT;
	}
	if (!connections_read(&connections, CONNECTIONS_WATCHER))
		return ENDING_FAULT;
	run.is_json = strcmp(run.values->common.format, "json") == 0;
	run.address = (struct broker_address){ .url = connections.watcher.url,
		.user = connections.watcher.user,
		.password = connections.watcher.password,
		.connection_name = "carebus (parked)" };
	json_t *queues = queue_names_parked();
	enum ending ending = run_verb(verb, &run, queues, positionals->count == 2 ? positionals->items[1] : NULL);
	json_decref(queues);
	connections_clear(&connections);
	return ending;
}

const struct command command_parked = {
	.name = "parked",
	.summary = "look through what was set aside; replay or drop it",
	.arguments = " list|show|replay|drop [QUEUE]",
	.details =
		"list counts parked messages by queue, reason and event. show prints them. replay puts them into the queue they came\n"
		"from, with the same id, type, body and properties; when the broker has confirmed that, they leave the parked queue.\n"
		"drop writes each as a line of JSON and removes it. Both may be ended at any moment and run again: nothing is lost,\n"
		"and a message that was replayed twice is handled once, for its id is known. A message whose cause was not mended is\n"
		"parked again. QUEUE is `hospital` or `hospital.parked`. It needs CAREBUS_AMQP_ADMIN: the operator's is enough to look\n"
		"and to drop, replay takes the admin's.\n"
		"Exit: 0 done, 1 no message was meant, 2 a fault; what was done before it stays done.\n",
	.examples = "  eval \"$(compose/status --env)\"; export ${!CAREBUS_*}\n"
				"  carebus parked list\n"
				"  carebus parked show bloodbank --reason schema\n"
				"  carebus parked replay hospital --reason constraint --dry-run\n"
				"  carebus parked replay hospital --id 1a2b3c4d-0000-4000-8000-000000000000\n"
				"  carebus parked drop hospital --reason unknown_type --yes --to dropped.jsonl\n",
	.options = options,
	.values_bytes = sizeof(struct parked_values),
	.run = run_parked,
};
