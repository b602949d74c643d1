/* All worlds that can be reached within limits, breadth first: the first wrong one is reached by as few steps as any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "world.h"

enum { PATH_MAX_STEPS = 128 };

struct path_step {
	uint8_t kind, argument;
};

struct exploration {
	size_t worlds, steps;
	size_t depth; /* of the last world */
	bool is_wrong;
	bool is_complete;                      /* not ended by `worlds_max` */
	struct path_step path[PATH_MAX_STEPS]; /* to the wrong one */
	size_t path_length;
};

struct exploration explore(const struct limits *limits, size_t worlds_max);
