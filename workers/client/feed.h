/* A temporary queue that hears what goes over the bus, for one program that watches. */
#pragma once

#include "address.h"
#include "management.h"

struct feed {
	struct management *management;
	char name[80]; /* of the queue */
};

/* What the queue is bound to; the list ends with a NULL exchange. */
struct feed_binding {
	const char *exchange;
	const char *routing_key;
};

/* `watcher` is the AMQP address of who consumes; the management address may lack credentials: then the watcher's are used. */
bool feed_open(struct feed *feed, const struct address *management, const struct address *watcher,
	const struct feed_binding bindings[], struct why *why);

/* Deletes the queue. A feed that was never opened is accepted. */
void feed_close(struct feed *feed);
