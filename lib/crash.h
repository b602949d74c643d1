/*
 * Points at which a test may kill the process: numbered, one at every externally visible step. Compiled
 * in by the build option crash_points only; otherwise nothing. CRASH_AT=<name>[:<n>] kills with SIGKILL at
 * the n-th (default 1st) passage. With CRASH_WHILE=<file>, only passages while that file exists are counted.
 */
#pragma once

#include <stdbool.h>

/* The list: X(NAME, "name"). The sweep of tests/nemesis goes through all of them. */
#define CRASH_POINT_LIST(X) \
	X(CRASH_AFTER_READ, "after_read") \
	X(CRASH_AFTER_ATTEMPT, "after_attempt") \
	X(CRASH_AFTER_INBOX, "after_inbox") \
	X(CRASH_AFTER_LOAD, "after_load") \
	X(CRASH_AFTER_DECIDE, "after_decide") \
	X(CRASH_BEFORE_COMMIT, "before_commit") \
	X(CRASH_AFTER_COMMIT, "after_commit") \
	X(CRASH_AFTER_PARK_SENT, "after_park_sent") \
	X(CRASH_AFTER_FIRST_PUBLISH, "after_first_publish") \
	X(CRASH_AFTER_PUBLISH, "after_publish") \
	X(CRASH_AFTER_VIEW, "after_view") \
	X(CRASH_AFTER_CONFIRM, "after_confirm") \
	X(CRASH_AFTER_ACK, "after_ack") \
	X(CRASH_AFTER_SENT_MARK, "after_sent_mark") \
	X(CRASH_AFTER_SWEEP_CLAIM, "after_sweep_claim") \
	X(CRASH_AFTER_TIMER_COMMIT, "after_timer_commit")

#define CRASH_POINT_NUMBER(name, text) name,
enum crash_point { CRASH_POINT_LIST(CRASH_POINT_NUMBER) CRASH_POINT_COUNT };
#undef CRASH_POINT_NUMBER

const char *crash_point_name(enum crash_point point);

#ifdef CRASH_POINTS
void crash_point_pass(enum crash_point point);

/* Whether the next passage kills: what others are to have seen by then can be sent first. */
bool crash_point_is_next(enum crash_point point);
#else
static inline void crash_point_pass(enum crash_point point)
{
	(void)point;
}

static inline bool crash_point_is_next(enum crash_point point)
{
	(void)point;
	return false;
}
#endif
