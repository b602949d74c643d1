/*
 * A second allocator, slow and plain: it looks at every bag, sorts all that may be used by the total order, and takes
 * from the front. Nothing of it is shared with the first one but the numbers of the rules.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sourcing.h"
#include "world.h"

struct reference {
	const struct world *world;
	bool is_taken[WORLD_UNITS_MAX];
};

/* Decides the world's wanted request, marks what it takes, and answers as world_allocate does. */
const char *reference_allocate(struct reference *reference, struct arena *arena);
