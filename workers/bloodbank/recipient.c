/* From a request's patient to the facts the rules ask for. */
#include "recipient.h"

#include <string.h>

#include "antigen.h"

enum { DAYS_PER_YEAR = 365 };

struct age {
	int64_t years;
	bool is_known;
};

static struct age read_age(const struct patient *patient)
{
	if (patient == NULL || (!patient->has_age_years && !patient->has_age_days))
		return (struct age){ 0 };
	int64_t years = patient->has_age_years ? patient->age_years : patient->age_days / DAYS_PER_YEAR;
	return (struct age){ years, true };
}

/* An infant of "0 years" may be a neonate, and is treated as one. */
static bool read_neonate(const struct rules *rules, const struct patient *patient, struct age age)
{
	if (!age.is_known || age.years > 0)
		return false;
	return !patient->has_age_days || patient->age_days < rules->neonate_days;
}

/* Those whom D+ cells would harm most; who might be one of them counts as one. */
static bool read_protection(const struct rules *rules, enum sex sex, struct age age)
{
	if (!age.is_known || (sex != SEX_FEMALE && sex != SEX_MALE))
		return true;
	return age.years <= (sex == SEX_MALE ? rules->male_protected_years : rules->female_protected_years);
}

static bool has_antibody(const struct patient *patient, const char *wanted)
{
	if (patient == NULL)
		return false;
	for (size_t i = 0; i < patient->antibodies_count; i++) {
		char name[ANTIGEN_NAME_MAX + 1];
		antigen_name(patient->antibodies[i], name);
		if (strcmp(name, wanted) == 0)
			return true;
	}
	return false;
}

/* An override counts only with the name of who answers for it. */
static bool has_override(const struct hospital_blood_requested *request, const char *code)
{
	for (size_t i = 0; i < request->overrides_count; i++)
		if (strcmp(request->overrides[i].code, code) == 0 && request->overrides[i].by != NULL)
			return true;
	return false;
}

static enum blood_group read_mother(const struct patient *patient)
{
	if (patient->mother == NULL || patient->mother->group == BLOOD_GROUP_NONE)
		return BLOOD_GROUP_UNKNOWN;
	return patient->mother->group;
}

void recipient_read(const struct rules *rules, const struct hospital_blood_requested *request,
	struct recipient *out)
{
	const struct patient *patient = request->patient;
	struct age age = read_age(patient);
	bool is_neonate = read_neonate(rules, patient, age);
	bool is_protected = read_protection(rules, patient == NULL ? SEX_NONE : patient->sex, age);
	*out = (struct recipient){
		.group = request->group,
		.mother = is_neonate ? read_mother(patient) : BLOOD_GROUP_NONE,
		.is_emergency = request->urgency == URGENCY_EMERGENCY,
		.is_neonate = is_neonate,
		.is_child = age.is_known && age.years < rules->child_years,
		.is_d_protected = is_protected,
		.has_anti_d = has_antibody(patient, "D"),
		.has_rhd_override = !is_protected && has_override(request, rules->rhd_override),
		.has_antigen_override = has_override(request, rules->antigen_override),
	};
}
