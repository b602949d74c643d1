/* Cancels at the hospital, as tables: at every stage, twice, before the request itself, and among other facts in any order. */
#include "hospital_bench.h"

#include <string.h>

#include "run.h"

static const struct step request_two = { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 };
static const struct step requested_two = { HOSPITAL_BLOOD_REQUESTED, ASK(R1, TWO_O_NEGATIVE), M2 };
static const struct step approve_first = { BLOODBANK_BLOOD_APPROVED,
	APPROVED("1", "partial", UNIT("0A"), "", "20:26:41"), M3 };
static const struct step approve_second = { BLOODBANK_BLOOD_APPROVED,
	APPROVED("2", "full", UNIT("0B"), "", "20:40:00"), "aaaaaaaa-0000-4000-8000-000000000004" };
static const struct step reject_it = { BLOODBANK_BLOOD_REJECTED, REJECTED, M3 };
static const struct step release_first = { BLOODBANK_RESERVATION_RELEASED,
	RELEASED(UNIT_A, "recalled", "1", "20:30:00"), "aaaaaaaa-0000-4000-8000-000000000005" };
static const struct step cancel_it = { HOSPITAL_BLOOD_CANCEL, CANCEL,
	"aaaaaaaa-0000-4000-8000-000000000006" };

#define ENDED "hospital.blood.cancelled hospital.request.updated view"

/* clang-format off */
static const struct example examples[] = {
	{ "a pending request is cancelled", { { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 } },
		{ HOSPITAL_BLOOD_CANCEL, CANCEL, M2 }, ENDED, "2 cancelled 0/2" },
	{ "a scheduled request is cancelled",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE ",\"needed_at\":\"2026-05-30T21:26:41Z\""), M1 } },
		{ HOSPITAL_BLOOD_CANCEL, CANCEL, M2 }, ENDED, "2 cancelled 0/2" },
	{ "an approved request is cancelled; its units are on their way back",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "full", UNIT("0A") "," UNIT("0B"), "", "20:26:41"), M2 } },
		{ HOSPITAL_BLOOD_CANCEL, CANCEL, M3 }, ENDED, "3 cancelled 2/2" },
	{ "the units of a cancelled request are released",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "full", UNIT("0A") "," UNIT("0B"), "", "20:26:41"), M2 },
			{ HOSPITAL_BLOOD_CANCEL, CANCEL, M3 } },
		{ BLOODBANK_RESERVATION_RELEASED, RELEASED(UNIT_A "," UNIT_B, "cancelled", "0", "20:30:00"),
			"aaaaaaaa-0000-4000-8000-000000000009" }, UPDATED, "4 cancelled 0/2" },
	{ "a partially approved request is cancelled",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "partial", UNIT("0A"), "", "20:26:41"), M2 } },
		{ HOSPITAL_BLOOD_CANCEL, CANCEL, M3 }, ENDED, "3 cancelled 1/2" },
	{ "a request that was given up is cancelled",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "partial", UNIT("0A"), "", "20:26:41"), M2 },
			{ BLOODBANK_RESERVATION_RELEASED, RELEASED(UNIT_A, "not_needed", "0", "21:00:00"), M3 } },
		{ HOSPITAL_BLOOD_CANCEL, CANCEL, "aaaaaaaa-0000-4000-8000-000000000009" }, ENDED, "4 cancelled 0/2" },
	{ "a rejected request can't be cancelled",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 }, { BLOODBANK_BLOOD_REJECTED, REJECTED, M2 } },
		{ HOSPITAL_BLOOD_CANCEL, CANCEL, M3 }, "hospital.blood.refused:wrong_state", "2 rejected 0/2" },
	{ "an expired request can't be cancelled",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "full", UNIT("0A") "," UNIT("0B"), "", "20:26:41"), M2 },
			{ BLOODBANK_RESERVATION_RELEASED, RELEASED(UNIT_A "," UNIT_B, "expired", "0", "21:00:00"), M3 } },
		{ HOSPITAL_BLOOD_CANCEL, CANCEL, "aaaaaaaa-0000-4000-8000-000000000009" },
		"hospital.blood.refused:wrong_state", "3 expired 0/2" },
	{ "a rejection after the cancel ends nothing anew",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 }, { HOSPITAL_BLOOD_CANCEL, CANCEL, M2 } },
		{ BLOODBANK_BLOOD_REJECTED, REJECTED, M3 }, UPDATED, "3 cancelled 0/2" },
	{ "a cancelled request is cancelled again",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 }, { HOSPITAL_BLOOD_CANCEL, CANCEL, M2 },
			{ BLOODBANK_BLOOD_REJECTED, REJECTED, M3 } },
		{ HOSPITAL_BLOOD_CANCEL, CANCEL, "aaaaaaaa-0000-4000-8000-000000000009" }, "hospital.blood.cancelled",
		"3 cancelled 0/2" },
	{ "a cancel overtakes its request", { { 0 } }, { HOSPITAL_BLOOD_CANCEL, CANCEL, M1 }, ENDED, "1 cancelled 0/0" },
	{ "a command follows its cancel", { { HOSPITAL_BLOOD_CANCEL, CANCEL, M1 } },
		{ HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M2 }, ACCEPTED, "2 cancelled 0/2" },
	{ "an upstream's event follows its cancel", { { HOSPITAL_BLOOD_CANCEL, CANCEL, M1 } },
		{ HOSPITAL_BLOOD_REQUESTED, ASK(R1, TWO_O_NEGATIVE), M2 }, UPDATED, "2 cancelled 0/2" },
	{ "another request under a cancelled id is refused",
		{ { HOSPITAL_BLOOD_CANCEL, CANCEL, M1 }, { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M2 } },
		{ HOSPITAL_BLOOD_REQUEST, ASK(R1, EMERGENCY), M3 }, "hospital.blood.refused:duplicate_conflict",
		"2 cancelled 0/2" },
};
/* clang-format on */

