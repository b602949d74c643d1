/* The hospital's decisions as tables: what was heard before, what is heard now, what goes out, what is known then. */
#include "hospital_bench.h"

#include <string.h>

#include "run.h"

static const struct step request_two = { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 };
static const struct step requested_two = { HOSPITAL_BLOOD_REQUESTED, ASK(R1, TWO_O_NEGATIVE), M2 };
static const struct step approve_both = { BLOODBANK_BLOOD_APPROVED,
	APPROVED("1", "full", UNIT("0A") "," UNIT("0B"), "", "20:26:41"), M3 };
static const struct step approve_first = { BLOODBANK_BLOOD_APPROVED,
	APPROVED("1", "partial", UNIT("0A"), "", "20:26:41"), M3 };
static const struct step approve_second = { BLOODBANK_BLOOD_APPROVED,
	APPROVED("2", "full", UNIT("0B"), "", "20:40:00"), "aaaaaaaa-0000-4000-8000-000000000004" };
static const struct step reject_it = { BLOODBANK_BLOOD_REJECTED, REJECTED, M3 };
static const struct step release_first = { BLOODBANK_RESERVATION_RELEASED,
	RELEASED(UNIT_A, "recalled", "1", "20:30:00"), "aaaaaaaa-0000-4000-8000-000000000005" };
static const struct step release_both = { BLOODBANK_RESERVATION_RELEASED,
	RELEASED(UNIT_A "," UNIT_B, "expired", "0", "21:30:00"), NULL };

