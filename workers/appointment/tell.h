/* The events that tell what became of slots, appointments and entries. The same version always has the same id and bytes. */
#pragma once

#include "state.h"

void tell_held(const struct slot *slot, struct outbox *outbox);
void tell_released(const struct slot *slot, enum appointment_slot_released_reason reason,
	const struct origin *origin, struct outbox *outbox);
void tell_offered(const struct slot *slot, const struct entry *entry, struct outbox *outbox);

/* `event` is one that has an appointment as its body, or `moved`. */
void tell_booking(const struct booking *booking, enum event event, struct arena *arena,
	struct outbox *outbox);
void tell_moved(const struct booking *booking, const struct slot *from, const char *by, struct arena *arena,
	struct outbox *outbox);

void tell_joined(const struct entry *entry, struct outbox *outbox);
void tell_left(const struct entry *entry, struct outbox *outbox);

/* The offer of this slot is over: it was declined, or nobody answered. */
void tell_offer_ended(const struct entry *entry, const struct slot *slot, enum event event,
	struct outbox *outbox);
