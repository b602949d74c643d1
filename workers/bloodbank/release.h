/* The end of reservations, whatever ended them: units go back to the shelves, and the request that held them is told. PURE. */
#pragma once

#include <stddef.h>

#include "outbox.h"
#include "state.h"

/* Sets a reserved or available unit free: available to anyone, or expired when its own time is over. */
void release_unit(struct state *state, struct bag *bag);

void send_expired(const struct bag *bag, struct outbox *outbox, const struct origin *origin);

/* Ends the reservations of `bags`, which the request holds, in one event; there is at least one. */
void release_held(struct state *state, struct request *request, struct bag *const bags[], size_t count,
	enum release_reason reason, struct outbox *outbox);
