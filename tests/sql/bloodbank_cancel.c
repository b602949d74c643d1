/* Cancels in the bank's database: at every stage, before the request, beside it, and what they lock against another process. */
#include "bloodbank_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "run.h"

#define ASKED HOSPITAL_BLOOD_REQUESTED
#define CANCEL HOSPITAL_BLOOD_CANCELLED
#define ELSEWHERE(id, hospital, rest) ASK_AT(id, hospital, WANT("A+", "1", "urgent") rest)

/* bank-101 serves the hospitals 101 and 102, bank-102 serves 102 and 103. */
static const struct query query_region = { "region",
	"WITH h AS (INSERT INTO hospital SELECT 'hospital-' || n FROM generate_series(101, 103) n ON CONFLICT DO NOTHING), "
	"b AS (INSERT INTO bank VALUES ('bank-101'), ('bank-102') ON CONFLICT DO NOTHING) "
	"INSERT INTO bank_of_hospital VALUES ('hospital-101', 'bank-101', 1), ('hospital-102', 'bank-101', 2), "
	"('hospital-102', 'bank-102', 3), ('hospital-103', 'bank-102', 4) ON CONFLICT DO NOTHING" };
static const struct query *const own_queries[] = { &query_region, NULL };

static void open_database(void)
{
	open_bank(own_queries);
}

START_TEST(a_cancel_from_first_to_last)
{
	struct bench bench;
	bench_open(&bench);
	run_message(&bench, BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("1", "A+", "") "," BAG("2", "A+", "")));
	ck_assert_str_eq(run_message(&bench, ASKED, ASK(R1, WANT("A+", "1", "routine"))),
		"approved 1 full 1/1 1; stock A+ 1/1; critical A+");
	ck_assert_str_eq(run_message(&bench, ASKED, ASK_AT(R2, "hospital-002", WANT("A+", "2", "routine"))),
		"approved 1 partial 1/2 2; stock A+ 0/2");
	ck_assert_str_eq(run_message(&bench, CANCEL, CANCELLED(R1)),
		"released 1; approved 2 full 2/2 1; stock A+ 0/2");
	ck_assert_str_eq(bench_progress(&bench, R1), "cancelled 0+1 v2");
	ck_assert_str_eq(run_message(&bench, CANCEL, CANCELLED(R1)), "");
	ck_assert_str_eq(run_message(&bench, ASKED, ASK(R1, WANT("A+", "1", "routine"))),
		"approved 1 full 1/1 1");
	ck_assert_str_eq(run_message(&bench, CANCEL, CANCELLED(R2)), "released 2 1; stock A+ 2/0");
	ck_assert_str_eq(run_message(&bench, CANCEL, CANCELLED(R2)), "");
	ck_assert_uint_eq(rounds, 1);
	bench_close(&bench);
}
END_TEST

START_TEST(a_cancelled_scheduled_request)
{
	struct bench bench;
	bench_open(&bench);
	run_message(&bench, BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("1", "A+", "")));
	run_message(&bench, ASKED, ASK(R1, WANT("A+", "1", "routine") ",\"needed_at\":\"2026-06-02T00:00:00Z\""));
	ck_assert_str_eq(run_message(&bench, CANCEL, CANCELLED(R1)), "");
	make_due(NOW);
	ck_assert_str_eq(run_timer(&bench, 0), "");
	bench_close(&bench);
}
END_TEST

START_TEST(a_cancel_before_its_request)
{
	struct bench bench;
	bench_open(&bench);
	run_message(&bench, BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("1", "A+", "")));
	ck_assert_str_eq(run_message(&bench, CANCEL, CANCELLED(R1)), "");
	ck_assert_str_eq(run_message(&bench, CANCEL, CANCELLED(R1)), "");
	ck_assert_str_eq(run_message(&bench, ASKED, ASK(R1, WANT("A+", "1", "emergency"))),
		"!rejected cancelled");
	ck_assert_str_eq(run_message(&bench, CANCEL, CANCELLED(R1)), "");
	ck_assert_str_eq(run_message(&bench, ASKED, ASK(R1, WANT("A+", "1", "emergency"))),
		"!rejected cancelled");
	bench_close(&bench);
}
END_TEST

