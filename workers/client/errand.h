/* A command that goes through the HTTP door, and what became of it. */
#pragma once

#include "door.h"

struct errand {
	const char *what; /* is tried: "booking dr-adams.20300304.0900" */
	const char *path;
	json_t *body;    /* taken over; NULL: some text was no UTF-8 */
	const char *key; /* the same key again is the same command; NULL: a new one */
	long wait_s;
};

/* The answer is to be cleared whatever comes back; what stands in the way is told on `faults`. */
enum ending errand_run(struct door *door, const struct errand *errand, struct door_answer *answer,
	FILE *faults);

/* How an answered errand ends: 202 is no answer, unless none was waited for. */
enum ending errand_ending(const struct errand *errand, const struct door_answer *answer);
