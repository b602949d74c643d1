/* Recipients: what a request says about its patient, and what silence means. */
#include "recipient.h"

#include "run.h"

enum { NOT_SAID = -1 };

struct example {
	enum sex sex;
	int years, days;
	bool is_neonate, is_child, is_d_protected;
};

START_TEST(sex_and_age_are_read_with_care)
{
	static const struct example examples[] = {
		{ SEX_NONE, NOT_SAID, NOT_SAID, false, false, true },
		{ SEX_FEMALE, NOT_SAID, NOT_SAID, false, false, true },
		{ SEX_MALE, NOT_SAID, NOT_SAID, false, false, true },
		{ SEX_UNKNOWN, 80, NOT_SAID, false, false, true },
		{ SEX_FEMALE, 50, NOT_SAID, false, false, true },
		{ SEX_FEMALE, 51, NOT_SAID, false, false, false },
		{ SEX_MALE, 18, NOT_SAID, false, false, true },
		{ SEX_MALE, 19, NOT_SAID, false, false, false },
		{ SEX_MALE, 17, NOT_SAID, false, true, true },
		{ SEX_MALE, NOT_SAID, 119, true, true, true },
		{ SEX_MALE, NOT_SAID, 120, false, true, true },
		{ SEX_MALE, 0, 119, true, true, true },
		{ SEX_MALE, 0, 200, false, true, true },
		{ SEX_MALE, 0, NOT_SAID, true, true, true }, /* may be one */
		{ SEX_MALE, 30, 10, false, false, false },   /* thirty years and ten days */
		{ SEX_MALE, NOT_SAID, 19 * 365, false, false, false },
	};
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		const struct example *example = &examples[i];
		struct patient patient = { .sex = example->sex,
			.age_years = example->years,
			.has_age_years = example->years != NOT_SAID,
			.age_days = example->days,
			.has_age_days = example->days != NOT_SAID };
		struct hospital_blood_requested request = { .group = BLOOD_GROUP_O_NEGATIVE, .patient = &patient };
		struct recipient found;
		recipient_read(&rules_default, &request, &found);
		ck_assert_msg(found.is_neonate == example->is_neonate, "example %zu", i);
		ck_assert_msg(found.is_child == example->is_child, "example %zu", i);
		ck_assert_msg(found.is_d_protected == example->is_d_protected, "example %zu", i);
		ck_assert_int_eq(found.mother, found.is_neonate ? BLOOD_GROUP_UNKNOWN : BLOOD_GROUP_NONE);
	}
}
END_TEST

START_TEST(nothing_said_of_a_patient_is_the_careful_case)
{
	struct hospital_blood_requested request = { .group = BLOOD_GROUP_A_POSITIVE, .urgency = URGENCY_ROUTINE };
	struct recipient found;
	recipient_read(&rules_default, &request, &found);
	ck_assert_int_eq(found.group, BLOOD_GROUP_A_POSITIVE);
	ck_assert(found.is_d_protected);
	ck_assert(!found.is_emergency && !found.is_neonate && !found.is_child && !found.has_anti_d);
	ck_assert(!found.has_rhd_override && !found.has_antigen_override);
	request.urgency = URGENCY_EMERGENCY;
	recipient_read(&rules_default, &request, &found);
	ck_assert(found.is_emergency);
}
END_TEST

START_TEST(antibodies_and_mothers_are_read)
{
	const char *antibodies[] = { "anti-K", "Anti-D" };
	struct mother mother = { .group = BLOOD_GROUP_B_NEGATIVE };
	struct patient patient = { .age_days = 3,
		.has_age_days = true,
		.mother = &mother,
		.antibodies = antibodies,
		.antibodies_count = 2 };
	struct hospital_blood_requested request = { .group = BLOOD_GROUP_A_POSITIVE, .patient = &patient };
	struct recipient found;
	recipient_read(&rules_default, &request, &found);
	ck_assert(found.has_anti_d);
	ck_assert_int_eq(found.mother, BLOOD_GROUP_B_NEGATIVE);
	mother.group = BLOOD_GROUP_NONE;
	patient.antibodies_count = 1;
	recipient_read(&rules_default, &request, &found);
	ck_assert(!found.has_anti_d);
	ck_assert_int_eq(found.mother, BLOOD_GROUP_UNKNOWN);
}
END_TEST

START_TEST(an_override_needs_a_name_and_an_age)
{
	struct override overrides[] = { { .code = "rhd_mismatch", .by = "dr-1" },
		{ .code = "antigen_negative", .by = "dr-1" } };
	struct patient patient = { .sex = SEX_MALE, .age_years = 40, .has_age_years = true };
	struct hospital_blood_requested request = {
		.group = BLOOD_GROUP_O_NEGATIVE, .patient = &patient, .overrides = overrides, .overrides_count = 2
	};
	struct recipient found;
	recipient_read(&rules_default, &request, &found);
	ck_assert(found.has_rhd_override && found.has_antigen_override);
	patient.has_age_years = false;
	recipient_read(&rules_default, &request, &found);
	ck_assert(!found.has_rhd_override && found.has_antigen_override);
	overrides[1].by = NULL;
	recipient_read(&rules_default, &request, &found);
	ck_assert(!found.has_antigen_override);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("recipient");
	TCase *test_case = tcase_create("recipient");
	tcase_add_test(test_case, sex_and_age_are_read_with_care);
	tcase_add_test(test_case, nothing_said_of_a_patient_is_the_careful_case);
	tcase_add_test(test_case, antibodies_and_mothers_are_read);
	tcase_add_test(test_case, an_override_needs_a_name_and_an_age);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
