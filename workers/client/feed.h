/* A temporary queue that hears what goes over the bus, for one program that watches. */
#pragma once

#include "address.h"
#include "events.h"
#include "management.h"

struct feed {
	struct management *management;
	char name[80]; /* of the queue */
};

/* Hears `events` (ends with EVENT_NONE), on both lanes. `watcher` is the AMQP address of who consumes; the management address may lack credentials: then the watcher's are used. */
bool feed_open(struct feed *feed, const struct address *management, const struct address *watcher,
	const enum event events[], struct why *why);

/* The same by routing keys; `keys` ends with NULL. */
bool feed_open_keys(struct feed *feed, const struct address *management, const struct address *watcher,
	const char *const keys[], struct why *why);

/* Deletes the queue. A feed that was never opened is accepted. */
void feed_close(struct feed *feed);
