/* carebus topology: compares the live broker with the contract that this program was built from, and completes it. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "connections.h"
#include "difference.h"
#include "log.h"
#include "management.h"
#include "repair.h"
#include "topology_data.h"

enum { NAME_BYTES = 400 };

struct topology_values {
	struct common_values common;
	const char *vhost;
	long watch_s;
};

#define AT(member) offsetof(struct topology_values, member)

static const struct option_row options[] = {
	{ .name = "vhost",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(vhost),
		.help = "the virtual host (default: of CAREBUS_AMQP_ADMIN)" },
	{ .name = "watch",
		.argument = "SECONDS",
		.kind = OPTION_NUMBER,
		.offset = AT(watch_s),
		.minimum = 1,
		.maximum = 86400,
		.help = "with check: go on, and log each change of the answer" },
	{ 0 },
};

/* One comparison. */
struct run {
	const struct topology_values *values;
	struct management *management;
	const json_t *topology;
	bool is_applying, is_quiet;
	json_t *found;  /* for JSON output */
	json_t *hidden; /* names of parts that this user is not shown */
	size_t differences, remaining;
	struct why *why;
	bool is_broken; /* the broker could not be asked */
};

static const char *const kind_names[] = {
	[DIFFERENCE_MISSING] = "missing",
	[DIFFERENCE_OTHER] = "different",
	[DIFFERENCE_SURPLUS] = "surplus",
};

static void print_difference(struct run *run, const struct part *part, enum difference_kind kind,
	const json_t *thing, const char *result)
{
	char name[NAME_BYTES];
	difference_name(part, thing, name, sizeof(name));
	json_array_append_new(run->found,
		json_pack("{s:s, s:s, s:s, s:s}", "kind", kind_names[kind], "part", part->singular, "name", name,
			"advice", result));
	if (strcmp(run->values->common.format, "json") != 0 && !run->is_quiet)
		printf("%-9s  %s %s: %s\n", kind_names[kind], part->singular, name, result);
}

/* Says what became of a difference. */
static const char *treat(struct run *run, const struct part *part, enum difference_kind kind,
	const json_t *expected)
{
	if (!run->is_applying || !repair_is_possible(part, kind))
		return repair_advice(part, kind);
	run->is_broken = run->is_broken || !repair(run->management, part, expected, run->why);
	if (run->is_broken)
		return "failed";
	run->remaining--;
	return "made";
}

static void tell(void *owner, const struct part *part, enum difference_kind kind, const json_t *expected,
	const json_t *live)
{
	struct run *run = owner;
	run->differences++;
	run->remaining++;
	const char *result = treat(run, part, kind, expected);
	print_difference(run, part, kind, expected != NULL ? expected : live, result);
}

/* What a user is not shown he cannot compare; only the exchanges everyone sees. */
static bool skip_hidden(struct run *run, const struct part *part)
{
	if (run->is_applying || part == parts || strcmp(run->why->reason, "refused") != 0)
		return false;
	json_array_append_new(run->hidden, json_string(part->name));
	return true;
}

static bool compare_part(struct run *run, const struct part *part)
{
	json_t *live = NULL;
	if (!management_call(run->management, "GET", part->listing, NULL, &live, run->why))
		return skip_hidden(run, part);
	difference_find(part, run->topology, live, tell, run);
	json_decref(live);
	return !run->is_broken;
}

static enum ending compare(struct run *run)
{
	run->differences = run->remaining = 0;
	json_array_clear(run->found);
	json_array_clear(run->hidden);
	run->is_broken = false;
	for (const struct part *part = parts; part->name != NULL; part++)
		if (!compare_part(run, part))
			return ENDING_FAULT;
	return run->remaining == 0 ? ENDING_DONE : ENDING_NO;
}