START_TEST(each_example)
{
	bench_check(&examples[_i]);
}
END_TEST

/* Whatever was learnt of the request since: as in the first answer, so in all that follow. */
START_TEST(whoever_cancels_again_hears_the_same_bytes)
{
	static const struct step again = { HOSPITAL_BLOOD_CANCEL, CANCEL, M3 };
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &cancel_it, &request_two, &again }, 3);
	bench_decide(&bench);
	const struct output *first = bench.outbox.first;
	ck_assert_str_eq(first->body,
		"{\"request_id\":\"" R1 "\",\"reason\":\"no longer needed\",\"cancelled_by\":\"dr-2\","
		"\"cancelled_at\":\"2026-05-28T20:26:40Z\",\"version\":1}");
	bench_decide(&bench);
	bench_decide(&bench);
	const struct output *last = bench.outbox.last;
	ck_assert_str_eq(last->type, "hospital.blood.cancelled");
	ck_assert_str_eq(last->message_id, first->message_id);
	ck_assert_str_eq(last->body, first->body);
	ck_assert_str_eq(last->correlation_id, first->correlation_id);
	bench_close(&bench);
}
END_TEST

START_TEST(a_cancellation_tells_whose_request_it_was)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request_two, &cancel_it }, 2);
	bench_decide(&bench);
	const struct output *before = bench.outbox.last;
	bench_decide(&bench);
	ck_assert_ptr_nonnull(strstr(before->next->body,
		"\"hospital_id\":\"hospital-001\",\"urgency\":\"routine\""));
	ck_assert_ptr_nonnull(strstr(before->next->body, "\"version\":2"));
	ck_assert_str_eq(before->next->correlation_id, "workflow of " M1);
	ck_assert_ptr_nonnull(strstr(bench.outbox.last->body, "\"cancelled_at\":\"2026-05-28T20:26:40Z\""));
	bench_close(&bench);
}
END_TEST

START_TEST(a_refused_cancel_names_the_state)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &reject_it, &cancel_it }, 2);
	bench_decide(&bench);
	bench_decide(&bench);
	const char *body = bench.outbox.last->body;
	ck_assert_ptr_nonnull(strstr(body, "\"command\":\"hospital.blood.cancel\""));
	ck_assert_ptr_nonnull(strstr(body, "\"state\":\"rejected\""));
	ck_assert_ptr_nonnull(strstr(body, "\"hospital_id\":\"hospital-001\""));
	bench_close(&bench);
}
END_TEST

/* A cancel among facts that do not end the request: it counts, whenever it is heard. */
START_TEST(a_cancel_in_any_order_leads_to_the_same_state)
{
	static const struct step *const facts[5] = { &requested_two, &approve_first, &approve_second,
		&release_first, &cancel_it };
	const struct step *order[5];
	struct bench expected, bench;
	bench_open(&expected, facts, 5);
	while (expected.decided < 5)
		bench_decide(&expected);
	bench_permute(facts, _i, order);
	bench_open(&bench, order, 5);
	while (bench.decided < 5)
		bench_decide(&bench);
	ck_assert_str_eq(bench_description(&bench, R1), bench_description(&expected, R1));
	ck_assert_str_eq(bench_state(&bench, R1), "5 cancelled 1/2");
	bench_close(&bench);
	bench_close(&expected);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hospital cancel");
	TCase *examples_case = tcase_create("examples"), *rules = tcase_create("rules");
	tcase_add_loop_test(examples_case, each_example, 0, (int)(sizeof(examples) / sizeof(examples[0])));
	tcase_add_test(rules, whoever_cancels_again_hears_the_same_bytes);
	tcase_add_test(rules, a_cancellation_tells_whose_request_it_was);
	tcase_add_test(rules, a_refused_cancel_names_the_state);
	tcase_add_loop_test(rules, a_cancel_in_any_order_leads_to_the_same_state, 0, 120);
	suite_add_tcase(suite, examples_case);
	suite_add_tcase(suite, rules);
	return run_suite(suite);
}
