/* PURE. What an answer of the HTTP door means to a person: its problem (RFC 9457) as what, why and what to do. */
#pragma once

#include <jansson.h>

#include "buffer.h"
#include "command.h"

struct problem {
	long status;        /* of HTTP */
	const json_t *body; /* decoded; NULL = none, or no JSON */
	long retry_after_s; /* 0 = was not said */
};

/* Done for 2xx; the answer is no where state, permission or the contract forbids it; a fault where the caller or the world is in the way. */
enum ending problem_ending(long status);

/* Adds lines of text; `what` was tried: "cancelling 1f..". */
void problem_write(const struct problem *problem, const char *what, struct buffer *out);
