/* A provider's day: what its list of slots is called, as a key of caches and, behind the word "day", as a lock. */
#pragma once

#include "state.h"

const char *day_key(const char *provider_id, const char *date, struct arena *arena);

/* The days whose lists changed since they were loaded, each once, by its key: one of its slots. In the state's arena. */
void days_changed(const struct state *state, struct table *days);
