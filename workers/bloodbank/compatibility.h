/* Which donor groups a recipient may be given, and in which order of preference. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "events.h"
#include "recipient.h"
#include "rules.h"

/* One group of donors, seen from one recipient. */
struct donor {
	int32_t rank;        /* 0 = first choice */
	uint32_t attributes; /* a unit of this group must carry these as well; may be waived in an emergency */
	uint32_t strict_attributes; /* these too, and never waived */
	bool is_compatible;
	bool is_rhd_mismatch; /* D+ for a recipient who should get D-: needs a concession or an override */
	bool
		is_abo_mismatch; /* its plasma meets the recipient's red cells: only in an emergency, with a warning */
};

struct compatibility {
	struct donor donors[BLOOD_GROUPS]; /* by the donor's group */
};

/* Fills the table for a recipient; a neonate's mother is heeded. Source: the tables in `rules`. */
void compatibility_find(const struct rules *rules, const struct recipient *recipient,
	enum component component, struct compatibility *out);

/* The parts of a group. UNKNOWN has ABO_UNKNOWN and is not D positive. */
enum abo group_abo(enum blood_group group);
bool group_is_d_positive(enum blood_group group);
