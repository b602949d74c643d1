/* Pure parts of `carebus load`: percentiles, the requests of a run, the schedule that waits for nobody, the journal. */
#include "histogram.h"
#include "journal.h"
#include "load_plan.h"
#include "schedule.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

/* -- percentiles */

START_TEST(small_values_are_exact)
{
	struct histogram histogram;
	histogram_init(&histogram);
	ck_assert_int_eq(histogram_quantile(&histogram, 500), 0);
	for (int i = 1000; i >= 1; i--)
		histogram_add(&histogram, i);
	ck_assert_int_eq(histogram_quantile(&histogram, 0), 1);
	ck_assert_int_eq(histogram_quantile(&histogram, 500), 500);
	ck_assert_int_eq(histogram_quantile(&histogram, 990), 990);
	ck_assert_int_eq(histogram_quantile(&histogram, 999), 999);
	ck_assert_int_eq(histogram_quantile(&histogram, 1000), 1000);
	ck_assert_int_eq(histogram.max, 1000);
	histogram_clear(&histogram);
}
END_TEST

START_TEST(a_rank_between_two_is_the_upper)
{
	struct histogram histogram;
	histogram_init(&histogram);
	for (int i = 1; i <= 3; i++)
		histogram_add(&histogram, i);
	ck_assert_int_eq(histogram_quantile(&histogram, 333), 1);
	ck_assert_int_eq(histogram_quantile(&histogram, 334), 2);
	ck_assert_int_eq(histogram_quantile(&histogram, 500), 2);
	ck_assert_int_eq(histogram_quantile(&histogram, 667), 3);
	histogram_clear(&histogram);
}
END_TEST

static int compare_values(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
	return (a > b) - (a < b);
}

/* Values over nine orders of magnitude, against the sorted list. */
START_TEST(percentiles_are_never_below_and_hardly_above)
{
	enum { COUNT = 20000 };
	static int64_t values[COUNT];
	static const unsigned shares[] = { 10, 100, 250, 500, 750, 900, 990, 999 };
	struct histogram histogram;
	uint64_t random = 88172645463325252U;
	histogram_init(&histogram);
	for (int i = 0; i < COUNT; i++) {
		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		values[i] = (int64_t)((random >> 20) >> (random % 30)) & ((INT64_C(1) << HISTOGRAM_VALUE_BITS) - 1);
		histogram_add(&histogram, values[i]);
	}
	qsort(values, COUNT, sizeof(values[0]), compare_values);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		int64_t wanted = values[shares[i] * COUNT / 1000 - 1];
		int64_t found = histogram_quantile(&histogram, shares[i]);
		ck_assert_int_ge(found, wanted);
		ck_assert_int_le(found - wanted, wanted / 1024);
	}
	ck_assert_int_eq(histogram_quantile(&histogram, 1000), values[COUNT - 1]);
	histogram_clear(&histogram);
}
END_TEST

START_TEST(values_out_of_range_are_kept_at_the_edge)
{
	struct histogram histogram;
	histogram_init(&histogram);
	histogram_add(&histogram, -5);
	histogram_add(&histogram, INT64_MAX);
	ck_assert_uint_eq(histogram.count, 2);
	ck_assert_int_eq(histogram_quantile(&histogram, 500), 0);
	ck_assert_int_eq(histogram_quantile(&histogram, 1000), (INT64_C(1) << HISTOGRAM_VALUE_BITS) - 1);
	histogram_clear(&histogram);
}
END_TEST

/* -- the requests of a run */

START_TEST(ids_tell_the_number_and_scatter)
{
	static const uint64_t numbers[] = { 0, 1, 2, 71999999, (UINT64_C(1) << LOAD_NUMBER_BITS) - 1 };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char id[UUID_TEXT_BYTES];
		uint64_t number = 42;
		load_id_print(UINT64_C(0xfedcba9876543210), numbers[i], id);
		ck_assert(load_id_parse(UINT64_C(0xfedcba9876543210), id, &number));
		ck_assert_uint_eq(number, numbers[i]);
		ck_assert(!load_id_parse(UINT64_C(0xfedcba9876543211), id, &number));
	}
	char one[UUID_TEXT_BYTES], two[UUID_TEXT_BYTES];
	load_id_print(7, 1, one);
	load_id_print(7, 2, two);
	ck_assert_int_ne(strncmp(one, two, 2), 0);
}
END_TEST

