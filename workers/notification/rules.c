/* The rules to ship. */
#include "rules.h"

#include "clock.h"

#define MINUTES_US(n) (60 * MICROSECONDS_PER_SECOND * (n))

const struct rules rules_default = {
	.version = "carebus-2026-11",
	.digest_window_us = MINUTES_US(15),
	.acknowledge_within_us = MINUTES_US(5),
	.kept_us = DAYS_US(90),
};
