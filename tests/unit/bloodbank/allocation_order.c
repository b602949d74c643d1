/* The allocator: which of the suitable units goes first, and which are not suitable. */
#include "allocation.h"

#include <string.h>

#include "run.h"
#include "scene.h"

START_TEST(the_oldest_unit_goes_first)
{
	bag("c", BLOOD_GROUP_A_POSITIVE, 30);
	bag("a", BLOOD_GROUP_A_POSITIVE, 20);
	bag("b", BLOOD_GROUP_A_POSITIVE, 10);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_ROUTINE);
	expect("b a");
	expect_warnings("");
	ck_assert_int_eq(world.allocation.decision, DECISION_FULL);
}
END_TEST

START_TEST(an_expired_unit_never_goes)
{
	bag("old", BLOOD_GROUP_A_POSITIVE, -1);
	bag("now", BLOOD_GROUP_A_POSITIVE, 0);
	bag("good", BLOOD_GROUP_A_POSITIVE, 3);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_EMERGENCY);
	expect("good");
	ck_assert_int_eq(world.allocation.decision, DECISION_PARTIAL);
	ck_assert_int_eq(world.allocation.backordered, 1);
	ask(BLOOD_GROUP_A_POSITIVE, 1, URGENCY_EMERGENCY);
	expect("rejected: no_compatible_stock");
}
END_TEST

START_TEST(a_unit_must_be_in_date_when_it_is_needed)
{
	bag("short", BLOOD_GROUP_A_POSITIVE, 1);
	bag("long", BLOOD_GROUP_A_POSITIVE, 2);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 1, URGENCY_ROUTINE);
	world.request.needed_at = NOW + ONE_DAY;
	world.request.has_needed_at = true;
	expect("long");
	ask(BLOOD_GROUP_A_POSITIVE, 1, URGENCY_ROUTINE);
	world.request.needed_at = NOW + ONE_DAY - 1;
	world.request.has_needed_at = true;
	expect("short");
	expect_warnings("short_dated");
}
END_TEST

START_TEST(equal_units_go_by_distance_then_id)
{
	far_bag("a", BLOOD_GROUP_A_POSITIVE, 10);
	bag("d", BLOOD_GROUP_A_POSITIVE, 10);
	bag("c", BLOOD_GROUP_A_POSITIVE, 10);
	far_bag("b", BLOOD_GROUP_A_POSITIVE, 10);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 4, URGENCY_ROUTINE);
	expect("c d a b");
}
END_TEST

START_TEST(own_group_before_others_and_d_negative_last)
{
	bag("o-neg", BLOOD_GROUP_O_NEGATIVE, 1);
	bag("a-neg", BLOOD_GROUP_A_NEGATIVE, 2);
	bag("o-pos", BLOOD_GROUP_O_POSITIVE, 3);
	bag("a-pos", BLOOD_GROUP_A_POSITIVE, 4);
	bag("b-pos", BLOOD_GROUP_B_POSITIVE, 1);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 5, URGENCY_URGENT);
	expect("a-pos o-pos a-neg o-neg");
	expect_warnings("substituted");
}
END_TEST

START_TEST(special_units_are_kept_for_those_who_need_them)
{
	bag("special", BLOOD_GROUP_A_POSITIVE, 5);
	bag("plain", BLOOD_GROUP_A_POSITIVE, 30);
	set_attributes("special", ATTRIBUTE_BIT(ATTRIBUTE_IRRADIATED));
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 1, URGENCY_ROUTINE);
	expect("plain");
	ask(BLOOD_GROUP_A_POSITIVE, 1, URGENCY_ROUTINE);
	world_attribute(&world, "irradiated");
	expect("special");
}
END_TEST