START_TEST(other_ids_are_not_ours)
{
	static const char *const ids[] = { "", "x", "11111111-2222-4333-8444-555555555555",
		"00000000-0000-0000-0000-000000000000" };
	uint64_t number = 42;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		ck_assert(!load_id_parse(0, ids[i], &number));
	ck_assert_uint_eq(number, 42);
}
END_TEST

static const struct option_texts no_hospitals;

static struct load_plan plan_of(const char *mix)
{
	struct load_plan plan = { .key = 7, .hospitals = &no_hospitals, .quantity = 3 };
	struct why why = { .text = "" };
	ck_assert_msg(load_mix_parse(mix, &plan.mix, &why), "%s", why.text);
	return plan;
}

START_TEST(a_request_follows_from_its_number)
{
	struct arena arena;
	struct load_plan plan = plan_of(NULL);
	struct hospital_blood_request first, again;
	struct why why = { .text = "" };
	arena_init(&arena);
	for (uint64_t i = 0; i < 1000; i++) {
		load_plan_request(&plan, i, &arena, &first);
		load_plan_request(&plan, i, &arena, &again);
		ck_assert_msg(schema_check(&hospital_blood_request_schema, &first, &why), "%s", why.text);
		ck_assert_str_eq(first.request_id, again.request_id);
		ck_assert(first.group == again.group && first.urgency == again.urgency);
		ck_assert_int_eq(first.quantity, 3);
	}
	arena_clear(&arena);
}
END_TEST

START_TEST(the_mix_is_what_was_asked_for)
{
	enum { COUNT = 20000 };
	struct arena arena;
	struct load_plan plan = plan_of("O-=1,AB+=3,emergency=1,routine=9,platelets=1");
	unsigned groups[LOAD_WEIGHTS_MAX] = { 0 }, urgencies[LOAD_WEIGHTS_MAX] = { 0 }, both = 0;
	arena_init(&arena);
	for (uint64_t i = 0; i < COUNT; i++) {
		struct hospital_blood_request request;
		load_plan_request(&plan, i, &arena, &request);
		groups[request.group]++;
		urgencies[request.urgency]++;
		both += request.group == BLOOD_GROUP_O_NEGATIVE && request.urgency == URGENCY_EMERGENCY;
		ck_assert_int_eq(request.component, COMPONENT_PLATELETS);
	}
	arena_clear(&arena);
	ck_assert_uint_eq(groups[BLOOD_GROUP_O_NEGATIVE] + groups[BLOOD_GROUP_AB_POSITIVE], COUNT);
	ck_assert_int_lt(abs((int)groups[BLOOD_GROUP_O_NEGATIVE] - COUNT / 4), COUNT / 50);
	ck_assert_uint_eq(urgencies[URGENCY_EMERGENCY] + urgencies[URGENCY_ROUTINE], COUNT);
	ck_assert_int_lt(abs((int)urgencies[URGENCY_EMERGENCY] - COUNT / 10), COUNT / 50);
	ck_assert_int_lt(abs((int)both - COUNT / 40), COUNT / 100); /* independent of each other */
}
END_TEST

START_TEST(a_kind_that_is_not_named_is_as_usual)
{
	struct load_plan usual = plan_of(NULL), plan = plan_of("emergency=1");
	ck_assert_mem_eq(usual.mix.groups, plan.mix.groups, sizeof(usual.mix.groups));
	ck_assert_uint_eq(plan.mix.urgencies[URGENCY_ROUTINE], 0);
	ck_assert_uint_eq(plan.mix.urgencies[URGENCY_EMERGENCY], 1);
}
END_TEST

