/* PURE. Hours of a week as people type them: "1-5=09:00-12:00", "2,4=14:00-17:30". */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "outcome.h"

/* Adds {weekday, from, to} for each of the days (1 = Monday) to the array. False: `why` tells; nothing was added. */
bool weekly_option_read(const char *text, json_t *weekly, struct why *why);