START_TEST(the_smallest_surplus_goes_first)
{
	bag("both", BLOOD_GROUP_A_POSITIVE, 5);
	bag("one", BLOOD_GROUP_A_POSITIVE, 30);
	set_attributes("both", ATTRIBUTE_BIT(ATTRIBUTE_IRRADIATED) | ATTRIBUTE_BIT(ATTRIBUTE_CMV_NEGATIVE));
	set_attributes("one", ATTRIBUTE_BIT(ATTRIBUTE_IRRADIATED));
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_ROUTINE);
	world_attribute(&world, "irradiated");
	expect("one both");
}
END_TEST

START_TEST(equal_requests_of_one_moment_get_different_units)
{
	world_units(&world, "bank-001", "u", COMPONENT_RED_CELLS, BLOOD_GROUP_A_POSITIVE, 10, 3);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_ROUTINE);
	expect("u-0 u-1");
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_ROUTINE);
	world.request.order_id = "order-1"; /* is never looked at */
	expect("u-2");
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_ROUTINE);
	expect("rejected: no_compatible_stock");
}
END_TEST

START_TEST(every_required_attribute_must_be_there)
{
	static const char *const names[] = { "irradiated", "cmv_negative", "k_negative", "washed", "hbs_negative",
		"ht_negative" };
	bag("one", BLOOD_GROUP_A_POSITIVE, 10);
	bag("all", BLOOD_GROUP_A_POSITIVE, 20);
	set_attributes("all", (1U << ATTRIBUTES) - 1);
	world_open(&world);
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		shelves_rewind(&world.shelves);
		ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_URGENT);
		world_attribute(&world, names[i]);
		expect("all");
		shelves_rewind(&world.shelves);
		ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_EMERGENCY);
		world_attribute(&world, names[i]);
		expect("all one");
		expect_warnings("attributes_waived");
	}
}
END_TEST

START_TEST(attributes_nobody_foresaw_are_compared_as_texts)
{
	static const char *const codes[] = { "leukoreduced" };
	bag("plain", BLOOD_GROUP_A_POSITIVE, 10);
	bag("coded", BLOOD_GROUP_A_POSITIVE, 20);
	world.units[1].codes = codes;
	world.units[1].codes_count = 1;
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_URGENT);
	world_attribute(&world, "leukoreduced");
	expect("coded");
}
END_TEST

START_TEST(a_unit_must_be_known_to_lack_an_unwanted_antigen)
{
	static const char *const negative[] = { "Fy(a)-", "K+" };
	static const char *const positive[] = { "Fya+" };
	bag("untyped", BLOOD_GROUP_A_POSITIVE, 10);
	bag("negative", BLOOD_GROUP_A_POSITIVE, 20);
	bag("positive", BLOOD_GROUP_A_POSITIVE, 5);
	set_antigens("negative", negative, 2);
	set_antigens("positive", positive, 1);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 3, URGENCY_URGENT);
	world_patient(&world, SEX_MALE, 40);
	world_antibody(&world, "anti-Fya");
	expect("negative");
	shelves_rewind(&world.shelves);
	ask(BLOOD_GROUP_A_POSITIVE, 3, URGENCY_EMERGENCY);
	world_patient(&world, SEX_MALE, 40);
	world_antigen_negative(&world, "Fy(a)");
	expect("negative");
	shelves_rewind(&world.shelves);
	ask(BLOOD_GROUP_A_POSITIVE, 3, URGENCY_EMERGENCY);
	world_patient(&world, SEX_MALE, 40);
	world_antigen_negative(&world, "Fya");
	world_override(&world, "antigen_negative", "dr-1");
	expect("negative untyped positive");
	expect_warnings("attributes_waived");
	shelves_rewind(&world.shelves);
	ask(BLOOD_GROUP_A_POSITIVE, 3, URGENCY_URGENT);
	world_patient(&world, SEX_MALE, 40);
	world_antigen_negative(&world, "Fya");
	world_override(&world, "antigen_negative", "dr-1");
	expect("negative");
}
END_TEST

