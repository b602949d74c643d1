/* Flights: one leads, the others are told in order, may join again, may leave; and the limits. */
#include "flight.h"

#include <stdio.h>
#include <string.h>

#include "run.h"

enum { TOLD_MAX = 16 };

static struct flights *flights;
static char readers[FLIGHT_READERS_MAX + 2]; /* their addresses are what counts */
static const void *told[TOLD_MAX];
static size_t told_count;

static void set_up(void)
{
	flights = flights_new();
	told_count = 0;
}

static void tear_down(void)
{
	flights_free(flights);
}

static enum flight_role join(const char *key, size_t reader)
{
	return flight_join(flights, key, strlen(key), &readers[reader]);
}

static void note(void *owner, void *reader)
{
	ck_assert_ptr_eq(owner, &told_count);
	told[told_count++ % TOLD_MAX] = reader;
}

static void land(const char *key)
{
	told_count = 0;
	flight_land(flights, key, strlen(key), note, &told_count);
}

static void check_told(size_t place, size_t reader)
{
	ck_assert_uint_lt(place, told_count);
	ck_assert_ptr_eq(told[place], &readers[reader]);
}

START_TEST(one_leads_and_the_others_are_told)
{
	ck_assert_int_eq(join("a", 0), FLIGHT_LEAD);
	ck_assert_int_eq(join("b", 1), FLIGHT_LEAD);
	ck_assert_int_eq(join("a", 2), FLIGHT_JOIN);
	ck_assert_int_eq(join("a", 3), FLIGHT_JOIN);
	land("a");
	ck_assert_uint_eq(told_count, 2);
	check_told(0, 2);
	check_told(1, 3);
	land("a"); /* nothing flies any more */
	ck_assert_uint_eq(told_count, 0);
	ck_assert_int_eq(join("a", 4), FLIGHT_LEAD);
	ck_assert_int_eq(join("b", 5), FLIGHT_JOIN);
}
END_TEST

static void join_again(void *owner, void *reader)
{
	enum flight_role *roles = owner;
	roles[told_count++] = flight_join(flights, "a", 1, reader);
}

START_TEST(those_told_may_fly_again)
{
	enum flight_role roles[3];
	join("a", 0);
	join("a", 1);
	join("a", 2);
	join("a", 3);
	flight_land(flights, "a", 1, join_again, roles);
	ck_assert_uint_eq(told_count, 3);
	ck_assert_int_eq(roles[0], FLIGHT_LEAD);
	ck_assert_int_eq(roles[1], FLIGHT_JOIN);
	ck_assert_int_eq(roles[2], FLIGHT_JOIN);
	land("a");
	ck_assert_uint_eq(told_count, 2);
	check_told(0, 2);
	check_told(1, 3);
}
END_TEST

START_TEST(one_that_leaves_is_not_told)
{
	join("a", 0);
	for (size_t reader = 1; reader <= 4; reader++)
		join("a", reader);
	ck_assert(flight_leave(flights, "a", 1, &readers[1]));
	ck_assert(flight_leave(flights, "a", 1, &readers[4]));
	ck_assert(!flight_leave(flights, "a", 1, &readers[4]));
	ck_assert(!flight_leave(flights, "a", 1, &readers[0])); /* it leads */
	ck_assert(!flight_leave(flights, "z", 1, &readers[2]));
	join("a", 5);
	land("a");
	ck_assert_uint_eq(told_count, 3);
	check_told(0, 2);
	check_told(1, 3);
	check_told(2, 5);
}
END_TEST

START_TEST(without_room_one_flies_alone)
{
	char key[LRU_KEY_MAX + 2];
	memset(key, 'k', sizeof(key) - 1);
	key[LRU_KEY_MAX + 1] = '\0';
	ck_assert_int_eq(join(key, 0), FLIGHT_ALONE);
	for (size_t i = 0; i < FLIGHTS_MAX; i++) {
		snprintf(key, sizeof(key), "key %zu", i);
		ck_assert_int_eq(join(key, 0), FLIGHT_LEAD);
	}
	ck_assert_int_eq(join("one more", 0), FLIGHT_ALONE);
	for (size_t i = 0; i < FLIGHT_READERS_MAX; i++)
		ck_assert_int_eq(join("key 7", i), FLIGHT_JOIN);
	ck_assert_int_eq(join("key 8", 0), FLIGHT_ALONE);
	land("key 7");
	ck_assert_uint_eq(told_count, FLIGHT_READERS_MAX);
	ck_assert_int_eq(join("one more", 0), FLIGHT_LEAD);
	ck_assert_int_eq(join("key 8", 0), FLIGHT_JOIN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("flight");
	TCase *test_case = tcase_create("flight");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, one_leads_and_the_others_are_told);
	tcase_add_test(test_case, those_told_may_fly_again);
	tcase_add_test(test_case, one_that_leaves_is_not_told);
	tcase_add_test(test_case, without_room_one_flies_alone);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
