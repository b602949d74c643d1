/* What becomes of an emergency that nobody acknowledged: once, somebody else is told. */
#pragma once

#include "audience.h"

/* The notification to the supervisor, whether or not it is time yet. */
struct notice *escalation_notice(const struct notice *notice, const struct rules *rules, int64_t now,
	struct arena *arena);

bool escalation_is_due(const struct notice *notice, int64_t now);
