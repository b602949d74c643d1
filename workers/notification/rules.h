/* The rules of telling as versioned data: how long changes gather, how long an emergency may stay unread, what is kept. */
#pragma once

#include <stdint.h>

struct rules {
	const char *version;
	int64_t digest_window_us; /* changes of a bank's stock are told together, once in this time */
	int64_t
		acknowledge_within_us; /* an emergency that nobody acknowledged in this time goes to the supervisor */
	int64_t
		kept_us; /* older notifications are deleted, and what happened before is history: never told again */
};

/* The rules to ship. */
extern const struct rules rules_default;