/* clang-format off */
static const struct example examples[] = {
	{ "a request is accepted", { { 0 } }, { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 }, ACCEPTED,
		"1 pending 0/2" },
	{ "an emergency takes its lane", { { 0 } }, { HOSPITAL_BLOOD_REQUEST, ASK(R1, EMERGENCY), M1 },
		"hospital.blood.requested.emergency hospital.request.updated view", "1 pending 0/2" },
	{ "needed in 49 hours, it is scheduled", { { 0 } },
		{ HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE ",\"needed_at\":\"2026-05-30T21:26:41Z\""), M1 }, ACCEPTED,
		"1 scheduled 0/2" },
	{ "an emergency is never scheduled", { { 0 } },
		{ HOSPITAL_BLOOD_REQUEST, ASK(R1, EMERGENCY ",\"needed_at\":\"2026-06-30T21:26:41Z\""), M1 },
		"hospital.blood.requested.emergency hospital.request.updated view", "1 pending 0/2" },
	{ "needed in 48 hours, it is pending", { { 0 } },
		{ HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE ",\"needed_at\":\"2026-05-30T20:26:40Z\""), M1 }, ACCEPTED,
		"1 pending 0/2" },
	{ "an unknown hospital is refused", { { 0 } },
		{ HOSPITAL_BLOOD_REQUEST,
			"{\"request_id\":\"" R1 "\",\"hospital_id\":\"hospital-999\",\"component\":\"plasma\",\"group\":\"A+\","
			"\"quantity\":1,\"urgency\":\"routine\"}", M1 },
		"hospital.blood.refused:unknown_facility", "unknown" },
	{ "the same request again hears the same", { { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 } },
		{ HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M2 }, ACCEPTED, "1 pending 0/2" },
	{ "defaults written out are the same request", { { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 } },
		{ HOSPITAL_BLOOD_REQUEST, ASK(R1, "\"accept_partial\":true," TWO_O_NEGATIVE), M2 }, ACCEPTED, "1 pending 0/2" },
	{ "another request under the same id is refused", { { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 } },
		{ HOSPITAL_BLOOD_REQUEST, ASK(R1, EMERGENCY), M2 }, "hospital.blood.refused:duplicate_conflict", "1 pending 0/2" },
	{ "its own event changes nothing", { { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 } },
		{ HOSPITAL_BLOOD_REQUESTED,
			ASK(R1, TWO_O_NEGATIVE ",\"requested_at\":\"2026-05-28T20:26:40Z\",\"version\":1"), M2 }, "", "1 pending 0/2" },
	{ "an upstream's event is recorded", { { 0 } }, { HOSPITAL_BLOOD_REQUESTED, ASK(R1, TWO_O_NEGATIVE), M1 }, UPDATED,
		"1 pending 0/2" },
	{ "an upstream's event for another request is refused", { { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 } },
		{ HOSPITAL_BLOOD_REQUESTED, ASK(R1, EMERGENCY), M2 }, "hospital.blood.refused:duplicate_conflict", "1 pending 0/2" },
	{ "a command after the upstream's event is answered", { { HOSPITAL_BLOOD_REQUESTED, ASK(R1, TWO_O_NEGATIVE), M1 } },
		{ HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M2 }, ACCEPTED, "1 pending 0/2" },
	{ "approved in full", { { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 } },
		{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "full", UNIT("0A") "," UNIT("0B"), "", "20:26:41"), M3 }, UPDATED,
		"2 approved 2/2" },
	{ "approved in part", { { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 } },
		{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "partial", UNIT("0A"), "", "20:26:41"), M3 }, UPDATED,
		"2 partially_approved 1/2" },
	{ "approved twice under one number counts once",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "partial", UNIT("0A"), "", "20:26:41"), M2 } },
		{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "partial", UNIT("0A"), "", "20:26:41"), M3 }, "",
		"2 partially_approved 1/2" },
	{ "a back-order is filled",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "partial", UNIT("0A"), "", "20:26:41"), M2 } },
		{ BLOODBANK_BLOOD_APPROVED, APPROVED("2", "full", UNIT("0B"), "", "20:40:00"), M3 }, UPDATED, "3 approved 2/2" },
	{ "rejected", { { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 } }, { BLOODBANK_BLOOD_REJECTED, REJECTED, M3 },
		UPDATED, "2 rejected 0/2" },
	{ "rejected twice counts once",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 }, { BLOODBANK_BLOOD_REJECTED, REJECTED, M2 } },
		{ BLOODBANK_BLOOD_REJECTED, REJECTED, M3 }, "", "2 rejected 0/2" },
	{ "an approval overtakes its request", { { 0 } },
		{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "full", UNIT("0A") "," UNIT("0B"), "", "20:26:41"), M3 }, UPDATED,
		"1 approved 2/2" },
	{ "a rejection overtakes its request", { { 0 } }, { BLOODBANK_BLOOD_REJECTED, REJECTED, M3 }, UPDATED, "1 rejected 0/0" },
	{ "a request follows its approval",
		{ { BLOODBANK_BLOOD_APPROVED, APPROVED("1", "full", UNIT("0A") "," UNIT("0B"), "", "20:26:41"), M2 } },
		{ HOSPITAL_BLOOD_REQUESTED, ASK(R1, TWO_O_NEGATIVE), M1 }, UPDATED, "2 approved 2/2" },
	{ "a command follows its rejection",
		{ { BLOODBANK_BLOOD_REJECTED, REJECTED, M2 } }, { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 }, ACCEPTED,
		"2 rejected 0/2" },
	{ "a unit is lost, the request waits again",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "full", UNIT("0A") "," UNIT("0B"), "", "20:26:41"), M2 } },
		{ BLOODBANK_RESERVATION_RELEASED, RELEASED(UNIT_A, "recalled", "1", "20:30:00"), M3 }, UPDATED,
		"3 partially_approved 1/2" },
	{ "the only units are lost, the request is pending again",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "partial", UNIT("0A"), "", "20:26:41"), M2 } },
		{ BLOODBANK_RESERVATION_RELEASED, RELEASED(UNIT_A, "recalled", "2", "20:30:00"), M3 }, UPDATED, "3 pending 0/2" },
	{ "a reservation runs out",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "full", UNIT("0A") "," UNIT("0B"), "", "20:26:41"), M2 } },
		{ BLOODBANK_RESERVATION_RELEASED, RELEASED(UNIT_A "," UNIT_B, "expired", "0", "21:00:00"), M3 }, UPDATED,
		"3 expired 0/2" },
	{ "a reservation runs out, and the request goes on waiting",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "partial", UNIT("0A"), "", "20:26:41"), M2 } },
		{ BLOODBANK_RESERVATION_RELEASED, RELEASED(UNIT_A, "expired", "1", "21:00:00"), M3 }, UPDATED, "3 pending 0/2" },
	{ "a release that does not say what is waited for ends nothing",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "partial", UNIT("0A"), "", "20:26:39"), M2 } },
		{ BLOODBANK_RESERVATION_RELEASED,
			"{\"request_id\":\"" R1 "\",\"unit_ids\":[" UNIT_A "],\"reason\":\"expired\"}", M3 }, UPDATED, "3 pending 0/2" },
	{ "units that are not needed end the request",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "partial", UNIT("0A"), "", "20:26:41"), M2 } },
		{ BLOODBANK_RESERVATION_RELEASED, RELEASED(UNIT_A, "not_needed", "0", "21:00:00"), M3 }, UPDATED,
		"3 cancelled 0/2" },
	{ "a scheduled request is scheduled no more once it was decided",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE ",\"needed_at\":\"2026-05-30T21:26:41Z\""), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "partial", UNIT("0A"), "", "20:26:41"), M2 } },
		{ BLOODBANK_RESERVATION_RELEASED, RELEASED(UNIT_A, "recalled", "2", "21:00:00"), M3 }, UPDATED, "3 pending 0/2" },
	{ "a release heard twice counts once",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "full", UNIT("0A") "," UNIT("0B"), "", "20:26:41"), M2 },
			{ BLOODBANK_RESERVATION_RELEASED, RELEASED(UNIT_A, "recalled", "1", "20:30:00"), M3 } },
		{ BLOODBANK_RESERVATION_RELEASED, RELEASED(UNIT_A, "recalled", "1", "20:30:00"),
			"aaaaaaaa-0000-4000-8000-000000000009" }, "", "3 partially_approved 1/2" },
	{ "a release overtakes the allocation that it ends",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_RESERVATION_RELEASED, RELEASED(UNIT_A, "recalled", "1", "20:30:00"), M2 } },
		{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "full", UNIT("0A") "," UNIT("0B"), "", "20:26:41"), M3 }, UPDATED,
		"3 partially_approved 1/2" },
	{ "a unit released and reserved anew at once is held",
		{ { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 },
			{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "partial", UNIT("0A"), "", "20:26:41"), M2 },
			{ BLOODBANK_RESERVATION_RELEASED, RELEASED(UNIT_A, "expired", "2", "21:00:00"), M3 } },
		{ BLOODBANK_BLOOD_APPROVED, APPROVED("2", "partial", UNIT("0A"), "", "21:00:00"),
			"aaaaaaaa-0000-4000-8000-000000000009" }, UPDATED, "4 partially_approved 1/2" },
};
/* clang-format on */

