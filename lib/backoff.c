/* Full jitter: a random time between the minimum and the doubled one. */
#include "backoff.h"

#include <stdlib.h>

#include "clock.h"

enum { DOUBLINGS_MAX = 6 };

void backoff_failed(struct backoff *backoff, int64_t most_ms)
{
	unsigned doublings = backoff->failures < DOUBLINGS_MAX ? backoff->failures : DOUBLINGS_MAX;
	int64_t limit_ms = (int64_t)BACKOFF_MIN_MS << doublings;
	if (limit_ms > most_ms)
		limit_ms = most_ms;
	backoff->failures++;
	backoff->next_ms = clock_steady_ms() + BACKOFF_MIN_MS
		+ (int64_t)arc4random_uniform((uint32_t)(limit_ms - BACKOFF_MIN_MS + 1));
}

void backoff_succeeded(struct backoff *backoff)
{
	backoff->failures = 0;
}

bool backoff_is_due(const struct backoff *backoff)
{
	return clock_steady_ms() >= backoff->next_ms;
}
