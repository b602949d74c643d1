/* The one place where it is decided who gets a slot: for bookings, holds and moves alike. */
#pragma once

#include "state.h"

/* Why the slot cannot be had: by itself, or by who else is where at that time. `self` moves there and does not stand in its own way; NULL: none. */
enum appointment_refusal place_refusal(const struct state *state, const struct slot *slot,
	const struct claim *claim, const struct booking *self);

/* The entry to which the slot is offered and who now takes it is served; call it before the slot changes hands. */
void place_serve(struct state *state, const struct slot *slot, struct outbox *outbox);
