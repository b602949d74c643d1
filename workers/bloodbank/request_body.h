/* A request as text: how it is kept, and how a repeated one is told from a different one. PURE. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "events.h"
#include "outcome.h"

/* Canonical JSON of what is asked for. The sender's time and version are left out: they may differ in a repetition. */
const char *request_body_write(const struct hospital_blood_requested *asked, struct arena *arena);

/* False: `why` tells what is wrong with it. */
bool request_body_read(const char *body, struct arena *arena, const struct hospital_blood_requested **out,
	struct why *why);

/* Whether a kept body asks for the same; one that was written by an older edition of the schema is brought up to date first. */
bool request_body_is_same(const char *kept, const char *body, struct arena *arena);
