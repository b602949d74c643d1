/* The bank's answer to a request: what is reserved for it, or why nothing is. PURE. */
#pragma once

#include <stdbool.h>

#include "message.h"
#include "outbox.h"
#include "state.h"

/* A request that was never seen: decided now, or scheduled. */
void decide_new_request(struct state *state, struct request *request, struct outbox *outbox);

/* A scheduled request whose time has come. */
void decide_due_request(struct state *state, struct request *request, struct outbox *outbox);

/* More for a request that waits; false when there was nothing for it, and nothing changed. */
bool decide_more(struct state *state, struct request *request, struct outbox *outbox);

/* A request that was decided before: the same answers once more. */
void repeat_decisions(const struct request *request, struct outbox *outbox);
