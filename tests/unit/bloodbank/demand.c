/* Demand: what is asked for, from counters alone. */
#include "demand.h"

#include "run.h"
#include "world.h"

static struct world world;

static void set_up(void)
{
	world_init(&world);
	world_bank(&world, "bank-001", 1000);
	world_bank(&world, "bank-002", 2000);
}

static void tear_down(void)
{
	world_clear(&world);
}

static struct bin *the_bin(size_t supplier, enum blood_group group, uint32_t attributes)
{
	return shelves_bin(&world.shelves, world.suppliers[supplier].bank, COMPONENT_RED_CELLS, group, attributes,
		NULL);
}

static size_t asked(size_t supplier, enum blood_group group, enum shelf_order order)
{
	return the_bin(supplier, group, 0)->queues[order].asked;
}

static void count_all(int64_t available)
{
	for (size_t supplier = 0; supplier < world.suppliers_count; supplier++)
		for (enum blood_group group = BLOOD_GROUP_O_NEGATIVE; group < BLOOD_GROUP_UNKNOWN; group++)
			bin_count(the_bin(supplier, group, 0), available);
}

static void demand(size_t count)
{
	struct wanted wanted[4] = { world.wanted, world.wanted, world.wanted, world.wanted };
	demand_batch(&world.rules, wanted, count, NOW, &world.arena, &world.shelves);
}

START_TEST(plenty_of_stock_asks_for_the_own_group_alone)
{
	count_all(100);
	world_request(&world, COMPONENT_RED_CELLS, BLOOD_GROUP_A_POSITIVE, 3, URGENCY_ROUTINE);
	demand(4);
	for (size_t supplier = 0; supplier < 2; supplier++) {
		for (enum blood_group group = BLOOD_GROUP_O_NEGATIVE; group < BLOOD_GROUP_UNKNOWN; group++) {
			size_t count = asked(supplier, group, OLDEST_FIRST);
			if (group == BLOOD_GROUP_A_POSITIVE)
				ck_assert(supplier == 0 ? count >= 12 && count < 30 : count >= 3 && count < 12);
			else
				ck_assert_uint_eq(count, 0);
			ck_assert_uint_eq(asked(supplier, group, FRESHEST_FIRST), 0);
		}
	}
}
END_TEST

START_TEST(a_short_group_flows_over)
{
	count_all(100);
	bin_count(the_bin(0, BLOOD_GROUP_A_POSITIVE, 0), 2);
	world_request(&world, COMPONENT_RED_CELLS, BLOOD_GROUP_A_POSITIVE, 3, URGENCY_ROUTINE);
	demand(1);
	ck_assert_uint_ge(asked(0, BLOOD_GROUP_A_POSITIVE, OLDEST_FIRST), 2);
	ck_assert_uint_ge(asked(0, BLOOD_GROUP_O_POSITIVE, OLDEST_FIRST), 1);
	ck_assert_uint_eq(asked(0, BLOOD_GROUP_A_NEGATIVE, OLDEST_FIRST), 0);
	ck_assert_uint_eq(asked(1, BLOOD_GROUP_O_POSITIVE, OLDEST_FIRST), 0);
}
END_TEST

START_TEST(units_below_the_floor_are_not_counted_on)
{
	count_all(100);
	bin_count(the_bin(0, BLOOD_GROUP_O_POSITIVE, 0), 5);
	world_request(&world, COMPONENT_RED_CELLS, BLOOD_GROUP_O_POSITIVE, 3, URGENCY_ROUTINE);
	demand(1);
	ck_assert_uint_gt(asked(0, BLOOD_GROUP_O_NEGATIVE, OLDEST_FIRST), 0);
	ck_assert_uint_eq(asked(1, BLOOD_GROUP_O_NEGATIVE, OLDEST_FIRST), 0);
}
END_TEST

START_TEST(neonates_ask_for_the_freshest)
{
	uint32_t attributes = world.rules.neonate_attributes[COMPONENT_RED_CELLS];
	count_all(100);
	bin_count(the_bin(0, BLOOD_GROUP_O_POSITIVE, attributes), 50);
	world_request(&world, COMPONENT_RED_CELLS, BLOOD_GROUP_O_POSITIVE, 1, URGENCY_URGENT);
	world_patient(&world, SEX_MALE, 0);
	demand(1);
	ck_assert_uint_gt(the_bin(0, BLOOD_GROUP_O_POSITIVE, attributes)->queues[FRESHEST_FIRST].asked, 0);
	ck_assert_uint_eq(the_bin(0, BLOOD_GROUP_O_POSITIVE, attributes)->queues[OLDEST_FIRST].asked, 0);
	ck_assert_uint_eq(asked(0, BLOOD_GROUP_O_POSITIVE, OLDEST_FIRST), 0);
}
END_TEST

START_TEST(picky_requests_ask_for_more_than_they_want)
{
	count_all(1000);
	world_request(&world, COMPONENT_RED_CELLS, BLOOD_GROUP_O_POSITIVE, 2, URGENCY_URGENT);
	world_patient(&world, SEX_MALE, 40);
	world_antibody(&world, "anti-Fya");
	demand(1);
	ck_assert_uint_ge(asked(0, BLOOD_GROUP_O_POSITIVE, OLDEST_FIRST), 16);
}
END_TEST

START_TEST(each_round_asks_for_every_bin_deeper)
{
	count_all(1000);
	the_bin(0, BLOOD_GROUP_O_POSITIVE, 0)->queues[OLDEST_FIRST].asked = 100;
	demand_deeper(&world.shelves, 1);
	ck_assert_uint_eq(asked(0, BLOOD_GROUP_O_POSITIVE, OLDEST_FIRST), 100);
	ck_assert_uint_eq(asked(1, BLOOD_GROUP_A_POSITIVE, FRESHEST_FIRST), 64);
	demand_deeper(&world.shelves, 2);
	ck_assert_uint_eq(asked(0, BLOOD_GROUP_O_POSITIVE, OLDEST_FIRST), 512);
	ck_assert_uint_eq(asked(1, BLOOD_GROUP_A_POSITIVE, FRESHEST_FIRST), 512);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("demand");
	TCase *test_case = tcase_create("demand");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, plenty_of_stock_asks_for_the_own_group_alone);
	tcase_add_test(test_case, a_short_group_flows_over);
	tcase_add_test(test_case, units_below_the_floor_are_not_counted_on);
	tcase_add_test(test_case, neonates_ask_for_the_freshest);
	tcase_add_test(test_case, picky_requests_ask_for_more_than_they_want);
	tcase_add_test(test_case, each_round_asks_for_every_bin_deeper);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
