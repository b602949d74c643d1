/* Cancels at the bank: what is held before, what comes in, what goes out. */
#include "bloodbank_bench.h"

#include <string.h>

#include "run.h"

#define ASKED HOSPITAL_BLOOD_REQUESTED
#define A_POSITIVE BLOOD_GROUP_A_POSITIVE

/* A request of two units, both held. */
static struct request *held_request(struct bench *bench, int64_t expires_at)
{
	struct request *request = bench_request(bench, ASK(R1, WANT("A+", "2", "routine")), PROGRESS_SETTLED, 2);
	const struct bag *first = bench_reserved(bench, 1, A_POSITIVE, expires_at, request, NOW + ONE_DAY);
	const struct bag *second =
		bench_reserved(bench, 2, A_POSITIVE, NOW + ONE_DAY * 9, request, NOW + ONE_DAY);
	bench_given(bench, request, first, second, NOW - ONE_HOUR);
	return request;
}

#define CANCEL(bench) bench_send(bench, HOSPITAL_BLOOD_CANCELLED, CANCELLED(R1))

START_TEST(a_cancel_gives_back_what_is_held)
{
	struct bench bench;
	bench_open(&bench);
	held_request(&bench, NOW + ONE_DAY * 8);
	ck_assert_str_eq(CANCEL(&bench), "released 1 2");
	ck_assert_str_eq(bench.heard->correlation_id, "its own workflow");
	ck_assert_ptr_nonnull(strstr(bench.heard->body,
		"\"reason\":\"cancelled\",\"quantity_allocated\":0,\"backordered\":0,"
		"\"released_at\":\"2026-05-28T20:26:40Z\""));
	ck_assert_str_eq(bench_progress(&bench, R1), "cancelled 0+2 v2");
	ck_assert_str_eq(CANCEL(&bench), "");
	ck_assert_str_eq(bench_progress(&bench, R1), "cancelled 0+2 v2");
	bloodbank.conclude(&bench.batch, &bench.outbox);
	ck_assert_str_eq(bench_told(&bench), "stock A+ 2/0");
	ck_assert(!bench.batch.wants_more);
	bench_close(&bench);
}
END_TEST

START_TEST(what_a_cancel_frees_goes_to_those_who_wait)
{
	struct bench bench;
	bench_open(&bench);
	held_request(&bench, NOW + ONE_DAY * 8);
	struct request *later = bench_request(&bench, ASK(R2, WANT("A+", "2", "routine")), PROGRESS_WAITING, 1);
	struct request *urgent = bench_request(&bench, ASK(R3, WANT("A+", "2", "urgent")), PROGRESS_WAITING, 1);
	later->received_at = urgent->received_at - 1;
	ck_assert_str_eq(CANCEL(&bench), "released 1 2; approved 2 full 2/2 1; approved 2 full 2/2 2");
	ck_assert_ptr_nonnull(strstr(bench.heard->body, R2));
	bloodbank.conclude(&bench.batch, &bench.outbox);
	ck_assert_str_eq(bench_told(&bench), "stock A+ 0/2; critical A+");
	bench_close(&bench);
}
END_TEST

START_TEST(a_cancelled_back_order_waits_no_more)
{
	struct bench bench;
	bench_open(&bench);
	struct request *request = bench_request(&bench, ASK(R1, WANT("A+", "3", "routine")), PROGRESS_WAITING, 1);
	bench_given(&bench, request,
		bench_reserved(&bench, 1, A_POSITIVE, NOW + ONE_DAY * 3, request, NOW + ONE_DAY), NULL,
		NOW - ONE_HOUR);
	ck_assert_str_eq(CANCEL(&bench), "released 1");
	ck_assert_ptr_nonnull(strstr(bench.heard->body, "\"backordered\":0"));
	ck_assert_str_eq(bench_send(&bench, BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("5", "A+", ""))), "received 5");
	ck_assert_str_eq(bench_progress(&bench, R1), "cancelled 0+1 v2");
	bench_close(&bench);
}
END_TEST

START_TEST(a_cancelled_scheduled_request_is_dropped)
{
	struct bench bench;
	bench_open(&bench);
	bench_stock(&bench, 1, A_POSITIVE, 10);
	const char *body = ASK(R1, WANT("A+", "1", "routine") ",\"needed_at\":\"2026-06-30T00:00:00Z\"");
	struct request *request = bench_request(&bench, body, PROGRESS_SCHEDULED, 0);
	bench.state->due_requests = &request;
	bench.state->due_requests_count = 1;
	ck_assert_str_eq(CANCEL(&bench), "");
	bloodbank.timers[0].decide(&bench.batch, &bench.outbox);
	ck_assert_str_eq(bench_told(&bench), "");
	ck_assert_str_eq(bench_progress(&bench, R1), "cancelled 0+0 v2");
	bench_close(&bench);
}
END_TEST

START_TEST(a_rejected_request_has_nothing_to_cancel)
{
	struct bench bench;
	bench_open(&bench);
	ck_assert_str_eq(bench_send(&bench, ASKED, ASK(R1, WANT("A+", "1", "routine"))),
		"rejected no_compatible_stock");
	ck_assert_str_eq(CANCEL(&bench), "");
	ck_assert_str_eq(bench_progress(&bench, R1), "rejected 0+0 v1");
	bench_close(&bench);
}
END_TEST

