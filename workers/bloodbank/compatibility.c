/* Compatibility: the ABO tables of the rules, RhD, and the mother of a neonate. */
#include "compatibility.h"

#include "attribute.h"

enum { DONORS_MAX = 4 };

enum abo group_abo(enum blood_group group)
{
	static const enum abo parts[BLOOD_GROUPS] = {
		[BLOOD_GROUP_O_NEGATIVE] = ABO_O,
		[BLOOD_GROUP_O_POSITIVE] = ABO_O,
		[BLOOD_GROUP_A_NEGATIVE] = ABO_A,
		[BLOOD_GROUP_A_POSITIVE] = ABO_A,
		[BLOOD_GROUP_B_NEGATIVE] = ABO_B,
		[BLOOD_GROUP_B_POSITIVE] = ABO_B,
		[BLOOD_GROUP_AB_NEGATIVE] = ABO_AB,
		[BLOOD_GROUP_AB_POSITIVE] = ABO_AB,
		[BLOOD_GROUP_UNKNOWN] = ABO_UNKNOWN,
	};
	return parts[group];
}

bool group_is_d_positive(enum blood_group group)
{
	return group == BLOOD_GROUP_O_POSITIVE || group == BLOOD_GROUP_A_POSITIVE
		|| group == BLOOD_GROUP_B_POSITIVE || group == BLOOD_GROUP_AB_POSITIVE;
}

/* The donor's place in the recipient's row, or -1; `length` becomes that of the row. */
static int32_t find_place(const struct rules *rules, enum component component, enum abo recipient,
	enum abo donor, int32_t *length)
{
	const enum abo *row = rules->donors[component][recipient];
	int32_t place = -1;
	int32_t count = 0;
	for (; count < DONORS_MAX && row[count] != ABO_NONE; count++)
		if (row[count] == donor)
			place = count;
	*length = count;
	return place;
}

/* ABO alone; the rank is the place in the recipient's row. */
static struct donor match_abo(const struct rules *rules, enum component component, enum abo recipient,
	enum abo donor, bool is_emergency)
{
	int32_t length;
	int32_t place = find_place(rules, component, recipient, donor, &length);
	if (place >= 0)
		return (struct donor){ .rank = place, .is_compatible = true };
	if (is_emergency && rules->emergency_donors[component][recipient] == donor)
		return (struct donor){ .rank = length, .is_compatible = true, .is_abo_mismatch = true };
	if (component == COMPONENT_WHOLE_BLOOD && rules->low_titre_o_whole_blood && donor == ABO_O)
		return (struct donor){
			.rank = length, .is_compatible = true, .strict_attributes = ATTRIBUTE_BIT(ATTRIBUTE_HT_NEGATIVE)
		};
	return (struct donor){ 0 };
}

/* Whether D- donors come before D+ ones for a recipient of this group. */
static bool wants_d_negative(const struct recipient *recipient, enum blood_group group, enum rhd rhd)
{
	if (group == BLOOD_GROUP_UNKNOWN)
		return recipient->is_d_protected;
	if (group_is_d_positive(group))
		return false;
	return rhd == RHD_MATTERS || recipient->is_d_protected;
}

/* Moves the second D class behind the whole first one, and marks D+ cells for those who should get D-. */
static void match_rhd(const struct rules *rules, const struct recipient *recipient, enum component component,
	enum blood_group group, struct donor *donor, bool is_d_positive)
{
	enum rhd rhd = rules->rhd[component];
	bool wants_negative = wants_d_negative(recipient, group, rhd);
	if (rhd == RHD_IGNORED || (rhd == RHD_PREFERRED && !wants_negative) || is_d_positive != wants_negative)
		return;
	int32_t length;
	(void)find_place(rules, component, group_abo(group), ABO_NONE, &length);
	donor->rank += length + (component == COMPONENT_WHOLE_BLOOD && rules->low_titre_o_whole_blood ? 1 : 0);
	donor->is_rhd_mismatch = rhd == RHD_MATTERS && wants_negative;
}

static struct donor match_person(const struct rules *rules, const struct recipient *recipient,
	enum component component, enum blood_group group, enum blood_group donor_group)
{
	struct donor donor =
		match_abo(rules, component, group_abo(group), group_abo(donor_group), recipient->is_emergency);
	if (donor.is_compatible)
		match_rhd(rules, recipient, component, group, &donor, group_is_d_positive(donor_group));
	return donor;
}

/* A mother's antibodies reach her child: the donor must suit both. Of a mother nobody knows, ABO alone counts. */
static void match_mother(const struct rules *rules, const struct recipient *recipient,
	enum component component, enum blood_group donor_group, struct donor *donor)
{
	struct donor hers = recipient->mother == BLOOD_GROUP_UNKNOWN
		? match_abo(rules, component, ABO_UNKNOWN, group_abo(donor_group), recipient->is_emergency)
		: match_person(rules, recipient, component, recipient->mother, donor_group);
	donor->is_compatible = donor->is_compatible && hers.is_compatible;
	donor->is_rhd_mismatch = donor->is_rhd_mismatch || hers.is_rhd_mismatch;
	donor->is_abo_mismatch = donor->is_abo_mismatch || hers.is_abo_mismatch;
	donor->strict_attributes |= hers.strict_attributes;
}

/* Platelets swim in their donor's plasma: for a child it must suit, or be poor in antibodies. */
static bool needs_low_titre(const struct rules *rules, const struct recipient *recipient,
	enum component component, enum blood_group donor_group)
{
	int32_t length;
	return component == COMPONENT_PLATELETS && recipient->is_child
		&& find_place(rules, COMPONENT_PLASMA, group_abo(recipient->group), group_abo(donor_group), &length)
		< 0;
}

void compatibility_find(const struct rules *rules, const struct recipient *recipient,
	enum component component, struct compatibility *out)
{
	*out = (struct compatibility){ 0 };
	for (enum blood_group group = BLOOD_GROUP_O_NEGATIVE; group < BLOOD_GROUP_UNKNOWN; group++) {
		struct donor donor = match_person(rules, recipient, component, recipient->group, group);
		if (recipient->is_neonate)
			match_mother(rules, recipient, component, group, &donor);
		if (needs_low_titre(rules, recipient, component, group))
			donor.attributes = ATTRIBUTE_BIT(ATTRIBUTE_HT_NEGATIVE);
		if (donor.is_compatible)
			out->donors[group] = donor;
	}
}
