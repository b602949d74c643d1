/* The allocator: banks, floors, parts, refusals, times. */
#include "allocation.h"

#include <string.h>

#include "run.h"
#include "scene.h"

START_TEST(an_emergency_takes_the_nearest_bank_able_to_fill_it)
{
	bag("near-o", BLOOD_GROUP_O_POSITIVE, 20);
	bag("near-a", BLOOD_GROUP_A_POSITIVE, 20);
	far_bag("far-1", BLOOD_GROUP_A_POSITIVE, 5);
	far_bag("far-2", BLOOD_GROUP_A_POSITIVE, 5);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_EMERGENCY);
	expect("near-a near-o");
	shelves_rewind(&world.shelves);
	world.rules.floors[COMPONENT_RED_CELLS][BLOOD_GROUP_O_POSITIVE] = 0;
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_ROUTINE);
	expect("far-1 far-2");
}
END_TEST

START_TEST(an_emergency_no_bank_can_fill_is_pooled_from_the_nearest)
{
	bag("near-o", BLOOD_GROUP_O_POSITIVE, 20);
	far_bag("far-1", BLOOD_GROUP_A_POSITIVE, 5);
	far_bag("far-2", BLOOD_GROUP_A_POSITIVE, 6);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 3, URGENCY_EMERGENCY);
	expect("near-o far-1 far-2");
	shelves_rewind(&world.shelves);
	world.rules.floors[COMPONENT_RED_CELLS][BLOOD_GROUP_O_POSITIVE] = 0;
	ask(BLOOD_GROUP_A_POSITIVE, 3, URGENCY_ROUTINE);
	expect("far-1 far-2 near-o");
}
END_TEST

START_TEST(the_lower_penalty_wins_before_distance)
{
	bag("near", BLOOD_GROUP_A_POSITIVE, 5);
	set_attributes("near", ATTRIBUTE_BIT(ATTRIBUTE_CMV_NEGATIVE));
	far_bag("far", BLOOD_GROUP_A_POSITIVE, 20);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 1, URGENCY_ROUTINE);
	expect("far");
	shelves_rewind(&world.shelves);
	ask(BLOOD_GROUP_A_POSITIVE, 1, URGENCY_EMERGENCY);
	expect("near");
}
END_TEST

START_TEST(between_able_banks_the_nearer_wins_even_with_fresher_units)
{
	bag("near", BLOOD_GROUP_A_POSITIVE, 30);
	far_bag("far", BLOOD_GROUP_A_POSITIVE, 5);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 1, URGENCY_ROUTINE);
	expect("near");
}
END_TEST

START_TEST(the_floor_is_kept_for_emergency_and_urgent)
{
	world_units(&world, "bank-001", "n", COMPONENT_RED_CELLS, BLOOD_GROUP_O_NEGATIVE, 10, 5);
	world_open(&world);
	ask(BLOOD_GROUP_O_NEGATIVE, 3, URGENCY_ROUTINE);
	expect("n-0");
	ck_assert_int_eq(world.allocation.backordered, 2);
	ask(BLOOD_GROUP_O_NEGATIVE, 1, URGENCY_REPLENISHMENT);
	expect("rejected: insufficient_stock");
	ask(BLOOD_GROUP_O_NEGATIVE, 1, URGENCY_URGENT);
	expect("n-1");
	ask(BLOOD_GROUP_O_NEGATIVE, 3, URGENCY_EMERGENCY);
	expect("n-2 n-3 n-4");
}
END_TEST

START_TEST(the_floor_counts_all_units_of_the_group_in_date)
{
	world_units(&world, "bank-001", "n", COMPONENT_RED_CELLS, BLOOD_GROUP_O_NEGATIVE, 10, 4);
	world_units(&world, "bank-001", "k", COMPONENT_RED_CELLS, BLOOD_GROUP_O_NEGATIVE, 20, 2);
	world_units(&world, "bank-001", "x", COMPONENT_RED_CELLS, BLOOD_GROUP_O_NEGATIVE, -2, 9);
	set_attributes("k-0", ATTRIBUTE_BIT(ATTRIBUTE_K_NEGATIVE));
	set_attributes("k-1", ATTRIBUTE_BIT(ATTRIBUTE_K_NEGATIVE));
	world_open(&world);
	ask(BLOOD_GROUP_O_NEGATIVE, 6, URGENCY_ROUTINE);
	expect("n-0 n-1");
}
END_TEST