START_TEST(a_cancel_overtakes_its_request)
{
	struct bench bench;
	bench_open(&bench);
	bench_stock(&bench, 1, A_POSITIVE, 10);
	ck_assert_str_eq(CANCEL(&bench), "");
	ck_assert_str_eq(CANCEL(&bench), "");
	ck_assert(bench.state->first_ending->is_new);
	ck_assert_ptr_null(bench.state->first_ending->next);
	const char *body = ASK(R1, WANT("A+", "1", "emergency") ",\"needed_at\":\"2026-06-30T00:00:00Z\"");
	ck_assert_str_eq(bench_send(&bench, ASKED, body), "!rejected cancelled");
	ck_assert_str_eq(bench_send(&bench, ASKED, body), "!rejected cancelled");
	ck_assert_str_eq(CANCEL(&bench), "");
	ck_assert_str_eq(bench_progress(&bench, R1), "rejected 0+0 v1");
	bench_close(&bench);
}
END_TEST

START_TEST(a_tombstone_is_laid_once)
{
	struct bench bench;
	bench_open(&bench);
	state_ending(bench.state, R1)->is_buried = true;
	ck_assert_str_eq(CANCEL(&bench), "");
	ck_assert(!bench.state->first_ending->is_new);
	ck_assert_str_eq(bench_send(&bench, ASKED, ASK(R1, WANT("A+", "1", "routine"))), "rejected cancelled");
	bench_close(&bench);
}
END_TEST

/* Load has found both messages in the batch: nothing is reserved that would have to be given back at once. */
START_TEST(a_request_and_its_cancel_in_one_batch)
{
	struct bench bench;
	bench_open(&bench);
	bench_stock(&bench, 1, A_POSITIVE, 10);
	bench_request(&bench, ASK(R2, WANT("A+", "2", "routine")), PROGRESS_WAITING, 1);
	state_ending(bench.state, R1);
	state_ending(bench.state, R2);
	ck_assert_str_eq(bench_send(&bench, ASKED, ASK(R1, WANT("A+", "1", "routine"))), "rejected cancelled");
	ck_assert_str_eq(CANCEL(&bench), "");
	ck_assert_str_eq(bench_send(&bench, BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("5", "A+", ""))), "received 5");
	ck_assert(!bench.state->first_ending->is_new);
	bench_close(&bench);
}
END_TEST

/* Nothing changes, and the next load looks again. */
START_TEST(a_unit_given_after_the_look)
{
	struct bench bench;
	bench_open(&bench);
	struct request *request = held_request(&bench, NOW + ONE_DAY * 8);
	const struct bag unseen = { .unit.unit_id = "A999926000009-E0336-00" };
	bench_given(&bench, request, &unseen, NULL, NOW - ONE_HOUR);
	ck_assert_str_eq(CANCEL(&bench), "");
	ck_assert(bench.batch.wants_more);
	ck_assert_str_eq(bench_progress(&bench, R1), "settled 2+0 v1");
	bench_close(&bench);
}
END_TEST

START_TEST(a_unit_given_twice_is_released_once)
{
	struct bench bench;
	bench_open(&bench);
	struct request *request = held_request(&bench, NOW + ONE_DAY * 8);
	bench_given(&bench, request, state_bag(bench.state, "A999926000001-E0336-00"), NULL, NOW - ONE_MINUTE);
	ck_assert_str_eq(CANCEL(&bench), "released 1 2");
	ck_assert_str_eq(bench_progress(&bench, R1), "cancelled 0+2 v2");
	bench_close(&bench);
}
END_TEST

START_TEST(what_a_cancelled_request_held_may_have_expired)
{
	struct bench bench;
	bench_open(&bench);
	held_request(&bench, NOW);
	ck_assert_str_eq(CANCEL(&bench), "released 1 2; expired 1");
	bloodbank.conclude(&bench.batch, &bench.outbox);
	ck_assert_str_eq(bench_told(&bench), "stock A+ 1/0");
	bench_close(&bench);
}
END_TEST

/* The approval was decided by a process whose clock is ahead: it must not seem to be the later one. */
START_TEST(a_release_is_later_than_what_it_ends)
{
	struct bench bench;
	bench_open(&bench);
	struct request *request = held_request(&bench, NOW + ONE_DAY * 8);
	bench_given(&bench, request, state_bag(bench.state, "A999926000001-E0336-00"), NULL, NOW + 5000000);
	CANCEL(&bench);
	ck_assert_ptr_nonnull(strstr(bench.heard->body, "\"released_at\":\"2026-05-28T20:26:45.000001Z\""));
	bench_close(&bench);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bloodbank cancel");
	TCase *tests = tcase_create("decisions");
	tcase_add_test(tests, a_cancel_gives_back_what_is_held);
	tcase_add_test(tests, what_a_cancel_frees_goes_to_those_who_wait);
	tcase_add_test(tests, a_cancelled_back_order_waits_no_more);
	tcase_add_test(tests, a_cancelled_scheduled_request_is_dropped);
	tcase_add_test(tests, a_rejected_request_has_nothing_to_cancel);
	tcase_add_test(tests, a_cancel_overtakes_its_request);
	tcase_add_test(tests, a_tombstone_is_laid_once);
	tcase_add_test(tests, a_request_and_its_cancel_in_one_batch);
	tcase_add_test(tests, a_unit_given_after_the_look);
	tcase_add_test(tests, a_unit_given_twice_is_released_once);
	tcase_add_test(tests, what_a_cancelled_request_held_may_have_expired);
	tcase_add_test(tests, a_release_is_later_than_what_it_ends);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
