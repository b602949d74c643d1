/* The allocator: RhD, unknown groups, plasma, platelets, neonates. */
#include "allocation.h"

#include <string.h>

#include "run.h"
#include "scene.h"

START_TEST(d_positive_cells_are_kept_from_d_negative_recipients)
{
	bag("pos", BLOOD_GROUP_O_POSITIVE, 10);
	world_open(&world);
	world.rules.floors[COMPONENT_RED_CELLS][BLOOD_GROUP_O_POSITIVE] = 0;
	ask(BLOOD_GROUP_O_NEGATIVE, 1, URGENCY_URGENT);
	world_patient(&world, SEX_MALE, 70);
	expect("rejected: no_compatible_stock");
}
END_TEST

START_TEST(an_emergency_gets_d_positive_cells_when_no_d_negative_is_left_anywhere)
{
	bag("pos", BLOOD_GROUP_O_POSITIVE, 1);
	far_bag("neg", BLOOD_GROUP_O_NEGATIVE, 20);
	world_open(&world);
	ask(BLOOD_GROUP_O_NEGATIVE, 1, URGENCY_EMERGENCY);
	world_patient(&world, SEX_FEMALE, 30);
	expect("neg");
	expect_warnings("");
	ask(BLOOD_GROUP_O_NEGATIVE, 1, URGENCY_EMERGENCY);
	world_patient(&world, SEX_FEMALE, 30);
	expect("pos");
	expect_warnings("rhd_mismatch substituted");
}
END_TEST

START_TEST(known_anti_d_keeps_d_positive_cells_away)
{
	bag("pos", BLOOD_GROUP_O_POSITIVE, 10);
	world_open(&world);
	ask(BLOOD_GROUP_O_NEGATIVE, 1, URGENCY_EMERGENCY);
	world_patient(&world, SEX_MALE, 70);
	world_antibody(&world, "anti-D");
	expect("rejected: no_compatible_stock");
	ask(BLOOD_GROUP_O_POSITIVE, 1, URGENCY_EMERGENCY);
	world_patient(&world, SEX_MALE, 70);
	world_antibody(&world, "anti-D");
	expect("rejected: no_compatible_stock");
}
END_TEST

struct override_case {
	enum sex sex;
	int years;
	const char *code, *by;
	bool is_given;
};

START_TEST(an_override_allows_d_positive_cells_for_older_recipients_only)
{
	static const struct override_case cases[] = {
		{ SEX_MALE, 19, "rhd_mismatch", "dr-1", true },
		{ SEX_MALE, 18, "rhd_mismatch", "dr-1", false },
		{ SEX_FEMALE, 51, "rhd_mismatch", "dr-1", true },
		{ SEX_FEMALE, 50, "rhd_mismatch", "dr-1", false },
		{ SEX_MALE, -1, "rhd_mismatch", "dr-1", false },
		{ SEX_UNKNOWN, 70, "rhd_mismatch", "dr-1", false },
		{ SEX_MALE, 70, "rhd_mismatch", NULL, false },
		{ SEX_MALE, 70, "antigen_negative", "dr-1", false },
	};
	bag("pos", BLOOD_GROUP_O_POSITIVE, 10);
	world_open(&world);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		shelves_rewind(&world.shelves);
		ask(BLOOD_GROUP_O_NEGATIVE, 1, URGENCY_URGENT);
		world_patient(&world, cases[i].sex, cases[i].years);
		world_override(&world, cases[i].code, cases[i].by);
		const char *answer = world_allocate(&world);
		ck_assert_msg(strcmp(answer, cases[i].is_given ? "pos" : "rejected: no_compatible_stock") == 0,
			"case %zu: %s", i, answer);
		if (cases[i].is_given)
			expect_warnings("rhd_mismatch substituted");
	}
}
END_TEST

