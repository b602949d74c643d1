/* PURE. The contract's flow as it was compiled in: who emits which event to whom, and what follows from it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* What flow_text says; see topology_data.h for its members. Owned by the caller. */
json_t *graph_load(void);

/* NULL: no event is called so. */
json_t *graph_event(const json_t *graph, const char *name);

/* The event's name, and whether a list of it (emitters, consumers, keys) has the word. */
const char *graph_name(const json_t *event);
bool graph_has(const json_t *event, const char *list, const char *word);

/* Whether `worker` emits it because of `cause`, an event or "timer". */
bool graph_causes(const json_t *event, const char *worker, const char *cause);

/* Whether anybody emits it because of `cause`. */
bool graph_follows(const json_t *event, const char *cause);

/* Whether a person or a system outside may start with it. */
bool graph_is_start(const json_t *event);

/* The events that may follow from `name`, itself first, each once, in the order in which they are reached. Owned by the caller. */
json_t *graph_reach(const json_t *graph, const char *name);
