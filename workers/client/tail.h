/* The events that pass by, one line each, for people or for programs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "broker.h"
#include "sieve.h"
#include "uuid.h"

enum { TAIL_RECENT_MAX = 1024 }; /* more than may be delivered and not acknowledged */

struct tail {
	struct sieve sieve;
	bool is_json;
	bool has_color;
	size_t wanted;                                 /* events; 0 = no end */
	size_t seen;                                   /* that passed the sieve */
	bool is_over;                                  /* as many as wanted, or nobody reads any more */
	char recent[TAIL_RECENT_MAX][UUID_TEXT_BYTES]; /* message ids, to know what is delivered twice; a ring */
	size_t recent_next;
};

/* Prints the event when it passes the sieve; frees the delivery. A session_hear_fn whose owner is the tail. */
void tail_hear(void *owner, struct delivery *delivery);