START_TEST(an_override_still_prefers_d_negative_cells)
{
	bag("pos", BLOOD_GROUP_O_POSITIVE, 1);
	bag("neg", BLOOD_GROUP_O_NEGATIVE, 20);
	world_open(&world);
	ask(BLOOD_GROUP_O_NEGATIVE, 2, URGENCY_URGENT);
	world_patient(&world, SEX_MALE, 70);
	world_override(&world, "rhd_mismatch", "dr-1");
	expect("neg pos");
}
END_TEST

START_TEST(an_unknown_group_is_for_emergencies)
{
	static const enum component components[] = { COMPONENT_RED_CELLS, COMPONENT_PLASMA, COMPONENT_CRYO,
		COMPONENT_PLATELETS, COMPONENT_WHOLE_BLOOD };
	bag("neg", BLOOD_GROUP_O_NEGATIVE, 10);
	world_open(&world);
	for (size_t i = 0; i < sizeof(components) / sizeof(components[0]); i++) {
		world_request(&world, components[i], BLOOD_GROUP_UNKNOWN, 1, URGENCY_URGENT);
		expect("rejected: group_required");
	}
	world_request(&world, COMPONENT_WHOLE_BLOOD, BLOOD_GROUP_UNKNOWN, 1, URGENCY_EMERGENCY);
	expect("rejected: group_required");
}
END_TEST

struct unknown_case {
	enum sex sex;
	int years;
	const char *answer;
};

START_TEST(red_cells_for_an_unknown_group_depend_on_sex_and_age)
{
	static const struct unknown_case cases[] = {
		{ SEX_FEMALE, 50, "neg pos" },
		{ SEX_FEMALE, 51, "pos neg" },
		{ SEX_MALE, 18, "neg pos" },
		{ SEX_MALE, 19, "pos neg" },
		{ SEX_UNKNOWN, 70, "neg pos" },
		{ SEX_NONE, 70, "neg pos" },
		{ SEX_MALE, -1, "neg pos" },
	};
	bag("neg", BLOOD_GROUP_O_NEGATIVE, 10);
	bag("pos", BLOOD_GROUP_O_POSITIVE, 10);
	bag("a", BLOOD_GROUP_A_NEGATIVE, 1);
	world_open(&world);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		shelves_rewind(&world.shelves);
		ask(BLOOD_GROUP_UNKNOWN, 3, URGENCY_EMERGENCY);
		world_patient(&world, cases[i].sex, cases[i].years);
		const char *answer = world_allocate(&world);
		ck_assert_msg(strcmp(answer, cases[i].answer) == 0, "case %zu: %s", i, answer);
		expect_warnings(answer[0] == 'n' ? "rhd_mismatch" : "");
	}
	shelves_rewind(&world.shelves);
	ask(BLOOD_GROUP_UNKNOWN, 1, URGENCY_EMERGENCY);
	expect("neg");
}
END_TEST

START_TEST(more_than_two_blind_o_negative_units_are_warned_of)
{
	world_units(&world, "bank-001", "n", COMPONENT_RED_CELLS, BLOOD_GROUP_O_NEGATIVE, 10, 6);
	world_open(&world);
	ask(BLOOD_GROUP_UNKNOWN, 2, URGENCY_EMERGENCY);
	world.request.signed_by = NULL;
	expect("n-0 n-1");
	expect_warnings("signature_pending");
	ck_assert(!world.allocation.wants_group);
	ck_assert_int_eq(world.allocation.blind_o_negative, 2);
	ask(BLOOD_GROUP_UNKNOWN, 1, URGENCY_EMERGENCY);
	world.wanted.blind_o_negative_before = 2;
	expect("n-2");
	expect_warnings("blind_o_negative_limit");
	ck_assert(world.allocation.wants_group);
	ask(BLOOD_GROUP_O_NEGATIVE, 3, URGENCY_EMERGENCY);
	world.wanted.blind_o_negative_before = 3;
	expect("n-3 n-4 n-5");
	expect_warnings("");
}
END_TEST