static void print_json(const struct run *run, enum ending ending)
{
	json_t *result = json_pack("{s:b, s:I, s:O, s:O}", "is_same", ending == ENDING_DONE, "remaining",
		(json_int_t)run->remaining, "differences", run->found, "hidden", run->hidden);
	json_dumpf(result, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(result);
}

static void print_text(const struct run *run)
{
	for (size_t i = 0; i < json_array_size(run->hidden); i++)
		printf("hidden     %s: this user is not shown them\n",
			json_string_value(json_array_get(run->hidden, i)));
	if (run->differences > 0)
		printf("%zu differences, %zu remain\n", run->differences, run->remaining);
	else
		printf("the broker is as the contract wants it%s\n",
			json_array_size(run->hidden) > 0 ? ", as far as this user sees" : "");
}

static void print_result(const struct run *run, enum ending ending)
{
	if (strcmp(run->values->common.format, "json") == 0)
		print_json(run, ending);
	else
		print_text(run);
}

static void log_answer(enum ending ending, const struct run *run)
{
	static const struct log log = { .worker = "carebus", .level = LOG_INFO_LEVEL };
	char count[24];
	snprintf(count, sizeof(count), "%zu", run->remaining);
	if (ending == ENDING_DONE)
		log_line(&log, LOG_INFO_LEVEL, "the broker is as the contract wants it", NULL);
	else if (ending == ENDING_NO)
		log_line(&log, LOG_WARNING_LEVEL, "the broker differs from the contract", "differences", count, NULL);
	else
		log_line(&log, LOG_ERROR_LEVEL, "the broker could not be asked", "reason", run->why->text, NULL);
}

/* Until it is ended by a signal. */
static void watch(struct run *run)
{
	enum ending last = ENDING_NO_ANSWER;
	size_t last_count = 0;
	run->is_quiet = true;
	for (;;) {
		enum ending ending = compare(run);
		if (ending != last || run->remaining != last_count)
			log_answer(ending, run);
		last = ending;
		last_count = run->remaining;
		poll(NULL, 0, (int)SECONDS(run->values->watch_s));
	}
}

static const char *choose_vhost(const struct run *run, const struct connections *connections)
{
	if (run->values->vhost != NULL)
		return run->values->vhost;
	if (connections->watcher.path[0] != '\0')
		return connections->watcher.path;
	return json_string_value(json_object_get(run->topology, "vhost"));
}

static enum ending run_verb(struct run *run, const char *verb, struct connections *connections)
{
	if (connections->management.user[0] == '\0') {
		memcpy(connections->management.user, connections->watcher.user, sizeof(connections->management.user));
		memcpy(connections->management.password, connections->watcher.password,
			sizeof(connections->management.password));
	}
	run->management = management_new(&connections->management, choose_vhost(run, connections));
	if (run->management == NULL)
		return ENDING_FAULT;
	run->is_applying = strcmp(verb, "apply") == 0;
	if (run->values->watch_s > 0)
		watch(run);
	enum ending ending = compare(run);
	if (ending == ENDING_FAULT)
		fprintf(stderr, "%s\n", run->why->text);
	else
		print_result(run, ending);
	management_free(run->management);
	return ending;
}

/* NULL: none of the three, or one that cannot be watched. */
static const char *read_verb(const struct run *run, const struct positionals *positionals)
{
	const char *verb = positionals->count == 1 ? positionals->items[0] : "";
	bool is_check = strcmp(verb, "check") == 0;
	if (is_check || (run->values->watch_s == 0 && (strcmp(verb, "plan") == 0 || strcmp(verb, "apply") == 0)))
		return verb;
	fprintf(stderr, "write `carebus topology check`, `plan` or `apply`; --watch goes with check alone\n");
	return NULL;
}

static enum ending run_topology(const void *values, const struct positionals *positionals)
{
	struct why why = { .text = "" };
	struct connections connections;
	struct run run = { .values = values, .why = &why };
	const char *verb = read_verb(&run, positionals);
	if (verb == NULL || !connections_read(&connections, CONNECTIONS_MANAGEMENT))
		return ENDING_FAULT;
	json_t *topology = json_loads(topology_text, 0, NULL);
	run.topology = topology;
	run.found = json_array();
	run.hidden = json_array();
	enum ending ending = run_verb(&run, verb, &connections);
	json_decref(run.found);
	json_decref(run.hidden);
	json_decref(topology);
	connections_clear(&connections);
	return ending;
}

const struct command command_topology = {
	.name = "topology",
	.summary = "compare the broker with the contract, complete it",
	.arguments = " check|plan|apply",
	.details =
		"Compares exchanges, queues, bindings, policies, users and permissions of the broker at CAREBUS_MANAGEMENT with the\n"
		"contract that this program was built from; the last three are shown to administrators alone. check and plan only\n"
		"look; apply makes what is missing and sets policies and permissions right; it never deletes.\n"
		"Exit: 0 the same (or made so), 1 different, 2 could not be told.\n",
	.examples = "  carebus topology plan\n"
				"  carebus topology check --watch 60\n",
	.options = options,
	.values_bytes = sizeof(struct topology_values),
	.run = run_topology,
};
