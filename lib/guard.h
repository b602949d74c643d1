/*
 * The guards of the coherent cache, each of which a test may switch off to see what it is for: the explorer of tests/model, and
 * with GUARD_OFF=<name>[,<name>...] a running program. Compiled in by the build option crash_points only; otherwise each is on,
 * at no cost.
 */
#pragma once

#include <stdbool.h>

/* The list: X(NAME, "name"). What each one says stands where it is asked for. */
#define GUARD_LIST(X) \
	X(GUARD_GENERATION, "generation") \
	X(GUARD_FLOOR, "floor") \
	X(GUARD_ABOVE, "above") \
	X(GUARD_RAISE, "raise") \
	X(GUARD_DROP, "drop") \
	X(GUARD_LEASE, "lease") \
	X(GUARD_LEASE_SHARED, "lease_shared") \
	X(GUARD_LEASE_START, "lease_start") \
	X(GUARD_MATCH, "match") \
	X(GUARD_FORGET, "forget") \
	X(GUARD_JOIN, "join") \
	X(GUARD_AWAIT, "await") \
	X(GUARD_WRITE_ID, "write_id") \
	X(GUARD_FENCE, "fence") \
	X(GUARD_FENCE_WAIT, "fence_wait") \
	X(GUARD_FENCED_FOUND, "fenced_found") \
	X(GUARD_MARGIN, "margin")

#define GUARD_NUMBER(name, text) name,
enum guard { GUARD_LIST(GUARD_NUMBER) GUARD_COUNT };
#undef GUARD_NUMBER

const char *guard_name(enum guard guard);

#if defined(CRASH_POINTS) || defined(GUARD_SWITCHES)
bool guard_is_on(enum guard guard);

/* Switches one off, or all on again with GUARD_COUNT; of this process alone. */
void guard_switch_off(enum guard guard);
#else
static inline bool guard_is_on(enum guard guard)
{
	(void)guard;
	return true;
}
#endif