START_TEST(a_part_is_given_only_to_those_who_accept_one)
{
	bag("one", BLOOD_GROUP_A_POSITIVE, 10);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_URGENT);
	world.request.accept_partial = false;
	expect("rejected: insufficient_stock");
	ck_assert_int_eq(world.allocation.backordered, 0);
	ask(BLOOD_GROUP_A_POSITIVE, 2, URGENCY_URGENT);
	expect("one");
	ck_assert_int_eq(world.allocation.decision, DECISION_PARTIAL);
	ck_assert_int_eq(world.allocation.backordered, 1);
}
END_TEST

START_TEST(a_follow_up_fills_what_it_can)
{
	bag("one", BLOOD_GROUP_A_POSITIVE, 10);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 5, URGENCY_ROUTINE);
	world.request.accept_partial = false;
	world.request.needed_at = NOW - ONE_DAY;
	world.request.has_needed_at = true;
	world.wanted.quantity = 2;
	world.wanted.is_followup = true;
	expect("one");
	ck_assert_int_eq(world.allocation.backordered, 1);
	ck_assert_int_eq(world.allocation.units[0].reserved_until, NOW + 72 * ONE_HOUR);
}
END_TEST

START_TEST(what_was_needed_in_the_past_is_refused_unless_it_is_an_emergency)
{
	bag("one", BLOOD_GROUP_A_POSITIVE, 10);
	world_open(&world);
	for (enum urgency urgency = URGENCY_EMERGENCY; urgency <= URGENCY_REPLENISHMENT; urgency++) {
		shelves_rewind(&world.shelves);
		ask(BLOOD_GROUP_A_POSITIVE, 1, urgency);
		world.request.needed_at = NOW - ONE_HOUR;
		world.request.has_needed_at = true;
		expect(urgency == URGENCY_EMERGENCY ? "one" : "rejected: needed_in_past");
	}
	ask(BLOOD_GROUP_A_POSITIVE, 1, URGENCY_ROUTINE);
	world.request.needed_at = NOW - ONE_SECOND; /* "now", a moment ago */
	world.request.has_needed_at = true;
	shelves_rewind(&world.shelves);
	expect("one");
}
END_TEST

START_TEST(a_facility_nobody_knows_gets_nothing)
{
	bag("one", BLOOD_GROUP_A_POSITIVE, 10);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 1, URGENCY_EMERGENCY);
	world.wanted.is_facility_known = false;
	expect("rejected: unknown_facility");
	world.wanted.is_facility_known = true;
	world.wanted.suppliers_count = 0;
	expect("rejected: no_compatible_stock");
}
END_TEST

START_TEST(only_emergencies_are_warned_of_a_missing_signature)
{
	world_units(&world, "bank-001", "u", COMPONENT_RED_CELLS, BLOOD_GROUP_A_POSITIVE, 10, 2);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 1, URGENCY_URGENT);
	world.request.signed_by = NULL;
	expect("u-0");
	expect_warnings("");
	ask(BLOOD_GROUP_A_POSITIVE, 1, URGENCY_EMERGENCY);
	world.request.signed_by = NULL;
	expect("u-1");
	expect_warnings("signature_pending");
}
END_TEST

struct reservation_case {
	int64_t needed_in, sample_in, expires_in; /* 0: not said */
	int64_t until;
};

