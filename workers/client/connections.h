/* Where the bus is, as the environment says. */
#pragma once

#include <stdbool.h>

#include "address.h"
#include "settings.h"

struct connections {
	struct address upstream;   /* CAREBUS_AMQP: who publishes */
	struct address watcher;    /* CAREBUS_AMQP_ADMIN: who watches */
	struct address management; /* CAREBUS_MANAGEMENT */
	bool has_watcher;          /* both of the latter were given */
};

enum connections_needed { CONNECTIONS_UPSTREAM = 1, CONNECTIONS_WATCHER = 2, CONNECTIONS_MANAGEMENT = 4 };

/* Reads what is `needed` (bits) and, where it is set, the rest. Faults go to stderr, a line each. */
bool connections_read(struct connections *connections, unsigned needed);
void connections_clear(struct connections *connections);

/* What is read, for those who explain it. */
const struct setting *connections_settings(void);
