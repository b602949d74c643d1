/* The list of a provider's slots of one day, and the one place where it is read. */
#pragma once

#include "worker.h"

/* Fills `list` (its provider_id and date are the question): version, slots. DONE also where nothing was published for the day. */
enum outcome day_load(struct appointment_slots_answered *list, struct database *database, struct arena *arena,
	struct why *why);
