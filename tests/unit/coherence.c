/* The cache's side of the protocol: registration, lease, matched answers, floors, what may be kept and what answered. */
#include "coherence.h"

#include <string.h>

#include "run.h"

enum { TTL = 1000, RENEW = 300, START = 50000 };

static const struct coherence_times times = { TTL, RENEW, 100, 20 };
static const uint64_t row = 41, generation = 100;
static struct coherence cache;
static struct lru *lru;

static void set_up(void)
{
	lru = lru_new(&(struct lru_settings){ .entries_max = 100, .bytes_max = 100000 });
	coherence_init(&cache, &times, lru, 7);
}

static void tear_down(void)
{
	lru_free(lru);
}

static void hear(const struct coherence_request *request, bool is_granted, int64_t now_us)
{
	coherence_hear(&cache, &(struct coherence_answer){ request->number, is_granted, row, generation },
		now_us);
}

/* Registers with a lease from `now_us` on. */
static void join(int64_t now_us)
{
	struct coherence_request request = coherence_ask(&cache, now_us);
	ck_assert_uint_eq(request.renew, 0);
	hear(&request, true, now_us + 5);
}

static struct lru_entry list_of(const char *key, uint64_t n)
{
	return (struct lru_entry){
		.key = key, .key_bytes = strlen(key), .value = "[]", .value_bytes = 2, .certificate = n
	};
}

static bool keep(const char *key, uint64_t n)
{
	struct lru_entry list = list_of(key, n);
	return coherence_keep(&cache, &list);
}

static bool is_hit(const char *key, int64_t now_us)
{
	return coherence_find(&cache, key, strlen(key)) != NULL && coherence_may_answer(&cache, now_us);
}

static void invalidate(const char *key, uint64_t n)
{
	coherence_invalidate(&cache, &key, 1, n);
}

START_TEST(the_lease_counts_from_before_the_request)
{
	ck_assert_int_le(coherence_due_us(&cache), START);
	struct coherence_request request = coherence_ask(&cache, START);
	ck_assert(!coherence_may_answer(&cache, START));
	hear(&request, true, START + 400);
	ck_assert(keep("a", generation + 1));
	ck_assert(is_hit("a", START + 400));
	ck_assert(is_hit("a", START + TTL - 1));
	ck_assert(!is_hit("a", START + TTL));
	ck_assert_uint_eq(cache.counts.without_lease, 2);
}
END_TEST

START_TEST(a_renewal_lengthens_it_and_late_answers_count_from_their_own_request)
{
	join(START);
	struct coherence_request first = coherence_ask(&cache, START + 300),
							 second = coherence_ask(&cache, START + 600);
	ck_assert_uint_eq(first.renew, row);
	ck_assert_uint_ne(first.number, second.number);
	keep("a", generation + 1);
	hear(&first, true, START + 900);
	ck_assert(is_hit("a", START + 1299));
	ck_assert(!is_hit("a", START + 1300));
	hear(&second, true, START + 1400); /* the list stayed: nobody fenced us meanwhile */
	ck_assert(is_hit("a", START + 1599));
	ck_assert(!is_hit("a", START + 1600));
	hear(&first, true, START + 1400); /* said twice */
	ck_assert(!is_hit("a", START + 1600));
}
END_TEST

START_TEST(an_earlier_answer_after_a_later_one_shortens_nothing)
{
	join(START);
	struct coherence_request first = coherence_ask(&cache, START + 300),
							 second = coherence_ask(&cache, START + 600);
	hear(&second, true, START + 610);
	hear(&first, true, START + 620);
	ck_assert(coherence_may_answer(&cache, START + 1599));
}
END_TEST

START_TEST(strange_answers_do_nothing)
{
	struct coherence_request request = coherence_ask(&cache, START), other = request;
	other.number += 1;
	hear(&other, true, START);
	other.number = 0;
	hear(&other, true, START);
	ck_assert_uint_eq(cache.incarnation, 0);
	other = request;
	for (unsigned i = 0; i < COHERENCE_REQUESTS; i++)
		request = coherence_ask(&cache, START + TTL);
	hear(&other, true, START + TTL); /* forgotten */
	ck_assert_uint_eq(cache.incarnation, 0);
	hear(&request, true, START + TTL);
	ck_assert_uint_eq(cache.incarnation, row);
}
END_TEST

