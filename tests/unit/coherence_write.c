/* The writer's side: acknowledgements of this write alone, the silent fenced, their leases waited out. */
#include "coherence_write.h"

#include "run.h"

enum { TTL = 1000, SILENT = 100, MARGIN = 20, START = 50000, ID = 9 };

static const struct coherence_times times = { TTL, 300, SILENT, MARGIN };
static struct coherence_write *booking;
static struct coherence_write memory;
static uint64_t named[COHERENCE_ROWS_MAX];

static void set_up(void)
{
	booking = &memory;
}

static void begin(const struct coherence_row rows[], size_t count)
{
	ck_assert(coherence_write_begin(booking, &times, ID, rows, count, START));
}

static void check_commit(int64_t now_us)
{
	int64_t until_us = 0;
	ck_assert_int_eq(coherence_write_next(booking, now_us, &until_us), COHERENCE_COMMIT);
}

static void check_wait(int64_t now_us, int64_t until_us)
{
	int64_t told_us = 0;
	ck_assert_int_eq(coherence_write_next(booking, now_us, &told_us), COHERENCE_WAIT);
	ck_assert_int_eq(told_us, until_us);
}

static void check_fence(int64_t now_us, size_t count, uint64_t first)
{
	int64_t until_us = 0;
	ck_assert_int_eq(coherence_write_next(booking, now_us, &until_us), COHERENCE_FENCE);
	ck_assert_uint_eq(coherence_write_fence(booking, named), count);
	ck_assert_uint_eq(named[0], first);
}

static const struct coherence_row two[] = { { 11, false }, { 12, false } };

START_TEST(nobody_to_tell)
{
	begin(NULL, 0);
	check_commit(START);
}
END_TEST

START_TEST(all_acknowledge)
{
	begin(two, 2);
	check_wait(START, START + SILENT);
	coherence_write_acknowledge(booking, ID, 12);
	check_wait(START + 1, START + SILENT);
	coherence_write_acknowledge(booking, ID, 12);
	coherence_write_acknowledge(booking, ID, 13);
	coherence_write_acknowledge(booking, ID - 1, 11);
	check_wait(START + 1, START + SILENT);
	coherence_write_acknowledge(booking, ID, 11);
	check_commit(START + 2);
	ck_assert_uint_eq(coherence_write_dead(booking, named), 0);
}
END_TEST

START_TEST(one_is_silent)
{
	begin(two, 2);
	coherence_write_acknowledge(booking, ID, 11);
	check_wait(START + SILENT - 1, START + SILENT);
	check_fence(START + SILENT, 1, 12);
	check_wait(START + SILENT, INT64_MAX); /* for that transaction */
	coherence_write_fenced(booking, START + 110);
	check_wait(START + 110, START + 110 + TTL + MARGIN);
	check_wait(START + 110 + TTL + MARGIN - 1, START + 110 + TTL + MARGIN);
	check_commit(START + 110 + TTL + MARGIN);
	ck_assert_uint_eq(coherence_write_dead(booking, named), 1);
	ck_assert_uint_eq(named[0], 12);
}
END_TEST

START_TEST(a_late_word_ends_the_wait)
{
	begin(two, 2);
	check_fence(START + SILENT, 2, 11);
	coherence_write_acknowledge(booking, ID, 11);
	coherence_write_fenced(booking, START + 110);
	check_wait(START + 120, START + 110 + TTL + MARGIN);
	coherence_write_acknowledge(booking, ID, 12);
	check_commit(START + 121);
	ck_assert_uint_eq(coherence_write_dead(booking, named), 0);
}
END_TEST

/* A fence covers those that were named for it, and not one that fell silent while it was under way. */
START_TEST(one_falls_silent_during_the_fence_of_another)
{
	begin(two, 2);
	booking->peers[1].until_us += 50;
	check_fence(START + SILENT, 1, 11);
	int64_t until_us = 0;
	ck_assert_int_eq(coherence_write_next(booking, START + SILENT + 50, &until_us), COHERENCE_FENCE);
	coherence_write_fenced(booking, START + SILENT + 60);
	ck_assert_int_eq(coherence_write_next(booking, START + 5 * TTL, &until_us), COHERENCE_FENCE);
	check_fence(START + 5 * TTL, 1, 12);
	coherence_write_fenced(booking, START + 5 * TTL);
	check_commit(START + 6 * TTL + MARGIN);
}
END_TEST

START_TEST(a_fenced_row_is_waited_for_from_ones_own_read)
{
	const struct coherence_row rows[] = { { 11, true }, { 12, false } };
	begin(rows, 2);
	coherence_write_acknowledge(booking, ID, 12);
	check_wait(START, START + TTL + MARGIN);
	check_commit(START + TTL + MARGIN);
	ck_assert_uint_eq(coherence_write_dead(booking, named), 1);
	begin(rows, 2);
	coherence_write_acknowledge(booking, ID, 12);
	coherence_write_acknowledge(booking, ID, 11);
	check_commit(START + 1);
}
END_TEST

START_TEST(there_is_a_limit)
{
	static struct coherence_row rows[COHERENCE_ROWS_MAX + 1];
	for (size_t i = 0; i <= COHERENCE_ROWS_MAX; i++)
		rows[i].incarnation = i + 1;
	ck_assert(!coherence_write_begin(booking, &times, ID, rows, COHERENCE_ROWS_MAX + 1, START));
	begin(rows, COHERENCE_ROWS_MAX);
	int64_t until_us;
	ck_assert_int_eq(coherence_write_next(booking, START + SILENT, &until_us), COHERENCE_FENCE);
	ck_assert_uint_eq(coherence_write_fence(booking, named), COHERENCE_ROWS_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coherence_write");
	TCase *test_case = tcase_create("coherence_write");
	tcase_add_checked_fixture(test_case, set_up, NULL);
	tcase_add_test(test_case, nobody_to_tell);
	tcase_add_test(test_case, all_acknowledge);
	tcase_add_test(test_case, one_is_silent);
	tcase_add_test(test_case, a_late_word_ends_the_wait);
	tcase_add_test(test_case, one_falls_silent_during_the_fence_of_another);
	tcase_add_test(test_case, a_fenced_row_is_waited_for_from_ones_own_read);
	tcase_add_test(test_case, there_is_a_limit);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
