/* PURE. What an event says, on one line for people. */
#pragma once

#include <jansson.h>

#include "events.h"

enum { SUMMARY_MAX = 240 };

/* "" for an event without a summary. `body` may be NULL. */
void summary_write(enum event event, const json_t *body, char summary[SUMMARY_MAX]);

/* The terminal's code for it; NULL: none. */
const char *summary_color(enum event event);