START_TEST(a_refusal_drops_everything_and_registers_anew)
{
	join(START);
	keep("a", generation + 1);
	struct coherence_request first = coherence_ask(&cache, START + 300),
							 second = coherence_ask(&cache, START + 600);
	hear(&first, false, START + 610);
	ck_assert_ptr_null(coherence_find(&cache, "a", 1));
	ck_assert(!coherence_may_answer(&cache, START + 611));
	hear(&second, true, START + 620); /* of the row that was left */
	ck_assert(!coherence_may_answer(&cache, START + 620));
	ck_assert(!keep("a", generation + 1));
	ck_assert_int_le(coherence_due_us(&cache), START + 620);
	struct coherence_request request = coherence_ask(&cache, START + 700);
	ck_assert_uint_eq(request.renew, 0);
	ck_assert_uint_eq(request.left, row);
	coherence_hear(&cache, &(struct coherence_answer){ request.number, true, row + 1, generation + 50 },
		START + 705);
	ck_assert(!keep("a", generation + 50));
	ck_assert(keep("a", generation + 51));
	request = coherence_ask(&cache, START + 800);
	ck_assert_uint_eq(request.renew, row + 1);
	ck_assert_uint_eq(request.left, 0);
}
END_TEST

START_TEST(requests_are_due_in_their_rhythm)
{
	coherence_ask(&cache, START);
	ck_assert_int_eq(coherence_due_us(&cache), START + TTL); /* a registration leaves a row: not so often */
	struct coherence_request request = coherence_ask(&cache, START + TTL);
	hear(&request, true, START + TTL + 400);
	ck_assert_int_eq(coherence_due_us(&cache), START + TTL + 400);
	coherence_ask(&cache, START + TTL + 400);
	ck_assert_int_eq(coherence_due_us(&cache), START + TTL + 400 + RENEW);
}
END_TEST

START_TEST(only_what_is_above_all_bounds_is_kept)
{
	ck_assert(!keep("a", UINT64_MAX)); /* not registered */
	ck_assert_uint_eq(coherence_least(&cache, "a", 1), UINT64_MAX);
	join(START);
	ck_assert(!keep("a", 0));
	ck_assert(!keep("a", generation));
	ck_assert(keep("a", generation + 1));
	invalidate("a", generation + 10);
	ck_assert_ptr_null(coherence_find(&cache, "a", 1));
	ck_assert(!keep("a", generation + 10));
	ck_assert_uint_eq(coherence_least(&cache, "a", 1), generation + 11);
	ck_assert_uint_eq(coherence_least(&cache, "b", 1), generation + 1);
	ck_assert(keep("a", generation + 11));
	ck_assert(keep("b", generation + 1));
	invalidate("a", generation + 5); /* late: drops, and lowers nothing */
	ck_assert_ptr_null(coherence_find(&cache, "a", 1));
	ck_assert(!keep("a", generation + 10));
	ck_assert_uint_eq(cache.counts.kept, 3);
	ck_assert_uint_eq(cache.counts.too_old, 5);
}
END_TEST

/* The row is there from the INSERT on: a writer may speak to it before its number is heard. */
START_TEST(floors_are_raised_before_the_registration_is_heard)
{
	struct coherence_request request = coherence_ask(&cache, START);
	invalidate("a", generation + 10);
	hear(&request, true, START + 5);
	ck_assert(!keep("a", generation + 10));
	ck_assert(keep("a", generation + 11));
}
END_TEST

START_TEST(an_invalidation_names_many_keys)
{
	const char *const keys[] = { "a", "b" };
	join(START);
	keep("a", generation + 1);
	keep("b", generation + 1);
	keep("c", generation + 1);
	coherence_invalidate(&cache, keys, 2, generation + 2);
	ck_assert(!is_hit("a", START));
	ck_assert(!is_hit("b", START));
	ck_assert(is_hit("c", START));
}
END_TEST

