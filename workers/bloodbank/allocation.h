/* The one allocator for blood units: what a request gets, and why. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "events.h"
#include "rules.h"
#include "shelf.h"
#include "unit.h"
#include "wish.h"

enum { ALLOCATION_WARNINGS_MAX = 8 };

struct allocation {
	enum decision decision;
	enum rejection reason;    /* of a rejection */
	const char *detail;       /* of a rejection, for people; in the arena */
	struct warning *warnings; /* ALLOCATION_WARNINGS_MAX at most; in the arena, as the lists below */
	size_t warnings_count;
	struct unit **chosen;         /* in the order of choice; taken off the shelves */
	struct allocated_unit *units; /* the same, as events show them: reserved_until, match_status filled in */
	size_t units_count;
	int64_t backordered;      /* of what was wanted, what is still missing; 0 when rejected */
	int64_t blind_o_negative; /* how many of the units are O- red cells for an unknown group */
	bool wants_group;         /* more of those than the limit: ask the hospital for the group */
	const char *rules_version;
};

/*
 * Decides one request (or the rest of one) at the time `now` and takes the chosen units off the shelves. Same input,
 * same answer. Sets shelves->wants_more when too little was loaded; the decision is then not to be trusted.
 * A follow-up for which nothing is found is `rejected` here too: its caller leaves it waiting.
 * Source of every rule: `rules`, and "Allocation" in the domain rules.
 */
void allocate(const struct rules *rules, const struct wanted *wanted, struct shelves *shelves, int64_t now,
	struct arena *arena, struct allocation *out);

/* Whether a request is refused whatever the stock is: its time need not come before that is said. */
bool allocation_is_refused(const struct rules *rules, const struct wanted *wanted, int64_t now,
	struct arena *arena);

/*
 * When a request is to be decided: at once, but a scheduled one (needed_at far ahead, no emergency) only
 * rules->schedule_ahead_us before it is needed.
 */
int64_t allocation_due_at(const struct rules *rules, const struct hospital_blood_requested *request,
	int64_t now);

/* How long a unit is kept: min(max(now, needed_at) + reservation, the sample's end, its expiry). */
int64_t allocation_reserved_until(const struct rules *rules, const struct hospital_blood_requested *request,
	int64_t expires_at, int64_t now);