START_TEST(red_cell_antigens_do_not_matter_for_plasma_and_platelets)
{
	world_unit(&world, "bank-001", "plasma", COMPONENT_PLASMA, BLOOD_GROUP_A_POSITIVE, 5);
	world_unit(&world, "bank-001", "platelets", COMPONENT_PLATELETS, BLOOD_GROUP_A_POSITIVE, 5);
	world_open(&world);
	for (enum component component = COMPONENT_PLASMA; component <= COMPONENT_PLATELETS; component++) {
		if (component == COMPONENT_CRYO)
			continue;
		world_request(&world, component, BLOOD_GROUP_A_POSITIVE, 1, URGENCY_URGENT);
		world_patient(&world, SEX_MALE, 40);
		world_antibody(&world, "anti-K");
		expect(component == COMPONENT_PLASMA ? "plasma" : "platelets");
	}
	shelves_rewind(&world.shelves);
	world_request(&world, COMPONENT_PLATELETS, BLOOD_GROUP_A_POSITIVE, 1, URGENCY_URGENT);
	world_patient(&world, SEX_MALE, 40);
	world_antigen_negative(&world, "HPA-1a");
	expect("rejected: no_compatible_stock");
}
END_TEST

START_TEST(an_age_limit_counts_whole_days)
{
	bag("six", BLOOD_GROUP_A_POSITIVE, 42 - 6);
	bag("five", BLOOD_GROUP_A_POSITIVE, 42 - 5);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_URGENT);
	world.request.max_age_days = 5;
	world.request.has_max_age_days = true;
	expect("five");
	shelves_rewind(&world.shelves);
	world.request.urgency = URGENCY_EMERGENCY;
	expect("five six");
	expect_warnings("attributes_waived");
}
END_TEST

START_TEST(designated_units_are_for_their_patient_alone)
{
	bag("his", BLOOD_GROUP_A_POSITIVE, 30);
	bag("any", BLOOD_GROUP_A_POSITIVE, 10);
	designate("his", "patient-1");
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_EMERGENCY);
	expect("any");
	shelves_rewind(&world.shelves);
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_EMERGENCY);
	world_patient(&world, SEX_MALE, 40)->ref = "patient-2";
	expect("any");
	shelves_rewind(&world.shelves);
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_ROUTINE);
	world_patient(&world, SEX_MALE, 40);
	expect("his any");
}
END_TEST

START_TEST(no_override_opens_what_is_never_allowed)
{
	bag("expired", BLOOD_GROUP_O_POSITIVE, -1);
	bag("other-abo", BLOOD_GROUP_A_POSITIVE, 10);
	bag("designated", BLOOD_GROUP_O_POSITIVE, 10);
	designate("designated", "patient-2");
	world_open(&world);
	ask(BLOOD_GROUP_O_POSITIVE, 3, URGENCY_EMERGENCY);
	world_patient(&world, SEX_MALE, 70);
	world_override(&world, "rhd_mismatch", "dr-1");
	world_override(&world, "antigen_negative", "dr-1");
	expect("rejected: no_compatible_stock");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_oldest_unit_goes_first,
		an_expired_unit_never_goes,
		a_unit_must_be_in_date_when_it_is_needed,
		equal_units_go_by_distance_then_id,
		own_group_before_others_and_d_negative_last,
		special_units_are_kept_for_those_who_need_them,
		the_smallest_surplus_goes_first,
		equal_requests_of_one_moment_get_different_units,
		every_required_attribute_must_be_there,
		attributes_nobody_foresaw_are_compared_as_texts,
		a_unit_must_be_known_to_lack_an_unwanted_antigen,
		red_cell_antigens_do_not_matter_for_plasma_and_platelets,
		an_age_limit_counts_whole_days,
		designated_units_are_for_their_patient_alone,
		no_override_opens_what_is_never_allowed,
	};
	return run_scenes("allocation order", tests, sizeof(tests) / sizeof(tests[0]));
}
