/* The rules as shipped. */
#include "rules.h"

#include "clock.h"

const struct rules rules_default = {
	.offer_us = HOURS_US(1) / 4,
	.missed_us = 0,
	.slots_max = 4096,
	.period_days = 366,
	.ahead_days = 732,
};
