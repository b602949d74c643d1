/* carebus flow: who tells whom what, from the contract that this program was built from. No server is asked. */
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "command.h"
#include "dot.h"
#include "graph.h"

enum { INDENT = 2 };

struct flow_values {
	struct common_values common;
	const char *event;
	bool is_dot;
};

#define AT(member) offsetof(struct flow_values, member)

static const struct option_row options[] = {
	{ .name = "event",
		.argument = "EVENT",
		.kind = OPTION_TEXT,
		.offset = AT(event),
		.help = "only the chain that starts with this event" },
	{ .name = "dot", .kind = OPTION_FLAG, .offset = AT(is_dot), .help = "a graph for graphviz" },
	{ 0 },
};

/* A tree that is being printed. */
struct tree {
	const json_t *graph;
	json_t *shown; /* names of events whose consequences are printed already, as members */
	struct buffer line;
};

static void add_words(struct buffer *line, const json_t *words)
{
	for (size_t i = 0; i < json_array_size(words); i++)
		buffer_print(line, "%s%s", i == 0 ? "" : ", ", json_string_value(json_array_get(words, i)));
}

/* Only those who emit it because of `cause`; all, where it is the root. */
static void add_emitters(struct buffer *line, const json_t *event, const char *cause)
{
	const json_t *emitters = json_object_get(event, "emitters");
	const char *comma = "";
	for (size_t i = 0; i < json_array_size(emitters); i++) {
		const char *emitter = json_string_value(json_array_get(emitters, i));
		if (cause != NULL && !graph_causes(event, emitter, cause))
			continue;
		buffer_print(line, "%s%s", comma, emitter);
		comma = ", ";
	}
}

static bool has_consequences(const json_t *graph, const json_t *event)
{
	const json_t *events = json_object_get(graph, "events");
	for (size_t i = 0; i < json_array_size(events); i++)
		if (graph_follows(json_array_get(events, i), graph_name(event)))
			return true;
	return false;
}

/* False: what follows from it stands further up, or nothing does. */
static bool print_event(struct tree *tree, const json_t *event, const char *cause, int depth)
{
	const char *name = graph_name(event);
	bool is_known = json_object_get(tree->shown, name) != NULL,
		 has_more = has_consequences(tree->graph, event);
	buffer_reset(&tree->line);
	buffer_print(&tree->line, "%*s%s: ", depth * INDENT, "", name);
	add_emitters(&tree->line, event, cause);
	buffer_add_text(&tree->line, " -> ");
	add_words(&tree->line, json_object_get(event, "consumers"));
	printf("%s%s\n", buffer_text(&tree->line), is_known && has_more ? " ..." : "");
	json_object_set_new(tree->shown, name, json_true());
	return has_more && !is_known;
}

/* Ends where everything is shown: an event's consequences are printed once. */
static void print_tree(struct tree *tree, const json_t *event, const char *cause, int depth)
{
	if (!print_event(tree, event, cause, depth))
		return;
	const json_t *events = json_object_get(tree->graph, "events");
	for (size_t i = 0; i < json_array_size(events); i++)
		if (graph_follows(json_array_get(events, i), graph_name(event)))
			print_tree(tree, json_array_get(events, i), graph_name(event), depth + 1);
}

static void print_forest(struct tree *tree)
{
	const json_t *events = json_object_get(tree->graph, "events");
	for (size_t i = 0; i < json_array_size(events); i++)
		if (graph_is_start(json_array_get(events, i)))
			print_tree(tree, json_array_get(events, i), NULL, 0);
	printf("timer\n");
	for (size_t i = 0; i < json_array_size(events); i++)
		if (graph_follows(json_array_get(events, i), "timer"))
			print_tree(tree, json_array_get(events, i), "timer", 1);
}

static void print_text(const json_t *graph, const char *name)
{
	struct tree tree = { .graph = graph, .shown = json_object() };
	buffer_init(&tree.line);
	if (name != NULL)
		print_tree(&tree, graph_event(graph, name), NULL, 0);
	else
		print_forest(&tree);
	buffer_clear(&tree.line);
	json_decref(tree.shown);
}

static void print_json(const json_t *graph, const json_t *events)
{
	json_t *result = json_pack("{s:O, s:O}", "users", json_object_get(graph, "users"), "events", events);
	json_dumpf(result, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(result);
}

static void print_flow(const struct flow_values *values, const json_t *graph, const json_t *events)
{
	if (values->is_dot)
		dot_print(events, stdout);
	else if (strcmp(values->common.format, "json") == 0)
		print_json(graph, events);
	else
		print_text(graph, values->event);
}

static enum ending run_flow(const void *values, const struct positionals *positionals)
{
	const struct flow_values *flow = values;
	if (positionals->count > 0) {
		fprintf(stderr, "%s: flow takes options alone; write --event %s\n", positionals->items[0],
			positionals->items[0]);
		return ENDING_FAULT;
	}
	json_t *graph = graph_load();
	bool is_known = flow->event == NULL || graph_event(graph, flow->event) != NULL;
	json_t *events = NULL;
	if (!is_known)
		fprintf(stderr, "--event: the contract has no event \"%s\"; `carebus flow` shows them all\n",
			flow->event);
	else if (flow->event != NULL)
		events = graph_reach(graph, flow->event);
	else
		events = json_incref(json_object_get(graph, "events"));
	if (is_known)
		print_flow(flow, graph, events);
	json_decref(events);
	json_decref(graph);
	return is_known ? ENDING_DONE : ENDING_FAULT;
}

const struct command command_flow = {
	.name = "flow",
	.summary = "who emits which event to whom, by the contract",
	.arguments = "",
	.details =
		"Prints the contract that this program was built from; no server is asked. A line is `event: who emits it -> who\n"
		"hears it`; below it stands what the hearers emit because of it. `...` ends a line whose consequences stand further\n"
		"up. `feed` are people who watch, `views` what is kept for reading, `asker` who put the question; what workers emit\n"
		"by the clock stands below `timer`.\n"
		"Exit: 0 printed, 2 there is no such event.\n",
	.examples = "  carebus flow\n"
				"  carebus flow --event hospital.blood.request\n"
				"  carebus flow --event hospital.blood.cancel --dot | dot -Tsvg > cancel.svg\n"
				"  carebus flow -o json\n",
	.options = options,
	.values_bytes = sizeof(struct flow_values),
	.run = run_flow,
};
