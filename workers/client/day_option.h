/* PURE. Days as people type them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { DAY_TEXT_BYTES = 11 };

/* "2026-03-01", or from today: "+0d", "+3d"; `ahead` days later, of the calendar of UTC. */
bool day_option_read(const char *text, int64_t now_us, long ahead, char day[DAY_TEXT_BYTES]);