static const char *const bad_mixes[] = { "O", "O-", "O-=", "O-=x", "O-=-1", "O-=1001", "O-=1;A+=1", "=1",
	"C+=1", "O-=0", "O-=1,,A+=1", "O-=1x" };

START_TEST(a_bad_mix_is_refused)
{
	struct load_mix mix;
	struct why why = { .text = "" };
	ck_assert_msg(!load_mix_parse(bad_mixes[_i], &mix, &why), "%s", bad_mixes[_i]);
	ck_assert_ptr_nonnull(strstr(why.text, "--mix"));
}
END_TEST

/* -- the schedule */

static struct journal no_journal = { .file = -1 };

/* 1000 a second from second 1 on. */
static struct schedule start(uint64_t total, uint64_t open_max)
{
	struct schedule schedule;
	schedule_init(&schedule, total, &no_journal);
	schedule.rate = 1000;
	schedule.open_max = open_max;
	schedule.start_us = 1000000;
	return schedule;
}

static uint64_t take_all(struct schedule *schedule, int64_t now_us)
{
	uint64_t number, count = 0;
	schedule_admit(schedule, now_us);
	for (; schedule_take(schedule, &number); count++)
		schedule_sent(schedule, number, now_us);
	return count;
}

START_TEST(requests_become_due_at_their_rate)
{
	struct schedule schedule = start(5000, 10000);
	ck_assert_uint_eq(take_all(&schedule, 999999), 0);
	ck_assert_uint_eq(take_all(&schedule, 1000000), 1);
	ck_assert_uint_eq(take_all(&schedule, 1000999), 0);
	ck_assert_uint_eq(take_all(&schedule, 1001000), 1);
	ck_assert_uint_eq(take_all(&schedule, 2000000), 999);
	ck_assert(!schedule_is_over(&schedule));
	ck_assert_uint_eq(take_all(&schedule, 60000000), 3999);
	ck_assert(schedule_is_over(&schedule));
	ck_assert_uint_eq(schedule.sent, 5000);
	schedule_clear(&schedule);
}
END_TEST

/* A rate that does not divide a second drifts nowhere. */
START_TEST(odd_rates_keep_time)
{
	struct schedule schedule = start(21000, 30000);
	schedule.rate = 7;
	ck_assert_int_eq(schedule_due_us(&schedule, 7), 2000000);
	ck_assert_int_eq(schedule_due_us(&schedule, 20999), 1000000 + INT64_C(20999) * 1000000 / 7);
	ck_assert_int_eq(schedule_due_us(&schedule, 21000), 3001000000);
	schedule_clear(&schedule);
}
END_TEST

/* The peer stalls for a second: whoever was due meanwhile has waited, not only the one that was sent before it. */
START_TEST(a_stall_is_paid_by_all_who_were_due)
{
	struct schedule schedule = start(2000, 10000);
	for (uint64_t i = 0; i < 1000; i++) {
		int64_t now_us = schedule_due_us(&schedule, i);
		take_all(&schedule, now_us);
		schedule_acknowledged(&schedule, i, now_us + 100);
	}
	take_all(&schedule, 3000000);
	for (uint64_t i = 1000; i < 2000; i++)
		schedule_acknowledged(&schedule, i, 3000000);
	ck_assert_uint_eq(schedule.confirm.count, 2000);
	ck_assert_int_eq(histogram_quantile(&schedule.confirm, 500), 100);
	ck_assert_int_ge(histogram_quantile(&schedule.confirm, 750), 500000);
	ck_assert_int_ge(histogram_quantile(&schedule.confirm, 990), 979000);
	ck_assert_int_eq(schedule.confirm.max, 1000000);
	schedule_clear(&schedule);
}
END_TEST

