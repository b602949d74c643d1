/* Walks over the generated JSON: some fifty events, so every question is a walk over all of them. */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

#include "topology_data.h"

json_t *graph_load(void)
{
	json_t *graph = json_loads(flow_text, 0, NULL);
	if (graph == NULL)
		abort();
	return graph;
}

const char *graph_name(const json_t *event)
{
	return json_string_value(json_object_get(event, "event"));
}

json_t *graph_event(const json_t *graph, const char *name)
{
	const json_t *events = json_object_get(graph, "events");
	for (size_t i = 0; i < json_array_size(events); i++)
		if (strcmp(graph_name(json_array_get(events, i)), name) == 0)
			return json_array_get(events, i);
	return NULL;
}

static bool has_word(const json_t *list, const char *word)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), word) == 0)
			return true;
	return false;
}

bool graph_has(const json_t *event, const char *list, const char *word)
{
	return has_word(json_object_get(event, list), word);
}

bool graph_causes(const json_t *event, const char *worker, const char *cause)
{
	return has_word(json_object_get(json_object_get(event, "caused_by"), worker), cause);
}

bool graph_follows(const json_t *event, const char *cause)
{
	const json_t *emitters = json_object_get(event, "emitters");
	for (size_t i = 0; i < json_array_size(emitters); i++)
		if (graph_causes(event, json_string_value(json_array_get(emitters, i)), cause))
			return true;
	return false;
}

bool graph_is_start(const json_t *event)
{
	const json_t *emitters = json_object_get(event, "emitters"),
				 *caused_by = json_object_get(event, "caused_by");
	for (size_t i = 0; i < json_array_size(emitters); i++)
		if (json_object_get(caused_by, json_string_value(json_array_get(emitters, i))) == NULL)
			return true;
	return false;
}

static bool is_among(const json_t *events, const json_t *event)
{
	for (size_t i = 0; i < json_array_size(events); i++)
		if (json_array_get(events, i) == event)
			return true;
	return false;
}

json_t *graph_reach(const json_t *graph, const char *name)
{
	const json_t *events = json_object_get(graph, "events");
	json_t *reached = json_array();
	json_array_append(reached, graph_event(graph, name));
	for (size_t next = 0; next < json_array_size(reached); next++) {
		const char *cause = graph_name(json_array_get(reached, next));
		for (size_t i = 0; i < json_array_size(events); i++) {
			json_t *event = json_array_get(events, i);
			if (graph_follows(event, cause) && !is_among(reached, event))
				json_array_append(reached, event);
		}
	}
	return reached;
}
