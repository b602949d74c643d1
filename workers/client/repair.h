/* Makes what a broker lacks. Nothing is ever deleted. */
#pragma once

#include <stdbool.h>

#include "difference.h"
#include "management.h"

/* Whether `repair` can end such a difference: users have passwords, and what is there otherwise may hold messages. */
bool repair_is_possible(const struct part *part, enum difference_kind kind);

/* What is to be done about it otherwise. */
const char *repair_advice(const struct part *part, enum difference_kind kind);

/* Makes the thing as the contract wants it. */
bool repair(struct management *management, const struct part *part, const json_t *expected, struct why *why);
