/* The order in which waiting requests are served. */
#pragma once

#include <stdint.h>

#include "events.h"
#include "rules.h"

struct waiting {
	enum urgency urgency;
	int64_t asked_at; /* when the request was first decided; a replaced unit keeps it */
	const char *request_id;
};

/* Level 0 is the emergencies'; waiting lifts all others step by step, to level 1 at most. */
int32_t priority_level(const struct rules *rules, const struct waiting *waiting, int64_t now);

/* Negative when `a` is served before `b`; 0 only for the same request. */
int priority_compare(const struct rules *rules, const struct waiting *a, const struct waiting *b,
	int64_t now);
