/* Numbers that a deployment may want to change. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rules {
	int64_t offer_us;    /* that long a slot is kept for one who waits */
	int64_t missed_us;   /* that long after its end a visit to which nobody came is missed */
	size_t slots_max;    /* that one publication may bring */
	int64_t period_days; /* that a publication or an absence may last */
	int64_t ahead_days;  /* that they may lie ahead */
};

extern const struct rules rules_default;
