/* Opening a connection again after a failure: full jitter, so that many do not come back at once. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { BACKOFF_MIN_MS = 200, BACKOFF_MAX_MS = 10000 };

/* Zeroed: due at once. */
struct backoff {
	int64_t next_ms;   /* clock_steady_ms; not before */
	unsigned failures; /* in a row */
};

/* The next try comes after a random time between BACKOFF_MIN_MS and its double for each failure, at most `most_ms`. */
void backoff_failed(struct backoff *backoff, int64_t most_ms);
void backoff_succeeded(struct backoff *backoff);
bool backoff_is_due(const struct backoff *backoff);