START_TEST(ab_plasma_then_a_in_an_emergency_only)
{
	world_unit(&world, "bank-001", "a", COMPONENT_PLASMA, BLOOD_GROUP_A_POSITIVE, 5);
	world_unit(&world, "bank-001", "ab", COMPONENT_PLASMA, BLOOD_GROUP_AB_NEGATIVE, 50);
	world_unit(&world, "bank-001", "o", COMPONENT_PLASMA, BLOOD_GROUP_O_NEGATIVE, 1);
	world_open(&world);
	world_request(&world, COMPONENT_PLASMA, BLOOD_GROUP_AB_NEGATIVE, 2, URGENCY_URGENT);
	expect("ab");
	shelves_rewind(&world.shelves);
	world_request(&world, COMPONENT_PLASMA, BLOOD_GROUP_AB_NEGATIVE, 3, URGENCY_EMERGENCY);
	expect("ab a");
	expect_warnings("abo_minor_mismatch substituted");
	shelves_rewind(&world.shelves);
	world_request(&world, COMPONENT_PLASMA, BLOOD_GROUP_UNKNOWN, 3, URGENCY_EMERGENCY);
	expect("ab a");
	expect_warnings("abo_minor_mismatch");
	shelves_rewind(&world.shelves);
	world_request(&world, COMPONENT_PLASMA, BLOOD_GROUP_O_POSITIVE, 3, URGENCY_ROUTINE);
	expect("o a ab");
}
END_TEST

START_TEST(platelets_of_any_group_serve_but_children_are_spared_foreign_plasma)
{
	world_unit(&world, "bank-001", "o", COMPONENT_PLATELETS, BLOOD_GROUP_O_POSITIVE, 3);
	world_unit(&world, "bank-001", "low", COMPONENT_PLATELETS, BLOOD_GROUP_O_POSITIVE, 4);
	world_unit(&world, "bank-001", "ab", COMPONENT_PLATELETS, BLOOD_GROUP_AB_POSITIVE, 4);
	set_attributes("low", ATTRIBUTE_BIT(ATTRIBUTE_HT_NEGATIVE));
	world_open(&world);
	world_request(&world, COMPONENT_PLATELETS, BLOOD_GROUP_A_POSITIVE, 3, URGENCY_ROUTINE);
	world_patient(&world, SEX_MALE, 40);
	expect("ab o low");
	shelves_rewind(&world.shelves);
	world_request(&world, COMPONENT_PLATELETS, BLOOD_GROUP_A_POSITIVE, 3, URGENCY_ROUTINE);
	world_patient(&world, SEX_MALE, 17);
	expect("ab low");
	shelves_rewind(&world.shelves);
	world_request(&world, COMPONENT_PLATELETS, BLOOD_GROUP_A_POSITIVE, 3, URGENCY_EMERGENCY);
	world_patient(&world, SEX_MALE, 17);
	expect("ab low o");
	expect_warnings("attributes_waived substituted");
}
END_TEST

START_TEST(d_negative_platelets_go_to_those_whom_d_would_harm)
{
	world_unit(&world, "bank-001", "neg", COMPONENT_PLATELETS, BLOOD_GROUP_A_NEGATIVE, 2);
	world_unit(&world, "bank-001", "pos", COMPONENT_PLATELETS, BLOOD_GROUP_A_POSITIVE, 4);
	world_open(&world);
	world_request(&world, COMPONENT_PLATELETS, BLOOD_GROUP_A_NEGATIVE, 1, URGENCY_ROUTINE);
	world_patient(&world, SEX_FEMALE, 30);
	expect("neg");
	shelves_rewind(&world.shelves);
	world_request(&world, COMPONENT_PLATELETS, BLOOD_GROUP_A_POSITIVE, 1, URGENCY_ROUTINE);
	world_patient(&world, SEX_FEMALE, 30);
	expect("pos");
}
END_TEST