START_TEST(what_overflows_is_counted_and_never_sent)
{
	struct schedule schedule = start(100, 10);
	ck_assert_uint_eq(take_all(&schedule, 1049000), 10);
	ck_assert_uint_eq(schedule.overflow, 40);
	for (uint64_t i = 0; i < 5; i++)
		schedule_acknowledged(&schedule, i, 1049000);
	schedule_failed(&schedule, 5, FAILURE_LOST);
	ck_assert_uint_eq(take_all(&schedule, 1055000), 6);
	ck_assert_uint_eq(schedule.overflow, 40);
	ck_assert_uint_eq(schedule.open, 10);
	ck_assert_uint_eq(take_all(&schedule, 9000000), 0);
	ck_assert(schedule_is_over(&schedule));
	ck_assert_uint_eq(schedule.sent, 16);
	ck_assert_uint_eq(schedule.overflow, 84);
	schedule_clear(&schedule);
}
END_TEST

START_TEST(what_is_heard_twice_counts_once)
{
	struct schedule schedule = start(10, 10);
	take_all(&schedule, 2000000);
	schedule_decided(&schedule, 3, VERDICT_APPROVED, 2000000);
	ck_assert_uint_eq(schedule.awaited, 0);
	schedule_acknowledged(&schedule, 3, 2000000);
	ck_assert_uint_eq(schedule.awaited, 0);
	schedule_acknowledged(&schedule, 3, 2000000);
	schedule_acknowledged(&schedule, 4, 2000000);
	ck_assert_uint_eq(schedule.awaited, 1);
	schedule_decided(&schedule, 4, VERDICT_REJECTED, 2000000);
	schedule_decided(&schedule, 4, VERDICT_APPROVED, 2000000);
	schedule_decided(&schedule, 10, VERDICT_APPROVED, 2000000);
	ck_assert_uint_eq(schedule.awaited, 0);
	ck_assert_uint_eq(schedule.acknowledged, 2);
	ck_assert_uint_eq(schedule.open, 8);
	ck_assert_uint_eq(schedule.decided[VERDICT_APPROVED], 1);
	ck_assert_uint_eq(schedule.decided[VERDICT_REJECTED], 1);
	schedule_clear(&schedule);
}
END_TEST

START_TEST(a_stopped_schedule_is_over)
{
	struct schedule schedule = start(1000, 10);
	take_all(&schedule, 1004000);
	schedule_stop(&schedule);
	ck_assert(schedule_is_over(&schedule));
	ck_assert_uint_eq(take_all(&schedule, 9000000), 0);
	ck_assert_uint_eq(schedule.sent, 5);
	schedule_clear(&schedule);
}
END_TEST

/* -- the journal */

#define A "00000000-0000-4000-8000-00000000000a"
#define B "00000000-0000-4000-8000-00000000000b"

static char path[32];

static void make_path(void)
{
	snprintf(path, sizeof(path), "/tmp/journal-XXXXXX");
	close(mkstemp(path));
}

static void remove_path(void)
{
	unlink(path);
}

static void write_text(const char *text)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

START_TEST(a_journal_reads_what_it_wrote)
{
	struct journal journal;
	struct journal_records records;
	struct why why = { .text = "" };
	ck_assert(journal_open(&journal, path, &why));
	journal_note(&journal, B, JOURNAL_SENT, 1000000, NULL);
	journal_note(&journal, A, JOURNAL_SENT, 1000000, NULL);
	journal_note(&journal, B, JOURNAL_ACKNOWLEDGED, 2000000, NULL);
	ck_assert(journal_flush(&journal, &why));
	journal_note(&journal, B, JOURNAL_DECIDED, 2500000, "refused");
	ck_assert(journal_close(&journal, &why));
	ck_assert(journal_open(&journal, path, &why)); /* another run goes on behind it */
	journal_note(&journal, A, JOURNAL_ACKNOWLEDGED, 3000000, NULL);
	ck_assert(journal_close(&journal, &why));
	ck_assert_msg(journal_read(path, &records, &why), "%s", why.text);
	ck_assert_uint_eq(records.count, 2);
	ck_assert_int_eq(records.items[0].id[15], 0x0a);
	ck_assert_int_eq(records.items[0].events, JOURNAL_SENT | JOURNAL_ACKNOWLEDGED);
	ck_assert(!records.items[0].is_refused);
	ck_assert_int_eq(records.items[1].events, JOURNAL_SENT | JOURNAL_ACKNOWLEDGED | JOURNAL_DECIDED);
	ck_assert(records.items[1].is_refused);
	journal_records_clear(&records);
}
END_TEST

