/* The rules of allocation as versioned data: another edition is another table. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "attribute.h"
#include "events.h"
#include "shelf_life.h"

/* Spans of time, in microseconds. */
#define ONE_SECOND INT64_C(1000000)
#define ONE_MINUTE (60 * ONE_SECOND)
#define ONE_HOUR (60 * ONE_MINUTE)
#define ONE_DAY (24 * ONE_HOUR)

enum {
	COMPONENTS = COMPONENT_PLATELETS + 1,
	BLOOD_GROUPS = BLOOD_GROUP_UNKNOWN + 1,
	URGENCIES = URGENCY_REPLENISHMENT + 1,
};

enum abo { ABO_NONE, ABO_O, ABO_A, ABO_B, ABO_AB, ABO_UNKNOWN, ABOS };

/* What RhD means for a component. */
enum rhd {
	RHD_IGNORED,
	RHD_MATTERS,   /* D+ cells for a D- recipient are a mismatch */
	RHD_PREFERRED, /* D- comes first for those whom D would harm most; never a ban */
};

/* Where stock gets low, and critical: below so much of it. */
struct stock_limits {
	int64_t low, critical;
	bool is_critical_reached; /* exactly so much is critical too */
};

struct rules {
	const char *version;
	const char *source;         /* where the numbers come from */
	const char *effective_from; /* ISO date */

	enum abo donors[COMPONENTS][ABOS][4];        /* by recipient, in order of preference */
	enum abo emergency_donors[COMPONENTS][ABOS]; /* one more, in an emergency, with a warning */
	enum rhd rhd[COMPONENTS];
	bool low_titre_o_whole_blood; /* low-titre O whole blood for any group, unknown included */

	int64_t neonate_days;         /* younger than this is a neonate */
	int64_t child_years;          /* younger than this is a child */
	int64_t male_protected_years; /* up to and including this age D is kept from males */
	int64_t female_protected_years;
	uint32_t neonate_attributes[COMPONENTS];
	int64_t blind_o_negative_limit; /* units per patient of unknown group, before a warning */

	int32_t attribute_penalty[ATTRIBUTES];           /* a unit that has it for a request that needs it not */
	int32_t group_penalty[COMPONENTS][BLOOD_GROUPS]; /* a scarce group for a recipient of another */
	int32_t unmet_penalty;                           /* each attribute that had to be waived */
	int32_t designated_penalty;                      /* a unit designated for this very patient: negative */
	int64_t floors[COMPONENTS][BLOOD_GROUPS];        /* units kept for emergency and urgent requests */

	struct stock_limits demand_limits[COMPONENTS]; /* in hours that the stock lasts; 0: no such limit */
	struct stock_limits unit_limits[COMPONENTS][BLOOD_GROUPS]; /* in units, whatever the demand */
	int64_t recovery_percent; /* of a limit: so much ends what falling below it began */

	int64_t reservation_us;
	int64_t schedule_ahead_us;          /* scheduled requests are allocated this long before needed_at */
	int64_t past_tolerance_us;          /* needed_at may lie this far back and still mean "now" */
	int64_t short_dated_us[COMPONENTS]; /* a unit that expires so soon after its use is warned of */
	int64_t ageing_us;                  /* waiting this long lifts a request by one level ... */
	int32_t priority_level[URGENCIES];  /* ... of these; 0 is the emergencies' alone */
	const struct life *lives;           /* of products; the shortest that applies counts */
	size_t lives_count;
	const char *rhd_override; /* codes of overrides */
	const char *antigen_override;
};

/* The rules to ship. */
extern const struct rules rules_default;