enum {
	FOR_NEONATES = ATTRIBUTE_BIT(ATTRIBUTE_CMV_NEGATIVE) | ATTRIBUTE_BIT(ATTRIBUTE_K_NEGATIVE)
		| ATTRIBUTE_BIT(ATTRIBUTE_HBS_NEGATIVE)
};

static void ask_for_neonate(enum blood_group group, enum blood_group mother, int64_t quantity,
	enum urgency urgency)
{
	ask(group, quantity, urgency);
	struct patient *patient = world_patient(&world, SEX_MALE, -1);
	patient->age_days = 119;
	patient->has_age_days = true;
	world.mother = (struct mother){ .group = mother };
	patient->mother = mother == BLOOD_GROUP_NONE ? NULL : &world.mother;
}

START_TEST(a_neonate_gets_the_freshest_suitable_units)
{
	bag("plain", BLOOD_GROUP_O_POSITIVE, 41);
	bag("old", BLOOD_GROUP_O_POSITIVE, 10);
	bag("fresh", BLOOD_GROUP_O_POSITIVE, 40);
	bag("own", BLOOD_GROUP_A_POSITIVE, 20);
	set_attributes("old", FOR_NEONATES);
	set_attributes("fresh", FOR_NEONATES);
	set_attributes("own", FOR_NEONATES);
	world_open(&world);
	ask_for_neonate(BLOOD_GROUP_A_POSITIVE, BLOOD_GROUP_NONE, 3, URGENCY_URGENT);
	expect("fresh old");
	shelves_rewind(&world.shelves);
	ask_for_neonate(BLOOD_GROUP_A_POSITIVE, BLOOD_GROUP_A_POSITIVE, 3, URGENCY_URGENT);
	expect("own fresh old");
	shelves_rewind(&world.shelves);
	ask_for_neonate(BLOOD_GROUP_A_POSITIVE, BLOOD_GROUP_O_POSITIVE, 4, URGENCY_EMERGENCY);
	expect("fresh old plain");
	expect_warnings("attributes_waived substituted");
}
END_TEST

START_TEST(at_120_days_nobody_is_a_neonate)
{
	bag("plain", BLOOD_GROUP_A_POSITIVE, 20);
	world_open(&world);
	ask_for_neonate(BLOOD_GROUP_A_POSITIVE, BLOOD_GROUP_NONE, 1, URGENCY_URGENT);
	expect("rejected: no_compatible_stock");
	world.patient.age_days = 120;
	expect("plain");
}
END_TEST

START_TEST(freshness_is_measured_from_collection)
{
	bag("long", BLOOD_GROUP_O_POSITIVE, 40);
	bag("young", BLOOD_GROUP_O_POSITIVE, 20);
	set_attributes("long", FOR_NEONATES);
	set_attributes("young", FOR_NEONATES);
	world.units[1].collected_at = NOW - ONE_DAY; /* another anticoagulant, a shorter life */
	world_open(&world);
	ask_for_neonate(BLOOD_GROUP_O_POSITIVE, BLOOD_GROUP_O_POSITIVE, 1, URGENCY_URGENT);
	expect("young");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		d_positive_cells_are_kept_from_d_negative_recipients,
		an_emergency_gets_d_positive_cells_when_no_d_negative_is_left_anywhere,
		known_anti_d_keeps_d_positive_cells_away,
		an_override_allows_d_positive_cells_for_older_recipients_only,
		an_override_still_prefers_d_negative_cells,
		an_unknown_group_is_for_emergencies,
		red_cells_for_an_unknown_group_depend_on_sex_and_age,
		more_than_two_blind_o_negative_units_are_warned_of,
		ab_plasma_then_a_in_an_emergency_only,
		platelets_of_any_group_serve_but_children_are_spared_foreign_plasma,
		d_negative_platelets_go_to_those_whom_d_would_harm,
		a_neonate_gets_the_freshest_suitable_units,
		at_120_days_nobody_is_a_neonate,
		freshness_is_measured_from_collection,
	};
	return run_scenes("allocation groups", tests, sizeof(tests) / sizeof(tests[0]));
}
