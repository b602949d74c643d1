/* The rules to ship. */
#include "rules.h"

#define ANY_ABO { ABO_O, ABO_A, ABO_B, ABO_AB }

#define PLASMA_DONORS                                      \
	{                                                  \
		[ABO_O] = ANY_ABO,                         \
		[ABO_A] = { ABO_A, ABO_AB },               \
		[ABO_B] = { ABO_B, ABO_AB },               \
		[ABO_AB] = { ABO_AB },                     \
		[ABO_UNKNOWN] = { ABO_AB },                \
	}

const struct rules rules_default = {
	.version = "carebus-2026-11",
	.source = "defaults of Carebus after AABB Standards, 21 CFR 606 and 610, and BSH guidelines; to be reviewed by "
		  "each transfusion service",
	.effective_from = "2026-11-01",

	.donors = {
		[COMPONENT_RED_CELLS] = {
			[ABO_O] = { ABO_O },
			[ABO_A] = { ABO_A, ABO_O },
			[ABO_B] = { ABO_B, ABO_O },
			[ABO_AB] = { ABO_AB, ABO_A, ABO_B, ABO_O },
			[ABO_UNKNOWN] = { ABO_O },
		},
		[COMPONENT_WHOLE_BLOOD] = {
			[ABO_O] = { ABO_O },
			[ABO_A] = { ABO_A },
			[ABO_B] = { ABO_B },
			[ABO_AB] = { ABO_AB },
		},
		[COMPONENT_PLASMA] = PLASMA_DONORS,
		[COMPONENT_CRYO] = PLASMA_DONORS,
		[COMPONENT_PLATELETS] = {
			[ABO_O] = ANY_ABO,
			[ABO_A] = { ABO_A, ABO_AB, ABO_B, ABO_O },
			[ABO_B] = { ABO_B, ABO_AB, ABO_A, ABO_O },
			[ABO_AB] = { ABO_AB, ABO_A, ABO_B, ABO_O },
			[ABO_UNKNOWN] = { ABO_A, ABO_AB, ABO_B, ABO_O },
		},
	},
	.emergency_donors = {
		[COMPONENT_PLASMA] = { [ABO_AB] = ABO_A, [ABO_UNKNOWN] = ABO_A },
		[COMPONENT_CRYO] = { [ABO_AB] = ABO_A, [ABO_UNKNOWN] = ABO_A },
	},
	.rhd = {
		[COMPONENT_RED_CELLS] = RHD_MATTERS,
		[COMPONENT_WHOLE_BLOOD] = RHD_MATTERS,
		[COMPONENT_PLASMA] = RHD_IGNORED,
		[COMPONENT_CRYO] = RHD_IGNORED,
		[COMPONENT_PLATELETS] = RHD_PREFERRED,
	},
	.low_titre_o_whole_blood = false,

	.neonate_days = 120,
	.child_years = 18,
	.male_protected_years = 18,
	.female_protected_years = 50,
	/* plasma and cryo hold no cells; platelets no red cells worth a K or an HbS type */
	.neonate_attributes = {
		[COMPONENT_RED_CELLS] = ATTRIBUTE_BIT(ATTRIBUTE_CMV_NEGATIVE) | ATTRIBUTE_BIT(ATTRIBUTE_K_NEGATIVE) |
			ATTRIBUTE_BIT(ATTRIBUTE_HBS_NEGATIVE),
		[COMPONENT_WHOLE_BLOOD] = ATTRIBUTE_BIT(ATTRIBUTE_CMV_NEGATIVE) | ATTRIBUTE_BIT(ATTRIBUTE_K_NEGATIVE) |
			ATTRIBUTE_BIT(ATTRIBUTE_HBS_NEGATIVE),
		[COMPONENT_PLATELETS] = ATTRIBUTE_BIT(ATTRIBUTE_CMV_NEGATIVE),
	},
	.blind_o_negative_limit = 2,

	.attribute_penalty = {
		[ATTRIBUTE_IRRADIATED] = 4,
		[ATTRIBUTE_CMV_NEGATIVE] = 2,
		[ATTRIBUTE_K_NEGATIVE] = 1,
		[ATTRIBUTE_WASHED] = 8,
		[ATTRIBUTE_HBS_NEGATIVE] = 2,
		[ATTRIBUTE_HT_NEGATIVE] = 1,
	},
	.group_penalty = {
		[COMPONENT_RED_CELLS] = { [BLOOD_GROUP_O_NEGATIVE] = 8 },
		[COMPONENT_WHOLE_BLOOD] = { [BLOOD_GROUP_O_NEGATIVE] = 8 },
		[COMPONENT_PLATELETS] = {
			[BLOOD_GROUP_O_NEGATIVE] = 2,
			[BLOOD_GROUP_A_NEGATIVE] = 2,
			[BLOOD_GROUP_B_NEGATIVE] = 2,
			[BLOOD_GROUP_AB_NEGATIVE] = 2,
		},
	},
	.unmet_penalty = 32,
	.designated_penalty = -64,
	.floors = { [COMPONENT_RED_CELLS] = { [BLOOD_GROUP_O_NEGATIVE] = 4, [BLOOD_GROUP_O_POSITIVE] = 4 } },

	.reservation_us = 72 * ONE_HOUR,
	.schedule_ahead_us = 48 * ONE_HOUR,
	.past_tolerance_us = ONE_MINUTE,
	.short_dated_us = {
		[COMPONENT_RED_CELLS] = 24 * ONE_HOUR,
		[COMPONENT_WHOLE_BLOOD] = 24 * ONE_HOUR,
		[COMPONENT_PLASMA] = 4 * ONE_HOUR,
		[COMPONENT_CRYO] = 2 * ONE_HOUR,
		[COMPONENT_PLATELETS] = 12 * ONE_HOUR,
	},
	.ageing_us = 24 * ONE_HOUR,
	.priority_level = {
		[URGENCY_EMERGENCY] = 0,
		[URGENCY_URGENT] = 1,
		[URGENCY_ROUTINE] = 2,
		[URGENCY_REPLENISHMENT] = 3,
	},
	.rhd_override = "rhd_mismatch",
	.antigen_override = "antigen_negative",
};