START_TEST(each_example)
{
	bench_check(&examples[_i]);
}
END_TEST

START_TEST(a_request_without_an_id_is_known_by_its_message)
{
	static const struct step step = { HOSPITAL_BLOOD_REQUEST,
		"{\"hospital_id\":\"hospital-001\",\"component\":\"cryo\",\"group\":\"unknown\",\"quantity\":1,"
		"\"urgency\":\"emergency\"}",
		M1 };
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &step }, 1);
	bench_decide(&bench);
	ck_assert_str_eq(bench_state(&bench, M1), "1 pending 0/1");
	ck_assert_ptr_nonnull(strstr(bench.outbox.first->body, "\"request_id\":\"" M1 "\""));
	bench_close(&bench);
}
END_TEST

START_TEST(requests_of_one_batch_do_not_touch_each_other)
{
	static const struct step other = { HOSPITAL_BLOOD_REQUEST, ASK(R2, EMERGENCY), M2 };
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request_two, &other, &reject_it }, 3);
	while (bench.decided < 3)
		bench_decide(&bench);
	ck_assert_str_eq(bench_state(&bench, R1), "2 rejected 0/2");
	ck_assert_str_eq(bench_state(&bench, R2), "1 pending 0/2");
	bench_close(&bench);
}
END_TEST

