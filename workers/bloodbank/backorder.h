/* Back-orders: what waits is filled when stock arrives or comes back. PURE. */
#pragma once

#include "outbox.h"
#include "state.h"

/* Serves the waiting requests for a component in the order of their priority, through the one allocator. */
void backorders_fill(struct state *state, enum component component, struct outbox *outbox);