START_TEST(a_torn_last_line_is_no_fault)
{
	struct journal_records records;
	struct why why = { .text = "" };
	write_text("{\"id\":\"" A "\",\"acknowledged\":\"1970-01-01T00:00:01Z\"}\n{\"id\":\"" B "\",\"ackno");
	ck_assert_msg(journal_read(path, &records, &why), "%s", why.text);
	ck_assert_uint_eq(records.count, 1);
	journal_records_clear(&records);
	write_text("");
	ck_assert(journal_read(path, &records, &why));
	ck_assert_uint_eq(records.count, 0);
	journal_records_clear(&records);
}
END_TEST

static const char *const bad_journals[] = { "x\n", "{}\n", "{\"id\":\"7\",\"sent\":\"x\"}\n",
	"{\"id\":\"" A "\"}\n", "[]\n", "\n", "{\"id\":\"" A "\",\"sent\":\"x\"}\n{\"id\":\"" A "\n{}\n" };

START_TEST(a_bad_line_is_named)
{
	struct journal_records records = { .count = 7 };
	struct why why = { .text = "" };
	write_text(bad_journals[_i]);
	ck_assert(!journal_read(path, &records, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "line "));
	ck_assert_uint_eq(records.count, 7);
}
END_TEST

START_TEST(a_journal_that_cannot_be_written_says_so)
{
	struct journal journal;
	struct why why = { .text = "" };
	ck_assert(!journal_open(&journal, "/tmp/none/such", &why));
	ck_assert(journal_close(&journal, &why));
	ck_assert(journal_open(&journal, "/dev/full", &why));
	journal_note(&journal, A, JOURNAL_SENT, 1, NULL);
	ck_assert(!journal_flush(&journal, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "cannot be written"));
	ck_assert(!journal_close(&journal, &why));
}
END_TEST

#define LOOP(test_case, test, table) \
	tcase_add_loop_test(test_case, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
	Suite *suite = suite_create("client_load");
	TCase *test_case = tcase_create("client_load");
	tcase_add_checked_fixture(test_case, make_path, remove_path);
	tcase_add_test(test_case, small_values_are_exact);
	tcase_add_test(test_case, a_rank_between_two_is_the_upper);
	tcase_add_test(test_case, percentiles_are_never_below_and_hardly_above);
	tcase_add_test(test_case, values_out_of_range_are_kept_at_the_edge);
	tcase_add_test(test_case, ids_tell_the_number_and_scatter);
	tcase_add_test(test_case, other_ids_are_not_ours);
	tcase_add_test(test_case, a_request_follows_from_its_number);
	tcase_add_test(test_case, the_mix_is_what_was_asked_for);
	tcase_add_test(test_case, a_kind_that_is_not_named_is_as_usual);
	LOOP(test_case, a_bad_mix_is_refused, bad_mixes);
	tcase_add_test(test_case, requests_become_due_at_their_rate);
	tcase_add_test(test_case, odd_rates_keep_time);
	tcase_add_test(test_case, a_stall_is_paid_by_all_who_were_due);
	tcase_add_test(test_case, what_overflows_is_counted_and_never_sent);
	tcase_add_test(test_case, what_is_heard_twice_counts_once);
	tcase_add_test(test_case, a_stopped_schedule_is_over);
	tcase_add_test(test_case, a_journal_reads_what_it_wrote);
	tcase_add_test(test_case, a_torn_last_line_is_no_fault);
	LOOP(test_case, a_bad_line_is_named, bad_journals);
	tcase_add_test(test_case, a_journal_that_cannot_be_written_says_so);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