START_TEST(a_reservation_ends_with_what_ends_first)
{
	static const struct reservation_case cases[] = {
		{ 0, 0, 30 * ONE_DAY, 72 * ONE_HOUR },
		{ 24 * ONE_HOUR, 0, 30 * ONE_DAY, 96 * ONE_HOUR },
		{ -ONE_HOUR, 0, 30 * ONE_DAY, 72 * ONE_HOUR },
		{ 0, 10 * ONE_HOUR, 30 * ONE_DAY, 10 * ONE_HOUR },
		{ 0, 100 * ONE_HOUR, 30 * ONE_DAY, 72 * ONE_HOUR },
		{ 0, -ONE_HOUR, 30 * ONE_DAY, 72 * ONE_HOUR },
		{ 0, 0, 5 * ONE_HOUR, 5 * ONE_HOUR },
		{ 0, 10 * ONE_HOUR, 5 * ONE_HOUR, 5 * ONE_HOUR },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sample sample = { .expires_at = NOW + cases[i].sample_in, .has_expires_at = true };
		struct hospital_blood_requested request = {
			.needed_at = NOW + cases[i].needed_in,
			.has_needed_at = cases[i].needed_in != 0,
			.sample = cases[i].sample_in == 0 ? NULL : &sample,
		};
		int64_t until = allocation_reserved_until(&rules_default, &request, NOW + cases[i].expires_in, NOW);
		ck_assert_msg(until == NOW + cases[i].until, "case %zu", i);
	}
}
END_TEST

START_TEST(scheduled_requests_are_due_48_hours_before)
{
	struct hospital_blood_requested request = { .urgency = URGENCY_ROUTINE };
	ck_assert_int_eq(allocation_due_at(&rules_default, &request, NOW), NOW);
	request.has_needed_at = true;
	request.needed_at = NOW + 49 * ONE_HOUR;
	ck_assert_int_eq(allocation_due_at(&rules_default, &request, NOW), NOW + ONE_HOUR);
	request.needed_at = NOW + 47 * ONE_HOUR;
	ck_assert_int_eq(allocation_due_at(&rules_default, &request, NOW), NOW);
	request.urgency = URGENCY_EMERGENCY;
	request.needed_at = NOW + 90 * ONE_HOUR;
	ck_assert_int_eq(allocation_due_at(&rules_default, &request, NOW), NOW);
}
END_TEST

START_TEST(an_answer_shows_its_units_as_events_do)
{
	bag("one", BLOOD_GROUP_A_POSITIVE, 10);
	world_unit(&world, "bank-001", "two", COMPONENT_PLASMA, BLOOD_GROUP_A_POSITIVE, 10);
	world_open(&world);
	ask(BLOOD_GROUP_A_POSITIVE, 1, URGENCY_ROUTINE);
	expect("one");
	const struct allocated_unit *unit = &world.allocation.units[0];
	ck_assert_str_eq(unit->unit_id, "one");
	ck_assert_str_eq(unit->bank_id, "bank-001");
	ck_assert_int_eq(unit->group, BLOOD_GROUP_A_POSITIVE);
	ck_assert_int_eq(unit->expires_at, NOW + 10 * ONE_DAY);
	ck_assert_int_eq(unit->match_status, MATCH_STATUS_NOT_CROSSMATCHED);
	ck_assert_str_eq(world.allocation.rules_version, rules_default.version);
	world_request(&world, COMPONENT_PLASMA, BLOOD_GROUP_A_POSITIVE, 1, URGENCY_ROUTINE);
	expect("two");
	ck_assert_int_eq(world.allocation.units[0].match_status, MATCH_STATUS_NOT_REQUIRED);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_emergency_takes_the_nearest_bank_able_to_fill_it,
		an_emergency_no_bank_can_fill_is_pooled_from_the_nearest,
		the_lower_penalty_wins_before_distance,
		between_able_banks_the_nearer_wins_even_with_fresher_units,
		the_floor_is_kept_for_emergency_and_urgent,
		the_floor_counts_all_units_of_the_group_in_date,
		a_part_is_given_only_to_those_who_accept_one,
		a_follow_up_fills_what_it_can,
		what_was_needed_in_the_past_is_refused_unless_it_is_an_emergency,
		a_facility_nobody_knows_gets_nothing,
		only_emergencies_are_warned_of_a_missing_signature,
		a_reservation_ends_with_what_ends_first,
		scheduled_requests_are_due_48_hours_before,
		an_answer_shows_its_units_as_events_do,
	};
	return run_scenes("allocation supply", tests, sizeof(tests) / sizeof(tests[0]));
}