START_TEST(the_accepted_request_is_told_as_it_was_asked)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request_two }, 1);
	bench_decide(&bench);
	ck_assert_str_eq(bench.outbox.first->body,
		"{\"request_id\":\"" R1
		"\",\"hospital_id\":\"hospital-001\",\"component\":\"red_cells\",\"group\":\"O-\","
		"\"quantity\":2,\"urgency\":\"routine\",\"accept_partial\":true,"
		"\"requested_at\":\"2026-05-28T20:26:40Z\",\"version\":1}");
	bench_close(&bench);
}
END_TEST

START_TEST(the_same_request_again_gives_the_same_ids_and_bytes)
{
	static const struct step again = { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M2 };
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request_two, &approve_both, &again }, 3);
	bench_decide(&bench);
	const struct output *requested = bench.outbox.first;
	bench_decide(&bench);
	const struct output *view = bench.outbox.last;
	bench_decide(&bench);
	const struct output *second = view->next;
	ck_assert_str_eq(second->message_id, requested->message_id);
	ck_assert_str_eq(second->body, requested->body);
	ck_assert_str_eq(second->correlation_id, requested->correlation_id);
	ck_assert_str_eq(bench.outbox.last->body, view->body);
	ck_assert_int_eq(bench.outbox.last->version, view->version);
	bench_close(&bench);
}
END_TEST

START_TEST(a_refusal_names_its_command_its_cause_and_the_state)
{
	static const struct step other = { HOSPITAL_BLOOD_REQUEST, ASK(R1, EMERGENCY), M2 };
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request_two, &other }, 2);
	bench_decide(&bench);
	bench_decide(&bench);
	const char *body = bench.outbox.last->body;
	ck_assert_ptr_nonnull(strstr(body, "\"command\":\"hospital.blood.request\""));
	ck_assert_ptr_nonnull(strstr(body, "\"causation\":\"" M2 "\""));
	ck_assert_ptr_nonnull(strstr(body, "\"state\":\"pending\""));
	ck_assert_ptr_nonnull(strstr(body, "\"request_id\":\"" R1 "\""));
	bench_close(&bench);
}
END_TEST

START_TEST(a_known_message_with_another_body_is_refused_as_id_conflict)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request_two }, 1);
	outbox_cause(&bench.outbox, bench.messages[0], M1, "digest", 0);
	hospital.routes[0].refuse(bench.messages[0], "id_conflict", "another body", &bench.outbox);
	ck_assert_str_eq(bench_sent_after(&bench, NULL), "hospital.blood.refused:id_conflict");
	bench_close(&bench);
}
END_TEST

START_TEST(a_later_decision_belongs_to_the_workflow_of_its_request)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request_two, &approve_both }, 2);
	bench_decide(&bench);
	bench_decide(&bench);
	const struct output *event = bench.outbox.first;
	while (event->next->next != NULL)
		event = event->next;
	ck_assert_str_eq(event->type, "hospital.request.updated");
	ck_assert_str_eq(event->correlation_id, "workflow of " M1);
	bench_close(&bench);
}
END_TEST

START_TEST(the_description_shows_units_warnings_and_times)
{
	static const struct step warned = { BLOODBANK_BLOOD_APPROVED,
		APPROVED("1", "partial", UNIT("0A"), "{\"code\":\"short_dated\"},{\"code\":\"short_dated\"}",
			"20:26:41"),
		M3 };
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request_two, &warned }, 2);
	bench_decide(&bench);
	bench_decide(&bench);
	struct hospital_request_updated state;
	request_describe(requests_find(bench.batch.state, R1), &bench.arena, &state);
	ck_assert_uint_eq(state.units_count, 1);
	ck_assert_str_eq(state.units[0].unit_id, "A999926000001-RC01-0A");
	ck_assert_str_eq(state.units[0].bank_id, "bank-001");
	ck_assert(state.units[0].has_reserved_until);
	ck_assert_uint_eq(state.warnings_count, 1);
	ck_assert(state.has_decided_at);
	ck_assert_int_eq(state.decided_at, NOW + 1000000);
	ck_assert_int_eq(state.requested_at, NOW);
	ck_assert(!state.has_issued_at && !state.has_received_at && !state.has_cancelled_at);
	bench_close(&bench);
}
END_TEST

