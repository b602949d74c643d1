/* Slots that become free are offered to those who wait, in order; each is kept for one of them for a time. */
#pragma once

#include "state.h"

/* Offers a free slot to the first who would take it. Nobody: it stays free. */
void offer_next(struct state *state, struct slot *slot, struct outbox *outbox);

/* The offer is over without a booking: the patient goes on waiting, and the next one is asked. `event` tells how. */
void offer_end(struct state *state, struct slot *slot, struct entry *entry, enum event event,
	struct outbox *outbox);
