/* Hears the decisions on a load's requests from the feed. */
#pragma once

#include <poll.h>

#include "connections.h"
#include "schedule.h"

struct hearer;

/* NULL: the feed could not be opened. `connections` must outlive it. */
struct hearer *hearer_new(const struct connections *connections, struct schedule *schedule, struct why *why);
void hearer_free(struct hearer *hearer);

/* Hears what is there; comes back to a broker that was gone. Never waits longer than an opening. */
void hearer_serve(struct hearer *hearer);
struct pollfd hearer_socket(const struct hearer *hearer);
bool hearer_has_pending(const struct hearer *hearer);
