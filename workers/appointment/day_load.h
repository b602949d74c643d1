/* The list of a provider's slots of one day, and the one place where it is read. */
#pragma once

#include "worker.h"

struct day {
	struct appointment_slots_answered *list; /* its provider_id and date are the question */
	int64_t horizon_days; /* how far ahead the provider can be booked; -1: nothing was published for them */
};

/*
 * Fills `day`: version, slots, certificate. DONE also where nothing was published for the day. Outside of any transaction: the list is what
 * the database shows at that moment.
 */
enum outcome day_load(struct day *day, struct database *database, struct arena *arena, struct why *why);
