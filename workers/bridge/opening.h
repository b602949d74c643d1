/*
 * A connection that is opened by a thread of its own: opening waits, for a name, a handshake, an answer, and the loop must not. Until
 * opening_take nobody else touches the connection.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "outcome.h"

typedef bool open_fn(void *connection, struct why *why);

struct opening {
	open_fn *open;
	void *connection;
	int wake_socket; /* an eventfd that gets a 1 when it is done */
	pthread_t thread;
	atomic_bool is_done;
	bool is_running; /* the connection is the thread's */
	bool is_open;    /* what came of it */
	struct why why;
};

void opening_init(struct opening *opening, open_fn *open, void *connection, int wake_socket);

/* Begins; must not be running. */
void opening_start(struct opening *opening);

/* Whether one has ended since it was started: the connection is the caller's again. `is_open` says what came of it, and `why`. */
bool opening_take(struct opening *opening, bool *is_open, struct why *why);

/* Waits for the one that runs, if any. */
void opening_end(struct opening *opening);
