/* Which units a request holds: what follows from its approvals and releases, in whatever order they were heard. */
#pragma once

#include "request.h"

enum { HOLDING_UNITS_MAX = 200, HOLDING_WARNINGS_MAX = 16 }; /* the contract's limits of one description */

/* Adds a fact in its place, or returns false when it is there already. */
bool holding_add_allocation(struct request *request, struct allocation *allocation);
bool holding_add_release(struct request *request, struct release *release);

/* Held units, by allocation and the bank's order. Returns how many; at most HOLDING_UNITS_MAX are written. */
size_t holding_units(const struct request *request, struct allocated_unit units[HOLDING_UNITS_MAX]);

/* The warnings of all approvals, each once. */
size_t holding_warnings(const struct request *request, struct warning warnings[HOLDING_WARNINGS_MAX]);

/* The last release, or NULL. */
const struct release *holding_last_release(const struct request *request);