/* Both messages in one batch, in both orders: as if the cancel had come first. */
START_TEST(a_cancel_beside_its_request)
{
	struct bench bench;
	struct why why = { .text = "" };
	bench_open(&bench);
	run_message(&bench, BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("1", "A+", "")));
	const struct message *asked = bench_message(&bench, ASKED, ASK(R1, WANT("A+", "1", "routine")));
	const struct message *cancel = bench_message(&bench, CANCEL, CANCELLED(R1));
	const struct message *messages[] = { _i == 0 ? asked : cancel, _i == 0 ? cancel : asked };
	bench.batch = (struct batch){ .messages = messages, .count = 2, .now = now, .arena = &bench.arena };
	database_begin(database);
	start_round(&bench);
	check_outcome(bloodbank.load(&bench.batch, database, &why), &why);
	bench_decide(&bench, messages[0]);
	bench_decide(&bench, messages[1]);
	ck_assert_str_eq(finish_batch(&bench), "rejected cancelled");
	ck_assert_str_eq(run_message(&bench, CANCEL, CANCELLED(R1)), "");
	bench_close(&bench);
}
END_TEST

/* Neither sees the other's row before it is committed: a request and its cancel wait for each other at the request itself. */
START_TEST(a_request_and_its_cancel_wait_for_each_other)
{
	const char *body = ASK(R1, WANT("A+", "1", "emergency"));
	ck_assert_int_eq(load_against(ASKED, body, CANCEL, CANCELLED(R1)), RETRY);
	ck_assert_int_eq(load_against(CANCEL, CANCELLED(R1), ASKED, body), RETRY);
	ck_assert_int_eq(load_against(CANCEL, CANCELLED(R1), ASKED, ASK(R2, WANT("A+", "1", "emergency"))), DONE);
}
END_TEST

/* What comes free at bank-101 may be given to hospital-102, which bank-102 serves too. */
START_TEST(a_cancel_locks_all_that_it_may_reach)
{
	struct bench bench;
	bench_open(&bench);
	run_statement(&query_region, NULL);
	run_message(&bench, BLOODBANK_UNIT_RECEIVE,
		"{\"bank_id\":\"bank-101\",\"units\":[" BAG("1", "A+", "") "]}");
	ck_assert_str_eq(run_message(&bench, ASKED, ELSEWHERE(R1, "hospital-101", "")),
		"approved 1 full 1/1 1; stock A+ 0/1; critical A+");
	run_message(&bench, ASKED, ELSEWHERE(R2, "hospital-101", ",\"needed_at\":\"2026-06-20T00:00:00Z\""));
	ck_assert_int_eq(load_against(CANCEL, CANCELLED(R1), ASKED, ELSEWHERE(R3, "hospital-103", "")), RETRY);
	ck_assert_int_eq(load_against(CANCEL, CANCELLED(R2), ASKED, ELSEWHERE(R3, "hospital-103", "")), DONE);
	ck_assert_int_eq(load_against(CANCEL, CANCELLED(R2), ASKED, ELSEWHERE(R3, "hospital-102", "")), RETRY);
	ck_assert_int_eq(load_against(CANCEL, CANCELLED(R1), ASKED, ASK(R3, WANT("A+", "1", "urgent"))), DONE);
	bench_close(&bench);
}
END_TEST

int main(void)
{
	if (getenv("TEST_DATABASE_URL") == NULL) {
		printf("1..0 # SKIP TEST_DATABASE_URL is not set: run it by tests/service/with_servers.py\n");
		return getenv("CI") == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	Suite *suite = suite_create("sql bloodbank cancel");
	TCase *tests = tcase_create("store");
	tcase_add_checked_fixture(tests, open_database, close_bank);
	tcase_add_test(tests, a_cancel_from_first_to_last);
	tcase_add_test(tests, a_cancelled_scheduled_request);
	tcase_add_test(tests, a_cancel_before_its_request);
	tcase_add_loop_test(tests, a_cancel_beside_its_request, 0, 2);
	tcase_add_test(tests, a_request_and_its_cancel_wait_for_each_other);
	tcase_add_test(tests, a_cancel_locks_all_that_it_may_reach);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
