/* Periods that commands name: what they mean in time, and whether they make sense. */
#pragma once

#include "recurrence.h"
#include "rules.h"

struct period {
	int64_t from_at, to_at; /* half open */
};

/* The days of a publication, widened by a day at each end: wall time is never further from UTC. False: it has no sense. */
bool period_of_publish(const struct appointment_schedule_publish *command, const struct rules *rules,
	int64_t now, struct period *period);

/* False: it ends before it begins, is over, lasts too long, or lies too far ahead. */
bool period_of_block(const struct appointment_schedule_block *command, const struct rules *rules, int64_t now,
	struct period *period);

struct recurrence period_recurrence(const struct appointment_schedule_publish *command);