START_TEST(what_redis_has_wants_a_lease_as_well)
{
	struct lru_entry list = list_of("a", generation + 1), old = list_of("a", generation);
	ck_assert(!coherence_keep_shared(&cache, &list, START));
	join(START);
	ck_assert(!coherence_keep_shared(&cache, &old, START));
	ck_assert(!coherence_keep_shared(&cache, &list, START + TTL));
	ck_assert(coherence_keep_shared(&cache, &list, START + TTL - 1));
}
END_TEST

START_TEST(those_who_joined_want_it_kept_and_a_lease)
{
	join(START);
	ck_assert(coherence_may_join(&cache, true, START));
	ck_assert(!coherence_may_join(&cache, false, START));
	ck_assert(!coherence_may_join(&cache, true, START + TTL));
}
END_TEST

START_TEST(one_that_leaves_answers_nothing)
{
	join(START);
	keep("a", generation + 1);
	struct coherence_request request = coherence_ask(&cache, START + 300);
	const struct coherence_request last = coherence_leave(&cache);
	ck_assert(last.leaves && last.renew == row && last.number == request.number + 1);
	ck_assert(!is_hit("a", START + 301));
	hear(&request, true, START + 302);
	ck_assert(!coherence_may_answer(&cache, START + 302));
	ck_assert_int_eq(coherence_due_us(&cache), INT64_MAX);
}
END_TEST

START_TEST(what_was_granted_too_late_is_given_back)
{
	struct coherence_request first = coherence_ask(&cache, START),
							 second = coherence_ask(&cache, START + TTL);
	const struct coherence_answer mine = { second.number, true, row, generation },
								  late = { first.number, true, row + 1, generation },
								  refused = { first.number, false, 0, 0 };
	coherence_hear(&cache, &mine, START + TTL + 1);
	ck_assert_uint_eq(coherence_return(&cache, &mine).number, 0);
	ck_assert_uint_eq(coherence_return(&cache, &refused).number, 0);
	coherence_hear(&cache, &late, START + TTL + 2);
	ck_assert_uint_eq(cache.incarnation, row);
	const struct coherence_request stray = coherence_return(&cache, &late);
	ck_assert(stray.leaves && stray.renew == row + 1 && stray.number > second.number);
	coherence_hear(&cache, &(struct coherence_answer){ stray.number, false, 0, 0 }, START + TTL + 3);
	ck_assert_uint_eq(cache.incarnation, row);
}
END_TEST

START_TEST(the_number_nought_is_never_given)
{
	coherence_init(&cache, &times, lru, UINT64_MAX - 1);
	ck_assert_uint_eq(coherence_ask(&cache, START).number, UINT64_MAX);
	ck_assert_uint_ne(coherence_ask(&cache, START).number, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coherence");
	TCase *test_case = tcase_create("coherence");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, the_lease_counts_from_before_the_request);
	tcase_add_test(test_case, a_renewal_lengthens_it_and_late_answers_count_from_their_own_request);
	tcase_add_test(test_case, an_earlier_answer_after_a_later_one_shortens_nothing);
	tcase_add_test(test_case, strange_answers_do_nothing);
	tcase_add_test(test_case, a_refusal_drops_everything_and_registers_anew);
	tcase_add_test(test_case, requests_are_due_in_their_rhythm);
	tcase_add_test(test_case, only_what_is_above_all_bounds_is_kept);
	tcase_add_test(test_case, floors_are_raised_before_the_registration_is_heard);
	tcase_add_test(test_case, an_invalidation_names_many_keys);
	tcase_add_test(test_case, what_redis_has_wants_a_lease_as_well);
	tcase_add_test(test_case, those_who_joined_want_it_kept_and_a_lease);
	tcase_add_test(test_case, one_that_leaves_answers_nothing);
	tcase_add_test(test_case, what_was_granted_too_late_is_given_back);
	tcase_add_test(test_case, the_number_nought_is_never_given);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