START_TEST(the_last_decision_dates_the_description)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &approve_second, &approve_first }, 2);
	bench_decide(&bench);
	bench_decide(&bench);
	struct hospital_request_updated state;
	request_describe(requests_find(bench.batch.state, R1), &bench.arena, &state);
	ck_assert_int_eq(state.decided_at, NOW + INT64_C(800) * 1000000);
	ck_assert_int_eq(state.quantity_requested, 2);
	ck_assert_str_eq(state.units[0].unit_id, "A999926000001-RC01-0A");
	bench_close(&bench);
}
END_TEST

START_TEST(a_rejection_shows_its_reason)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request_two, &reject_it }, 2);
	bench_decide(&bench);
	bench_decide(&bench);
	struct hospital_request_updated state;
	request_describe(requests_find(bench.batch.state, R1), &bench.arena, &state);
	ck_assert_int_eq(state.reason, REJECTION_INSUFFICIENT_STOCK);
	ck_assert_str_eq(state.detail, "2 wanted, 1 there");
	ck_assert_int_eq(state.decided_at, NOW + 1000000);
	bench_close(&bench);
}
END_TEST

START_TEST(an_upstreams_clock_does_not_lead_ours)
{
	static const struct step early = { HOSPITAL_BLOOD_REQUESTED,
		ASK(R1, TWO_O_NEGATIVE ",\"requested_at\":\"2026-05-28T19:00:00Z\""), M1 };
	static const struct step late = { HOSPITAL_BLOOD_REQUESTED,
		ASK(R2, TWO_O_NEGATIVE ",\"requested_at\":\"2027-01-01T00:00:00Z\""), M2 };
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &early, &late }, 2);
	bench_decide(&bench);
	bench_decide(&bench);
	ck_assert_int_lt(requests_find(bench.batch.state, R1)->requested_at, NOW);
	ck_assert_int_eq(requests_find(bench.batch.state, R2)->requested_at, NOW);
	bench_close(&bench);
}
END_TEST

START_TEST(facts_in_any_order_lead_to_the_same_state)
{
	static const struct step *const facts[5] = { &requested_two, &approve_first, &approve_second,
		&release_first, &release_both };
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
	ck_assert_str_eq(bench_state(&bench, R1), "5 expired 0/2");
	bench_close(&bench);
	bench_close(&expected);
}
END_TEST

START_TEST(the_worker_takes_what_the_contract_sends_it)
{
	size_t count = 0;
	while (hospital.routes[count].event != EVENT_NONE)
		count++;
	ck_assert_uint_eq(count, 6);
	ck_assert_str_eq(event_type(hospital.routes[0].event)->id_field, "request_id");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hospital");
	TCase *examples_case = tcase_create("examples"), *rules = tcase_create("rules");
	tcase_add_loop_test(examples_case, each_example, 0, (int)(sizeof(examples) / sizeof(examples[0])));
	tcase_add_test(rules, a_request_without_an_id_is_known_by_its_message);
	tcase_add_test(rules, requests_of_one_batch_do_not_touch_each_other);
	tcase_add_test(rules, the_accepted_request_is_told_as_it_was_asked);
	tcase_add_test(rules, the_same_request_again_gives_the_same_ids_and_bytes);
	tcase_add_test(rules, a_refusal_names_its_command_its_cause_and_the_state);
	tcase_add_test(rules, a_known_message_with_another_body_is_refused_as_id_conflict);
	tcase_add_test(rules, a_later_decision_belongs_to_the_workflow_of_its_request);
	tcase_add_test(rules, the_description_shows_units_warnings_and_times);
	tcase_add_test(rules, the_last_decision_dates_the_description);
	tcase_add_test(rules, a_rejection_shows_its_reason);
	tcase_add_test(rules, an_upstreams_clock_does_not_lead_ours);
	tcase_add_loop_test(rules, facts_in_any_order_lead_to_the_same_state, 0, 120);
	tcase_add_test(rules, the_worker_takes_what_the_contract_sends_it);
	suite_add_tcase(suite, examples_case);
	suite_add_tcase(suite, rules);
	return run_suite(suite);
}
