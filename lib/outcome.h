/* What to do with a message: the outcome is the instruction to the broker. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

enum {
	WHY_TEXT_MAX = 320,
	WHY_REASON_MAX = 48,
};

enum outcome {
	DONE,   /* commit, publish, acknowledge */
	RETRY,  /* the world's fault: the machine waits and runs it again */
	REJECT, /* the message itself is at fault: parked */
	STOP,   /* our own fault: the process ends, loudly */
};

/* The reason behind an outcome; a fixed buffer owned by the caller. */
struct why {
	char reason[WHY_REASON_MAX]; /* a code for machines, e.g. "schema"; empty when none was given */
	char text[WHY_TEXT_MAX];     /* what happened, with the value; lower case, no full stop */
};

/* The outcome's name in lower case, for logs and metrics. */
const char *outcome_name(enum outcome outcome);

/* Fills `why` and returns the outcome of the same name; `reason` may be NULL (keeps the one that is there). */
enum outcome reject(struct why *why, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
enum outcome retry(struct why *why, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
enum outcome stop(struct why *why, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Fills `why` alone, for functions that return bool; always false. */
bool because(struct why *why, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
