/* The worker's decisions as tables: what was heard before, what is heard now, what goes out; and what time brings. */
#include "notification_bench.h"

#include <string.h>

#include "escalation.h"
#include "run.h"

#define ACKNOWLEDGE(id, rest) "{\"notification_id\":\"" id "\"" rest "}"
#define CREATED(id) \
	"{\"notification_id\":\"" id \
	"\",\"facility_id\":\"hospital-001\",\"role\":\"hospital\",\"channel\":\"inbox\"," \
	"\"kind\":\"request_received\",\"entity\":\"request:x\",\"transition\":\"requested\",\"text\":\"x\"," \
	"\"at\":\"2026-05-28T20:26:40Z\"}"
#define CANCELLED(hospital, at) \
	"{\"request_id\":\"" R1 "\"" hospital ",\"reason\":\"Dr Example says so\",\"cancelled_by\":\"nurse-1\"," \
	"\"cancelled_at\":\"" at "\"}"
#define REFUSED(hospital) \
	"{\"request_id\":\"" R1 "\"" hospital ",\"command\":\"hospital.blood.cancel\",\"causation\":\"" R2 \
	"\",\"reason\":\"wrong_state\",\"detail\":\"it is issued\"}"
#define AT_HOSPITAL ",\"hospital_id\":\"hospital-001\""
#define APPOINTMENT(slot, version, rest) \
	"{\"appointment_id\":\"" R1 "\",\"status\":\"booked\",\"slot_id\":\"dr-adams.20260601." slot \
	"\",\"provider_id\":\"dr-adams\",\"clinic_id\":\"clinic-001\",\"zone\":\"Europe/London\"," \
	"\"patient_ref\":\"patient-1\",\"starts_at\":\"2026-06-01T08:00:00Z\",\"ends_at\":\"2026-06-01T08:30:00Z\"," \
	"\"reason\":\"Dr Example sent him\",\"version\":" version rest "}"
#define MOVED(slot, version) \
	APPOINTMENT(slot, version, \
		",\"from_slot_id\":\"dr-adams.20260601.0800\",\"from_starts_at\":\"2026-06-01T07:00:00Z\"")
#define FLAGGED(number, slot) \
	"{\"appointment_id\":\"11111111-1111-4111-8111-11111111111" number \
	"\",\"slot_id\":\"dr-adams.20260601." slot \
	"\",\"clinic_id\":\"clinic-001\",\"patient_ref\":\"patient-" number \
	"\",\"starts_at\":\"2026-06-01T08:00:00Z\"}"
#define BLOCKED(flagged) \
	"{\"provider_id\":\"dr-adams\",\"from\":\"2026-06-01T00:00:00Z\",\"to\":\"2026-06-02T00:00:00Z\",\"reason\":\"ill\"," \
	"\"slots_blocked\":6,\"flagged\":[" flagged "],\"part\":1,\"parts\":1}"
#define OFFER(version, rest) \
	"{\"waitlist_id\":\"" R2 "\",\"slot_id\":\"dr-adams.20260601.0900\",\"provider_id\":\"dr-adams\"," \
	"\"clinic_id\":\"clinic-001\",\"patient_ref\":\"patient-2\",\"version\":" version rest "}"
#define OFFERED(version) \
	OFFER(version, \
		",\"zone\":\"Europe/London\",\"starts_at\":\"2026-06-01T08:00:00Z\"," \
		"\"ends_at\":\"2026-06-01T08:30:00Z\",\"held_until\":\"2026-05-28T21:00:00Z\"")
#define BOTH(kind) "created:clinic-001/clinic/" kind " created:clinic-001/patient/" kind
#define LATE "2026-05-28T20:26:39Z"
#define AGES_AGO "2026-02-27T20:26:39Z" /* a second more than 90 days before now */

struct example {
	const char *name;
	struct step before[3];
	struct step heard;
	const char *sent;
};

/* clang-format off */
static const struct example examples[] = {
	{ "a request is received", { { 0 } }, { HOSPITAL_BLOOD_REQUESTED, REQUESTED(R1, "routine"), M1 },
		"created:hospital-001/hospital/request_received" },
	{ "the same request in another message", { { HOSPITAL_BLOOD_REQUESTED, REQUESTED(R1, "routine"), M1 } },
		{ HOSPITAL_BLOOD_REQUESTED, REQUESTED(R1, "routine"), M2 }, "" },
	{ "another request", { { HOSPITAL_BLOOD_REQUESTED, REQUESTED(R1, "routine"), M1 } },
		{ HOSPITAL_BLOOD_REQUESTED, REQUESTED(R2, "routine"), M2 }, "created:hospital-001/hospital/request_received" },
	{ "approved", { { 0 } },
		{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "routine", "full", "2", "0", UNIT("1", "bank-001")), M1 },
		"created:hospital-001/hospital/request_approved" },
	{ "another allocation is another transition",
		{ { BLOODBANK_BLOOD_APPROVED, APPROVED("1", "routine", "partial", "1", "1", UNIT("1", "bank-001")), M1 } },
		{ BLOODBANK_BLOOD_APPROVED, APPROVED("2", "routine", "full", "2", "0", UNIT("2", "bank-001")), M2 },
		"created:hospital-001/hospital/request_approved" },
	{ "the same allocation is none",
		{ { BLOODBANK_BLOOD_APPROVED, APPROVED("1", "routine", "partial", "1", "1", UNIT("1", "bank-001")), M1 } },
		{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "routine", "full", "2", "0", UNIT("1", "bank-001")), M2 }, "" },
	{ "an emergency's banks are told, each once", { { 0 } },
		{ BLOODBANK_BLOOD_APPROVED, APPROVED("1", "emergency", "full", "2", "0",
			UNIT("1", "bank-001") "," UNIT("2", "bank-002") "," UNIT("3", "bank-001")), M1 },
		"created:hospital-001/hospital/request_approved created:bank-001/bank/emergency_allocated "
		"created:bank-002/bank/emergency_allocated" },
	{ "rejected", { { 0 } }, { BLOODBANK_BLOOD_REJECTED, REJECTED("urgent"), M1 },
		"created:hospital-001/hospital/request_rejected" },
	{ "cancelled: the hospital alone", { { 0 } },
		{ HOSPITAL_BLOOD_CANCELLED, CANCELLED(AT_HOSPITAL, LATE), M1 }, "created:hospital-001/hospital/request_cancelled" },
	{ "cancelled before anyone knew whose it is", { { 0 } }, { HOSPITAL_BLOOD_CANCELLED, CANCELLED("", LATE), M1 }, "" },
	{ "a refused command", { { 0 } }, { HOSPITAL_BLOOD_REFUSED, REFUSED(AT_HOSPITAL), M1 },
		"created:hospital-001/hospital/request_refused" },
	{ "a refused command of nobody known", { { 0 } }, { HOSPITAL_BLOOD_REFUSED, REFUSED(""), M1 }, "" },
	{ "expired", { { 0 } }, { HOSPITAL_REQUEST_UPDATED, UPDATED("expired"), M1 },
		"created:hospital-001/hospital/request_expired" },
	{ "pending", { { 0 } }, { HOSPITAL_REQUEST_UPDATED, UPDATED("pending"), M1 }, "" },
	{ "approved as a state: the approval told of it", { { 0 } }, { HOSPITAL_REQUEST_UPDATED, UPDATED("approved"), M1 }, "" },
	{ "cancelled as a state: the cancelling told of it", { { 0 } },
		{ HOSPITAL_REQUEST_UPDATED, UPDATED("cancelled"), M1 }, "" },
	{ "low", { { 0 } }, { BLOODBANK_STOCK_LOW, ALERT("7", LATE), M1 }, "created:bank-001/bank/stock_low" },
	{ "low again after it recovered",
		{ { BLOODBANK_STOCK_LOW, ALERT("7", LATE), M1 }, { BLOODBANK_STOCK_RECOVERED, ALERT("8", LATE), M2 } },
		{ BLOODBANK_STOCK_LOW, ALERT("9", LATE), M3 }, "created:bank-001/bank/stock_low" },
	{ "low, heard again", { { BLOODBANK_STOCK_LOW, ALERT("7", LATE), M1 } },
		{ BLOODBANK_STOCK_LOW, ALERT("7", LATE), M2 }, "" },
	{ "critical", { { BLOODBANK_STOCK_LOW, ALERT("7", LATE), M1 } },
		{ BLOODBANK_STOCK_CRITICAL, ALERT("7", LATE), M2 }, "created:bank-001/bank/stock_critical" },
	{ "recovered", { { 0 } }, { BLOODBANK_STOCK_RECOVERED, ALERT("7", LATE), M1 },
		"created:bank-001/bank/stock_recovered" },
	{ "history", { { 0 } }, { BLOODBANK_STOCK_LOW, ALERT("7", AGES_AGO), M1 }, "" },
	{ "a cancellation long ago", { { 0 } }, { HOSPITAL_BLOOD_CANCELLED, CANCELLED(AT_HOSPITAL, AGES_AGO), M1 }, "" },
	{ "stock changed: told later", { { 0 } },
		{ BLOODBANK_INVENTORY_UPDATED, STOCK("bank-001", "O-", "3", "1"), M1 }, "" },
	{ "booked: the clinic and the patient", { { 0 } }, { APPOINTMENT_SLOT_BOOKED, APPOINTMENT("0900", "1", ""), M1 },
		BOTH("appointment_booked") },
	{ "booked, heard again", { { APPOINTMENT_SLOT_BOOKED, APPOINTMENT("0900", "1", ""), M1 } },
		{ APPOINTMENT_SLOT_BOOKED, APPOINTMENT("0900", "1", ""), M2 }, "" },
	{ "booked long ago", { { 0 } },
		{ APPOINTMENT_SLOT_BOOKED, APPOINTMENT("0900", "1", ",\"booked_at\":\"" AGES_AGO "\""), M1 }, "" },
	{ "an appointment is cancelled", { { APPOINTMENT_SLOT_BOOKED, APPOINTMENT("0900", "1", ""), M1 } },
		{ APPOINTMENT_SLOT_CANCELLED, APPOINTMENT("0900", "2", ""), M2 }, BOTH("appointment_cancelled") },
	{ "cancelled again: heard again, not told again", { { APPOINTMENT_SLOT_CANCELLED, APPOINTMENT("0900", "2", ""), M1 } },
		{ APPOINTMENT_SLOT_CANCELLED, APPOINTMENT("0900", "2", ""), M2 }, "" },
	{ "moved", { { 0 } }, { APPOINTMENT_SLOT_MOVED, MOVED("0900", "2"), M1 }, BOTH("appointment_moved") },
	{ "moved again, to the same slot", { { APPOINTMENT_SLOT_MOVED, MOVED("0900", "2"), M1 } },
		{ APPOINTMENT_SLOT_MOVED, MOVED("0900", "4"), M2 }, BOTH("appointment_moved") },
	{ "the provider is away: all who are concerned", { { 0 } },
		{ APPOINTMENT_SCHEDULE_BLOCKED, BLOCKED(FLAGGED("1", "0900") "," FLAGGED("2", "0930")), M1 },
		"created:clinic-001/clinic/provider_away created:clinic-001/clinic/provider_away "
		"created:clinic-001/patient/provider_away created:clinic-001/patient/provider_away" },
	{ "away for longer: only who was not told", { { APPOINTMENT_SCHEDULE_BLOCKED, BLOCKED(FLAGGED("1", "0900")), M1 } },
		{ APPOINTMENT_SCHEDULE_BLOCKED, BLOCKED(FLAGGED("1", "0900") "," FLAGGED("2", "0930")), M2 }, BOTH("provider_away") },
	{ "away when nobody comes", { { 0 } }, { APPOINTMENT_SCHEDULE_BLOCKED, BLOCKED(""), M1 }, "" },
	{ "offered", { { 0 } }, { APPOINTMENT_SLOT_OFFERED, OFFERED("3"), M1 }, BOTH("slot_offered") },
	{ "offered again later", { { APPOINTMENT_SLOT_OFFERED, OFFERED("3"), M1 } },
		{ APPOINTMENT_SLOT_OFFERED, OFFERED("7"), M2 }, BOTH("slot_offered") },
	{ "an offer is over: the patient alone", { { APPOINTMENT_SLOT_OFFERED, OFFERED("3"), M1 } },
		{ APPOINTMENT_SLOT_OFFER_EXPIRED, OFFER("4", ""), M2 }, "created:clinic-001/patient/offer_expired" },
	{ "its own event is heard: delivered", { { HOSPITAL_BLOOD_REQUESTED, REQUESTED(R1, "routine"), M1 } },
		{ NOTIFICATION_MESSAGE_CREATED, CREATED(RECEIVED_R1), M2 }, "delivered:hospital-001" },
	{ "delivered once",
		{ { HOSPITAL_BLOOD_REQUESTED, REQUESTED(R1, "routine"), M1 }, { NOTIFICATION_MESSAGE_CREATED, CREATED(RECEIVED_R1), M2 } },
		{ NOTIFICATION_MESSAGE_CREATED, CREATED(RECEIVED_R1), M3 }, "" },
	{ "an event of what was deleted since", { { 0 } }, { NOTIFICATION_MESSAGE_CREATED, CREATED(RECEIVED_R1), M2 }, "" },
	{ "acknowledged", { { HOSPITAL_BLOOD_REQUESTED, REQUESTED(R1, "routine"), M1 } },
		{ NOTIFICATION_MESSAGE_ACKNOWLEDGE, ACKNOWLEDGE(RECEIVED_R1, ",\"by\":\"nurse-1\""), M2 }, "acknowledged:nurse-1" },
	{ "acknowledged by its facility", { { HOSPITAL_BLOOD_REQUESTED, REQUESTED(R1, "routine"), M1 } },
		{ NOTIFICATION_MESSAGE_ACKNOWLEDGE,
			ACKNOWLEDGE(RECEIVED_R1, ",\"by\":\"nurse-1\",\"facility_id\":\"hospital-001\""), M2 }, "acknowledged:nurse-1" },
	{ "the first one counts",
		{ { HOSPITAL_BLOOD_REQUESTED, REQUESTED(R1, "routine"), M1 },
			{ NOTIFICATION_MESSAGE_ACKNOWLEDGE, ACKNOWLEDGE(RECEIVED_R1, ",\"by\":\"nurse-1\""), M2 } },
		{ NOTIFICATION_MESSAGE_ACKNOWLEDGE, ACKNOWLEDGE(RECEIVED_R1, ",\"by\":\"nurse-2\""), M3 }, "acknowledged:nurse-1" },
	{ "acknowledged by a stranger", { { HOSPITAL_BLOOD_REQUESTED, REQUESTED(R1, "routine"), M1 } },
		{ NOTIFICATION_MESSAGE_ACKNOWLEDGE, ACKNOWLEDGE(RECEIVED_R1, ",\"facility_id\":\"hospital-002\""), M2 },
		"refused:not_owner" },
	{ "what nobody was told", { { 0 } }, { NOTIFICATION_MESSAGE_ACKNOWLEDGE, ACKNOWLEDGE(R2, ""), M1 },
		"refused:unknown_notification" },
	{ "delivered after it was acknowledged",
		{ { HOSPITAL_BLOOD_REQUESTED, REQUESTED(R1, "routine"), M1 },
			{ NOTIFICATION_MESSAGE_ACKNOWLEDGE, ACKNOWLEDGE(RECEIVED_R1, ""), M2 } },
		{ NOTIFICATION_MESSAGE_CREATED, CREATED(RECEIVED_R1), M3 }, "delivered:hospital-001" },
};
/* clang-format on */

START_TEST(each_example)
{
	const struct example *example = &examples[_i];
	const struct step *steps[4];
	struct bench bench;
	size_t count = 0;
	while (count < 3 && example->before[count].event != EVENT_NONE) {
		steps[count] = &example->before[count];
		count++;
	}
	steps[count] = &example->heard;
	bench_open(&bench, steps, count + 1);
	while (bench.decided < count)
		bench_decide(&bench);
	const struct output *last = bench.outbox.last;
	bench_decide(&bench);
	const char *sent = bench_sent_after(&bench, last);
	ck_assert_msg(strcmp(sent, example->sent) == 0, "%s: '%s' instead of '%s'", example->name, sent,
		example->sent);
	bench_close(&bench);
}
END_TEST

static const struct step request = { HOSPITAL_BLOOD_REQUESTED, REQUESTED(R1, "emergency"), M1 };
static const struct step calm_request = { HOSPITAL_BLOOD_REQUESTED, REQUESTED(R2, "routine"), M2 };
static const struct step own = { NOTIFICATION_MESSAGE_CREATED, CREATED(RECEIVED_R1), M3 };
static const struct step read_it = { NOTIFICATION_MESSAGE_ACKNOWLEDGE,
	ACKNOWLEDGE(RECEIVED_R1, ",\"by\":\"nurse-1\""), M3 };
static const struct step read_again = { NOTIFICATION_MESSAGE_ACKNOWLEDGE,
	ACKNOWLEDGE(RECEIVED_R1, ",\"by\":\"nurse-2\""), M4 };

START_TEST(a_second_acknowledgement_hears_the_same_event)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request, &read_it, &read_again }, 3);
	bench_decide(&bench);
	bench_decide(&bench);
	const struct output *first = bench.outbox.last;
	bench_decide(&bench);
	const struct output *second = bench.outbox.last;
	ck_assert_ptr_ne(first, second);
	ck_assert_str_eq(first->message_id, second->message_id);
	ck_assert_str_eq(first->body, second->body);
	ck_assert_str_eq(second->correlation_id, "workflow of " M1);
	bench_close(&bench);
}
END_TEST

START_TEST(what_follows_belongs_to_the_workflow_of_the_fact)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request, &own }, 2);
	bench_decide(&bench);
	bench_decide(&bench);
	ck_assert_str_eq(bench.outbox.first->correlation_id, "workflow of " M1);
	ck_assert_str_eq(bench.outbox.last->correlation_id, "workflow of " M1);
	ck_assert_str_eq(bench.outbox.last->type, "notification.message.delivered");
	bench_close(&bench);
}
END_TEST

START_TEST(a_known_message_with_another_body_is_refused_as_id_conflict)
{
	const struct route *route = notification.routes;
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &read_it }, 1);
	while (route->event != NOTIFICATION_MESSAGE_ACKNOWLEDGE)
		route++;
	outbox_cause(&bench.outbox, bench.messages[0], M1, "digest", 0);
	route->refuse(bench.messages[0], "id_conflict", "another body", &bench.outbox);
	ck_assert_str_eq(bench_sent_after(&bench, NULL), "refused:id_conflict");
	ck_assert_str_eq(bench_member(&bench, bench.outbox.last->body, "causation"), M3);
	bench_close(&bench);
}
END_TEST

/* The timer, on what one batch left in memory; `later_us` after it. */
static void run_escalations(struct bench *bench, int64_t later_us)
{
	struct state *state = bench->batch.state;
	struct notice *notice = state_notice(state, RECEIVED_R1);
	const struct notice *escalated = escalation_notice(notice, state->rules, NOW, &bench->arena);
	struct notice *known = arena_array(&bench->arena, state->notices_count + 1, sizeof(*known));
	memcpy(known, state->notices, state->notices_count * sizeof(*known));
	if (state_notice(state, escalated->notification_id) == NULL)
		known[state->notices_count++].notification_id = escalated->notification_id;
	state->notices = known;
	state_index(state);
	state->due = arena_array(&bench->arena, 1, sizeof(*state->due));
	state->due[0] = state_notice(state, RECEIVED_R1);
	state->due_count = 1;
	bench->batch.now = NOW + later_us;
	outbox_cause(&bench->outbox, NULL, M4, "", 0);
	decide_due_escalations(&bench->batch, &bench->outbox);
}

#define MINUTES(n) (INT64_C(60000000) * (n))

START_TEST(an_emergency_escalates_when_its_time_is_over_and_once)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request }, 1);
	bench_decide(&bench);
	const struct output *created = bench.outbox.last;
	run_escalations(&bench, MINUTES(5) - 1);
	ck_assert_str_eq(bench_sent_after(&bench, created), "");
	run_escalations(&bench, MINUTES(5));
	ck_assert_str_eq(bench_sent_after(&bench, created), "created:hospital-001/supervisor/escalated");
	ck_assert_str_eq(bench_member(&bench, bench.outbox.last->body, "notification_id"), ESCALATED_R1);
	ck_assert_str_eq(bench_member(&bench, bench.outbox.last->body, "entity"), "notification:" RECEIVED_R1);
	ck_assert_str_eq(bench.outbox.last->correlation_id, "workflow of " M1);
	const struct output *escalated = bench.outbox.last;
	run_escalations(&bench, MINUTES(50));
	ck_assert_str_eq(bench_sent_after(&bench, escalated), "");
	ck_assert_int_eq(state_notice(bench.batch.state, ESCALATED_R1)->escalate_at, 0);
	bench_close(&bench);
}
END_TEST

START_TEST(an_acknowledged_emergency_does_not_escalate)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request, &read_it }, 2);
	bench_decide(&bench);
	bench_decide(&bench);
	const struct output *acknowledged = bench.outbox.last;
	run_escalations(&bench, MINUTES(5));
	ck_assert_str_eq(bench_sent_after(&bench, acknowledged), "");
	bench_close(&bench);
}
END_TEST

START_TEST(only_emergencies_may_escalate)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &calm_request, &request }, 2);
	bench_decide(&bench);
	bench_decide(&bench);
	const struct state *state = bench.batch.state;
	for (size_t i = 0; i < state->notices_count; i++)
		ck_assert_int_eq(state->notices[i].escalate_at != 0, state->notices[i].is_emergency);
	ck_assert(state_notice(state, RECEIVED_R1)->is_emergency);
	bench_close(&bench);
}
END_TEST

/* The digests' timer: its load lists the digests, whose ids follow from windows and shelves. */
static void run_digests(struct bench *bench, int64_t later_us)
{
	struct state *state = bench->batch.state;
	bench->batch.now = NOW + later_us;
	state->notices = arena_array(&bench->arena, state->windows_count, sizeof(*state->notices));
	state->notices_count = 0;
	for (size_t i = 0; i < state->windows_count; i++) {
		struct shelf *shelves;
		size_t count = state_shelves_of(state, state->windows[i].bank_id, &shelves);
		const struct notice *notice = stock_digest_notice(&state->windows[i], shelves, count, state->rules,
			bench->batch.now, &bench->arena);
		if (notice != NULL)
			state->notices[state->notices_count++].notification_id = notice->notification_id;
	}
	state_index(state);
	outbox_cause(&bench->outbox, NULL, M4, "", 0);
	decide_due_digests(&bench->batch, &bench->outbox);
}

START_TEST(changes_are_told_when_their_window_is_over)
{
	static const struct step stock[] = {
		{ BLOODBANK_INVENTORY_UPDATED, STOCK("bank-001", "O-", "12", "4"), M1 },
		{ BLOODBANK_INVENTORY_UPDATED, STOCK("bank-001", "A+", "5", "9"), M2 },
		{ BLOODBANK_INVENTORY_UPDATED, STOCK("bank-001", "O-", "99", "3"), M3 },
		{ BLOODBANK_INVENTORY_UPDATED, STOCK("bank-002", "O-", "1", "1"), M4 },
	};
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &stock[0], &stock[1], &stock[2], &stock[3] }, 4);
	while (bench.decided < 4)
		bench_decide(&bench);
	run_digests(&bench, MINUTES(15) - 1);
	ck_assert_str_eq(bench_sent_after(&bench, NULL), "");
	run_digests(&bench, MINUTES(15));
	ck_assert_str_eq(bench_sent_after(&bench, NULL),
		"created:bank-001/bank/stock_digest created:bank-002/bank/stock_digest");
	ck_assert_str_eq(bench_member(&bench, bench.outbox.first->body, "text"),
		"2 shelves changed: O- red_cells 12 available, A+ red_cells 5 available");
	ck_assert_str_eq(bench_member(&bench, bench.outbox.first->body, "transition"),
		"digest:2026-05-28T20:26:40Z");
	const struct output *last = bench.outbox.last;
	run_digests(&bench, MINUTES(30));
	ck_assert_str_eq(bench_sent_after(&bench, last), "");
	bench_close(&bench);
}
END_TEST

START_TEST(the_worker_takes_what_the_contract_sends_it)
{
	size_t count = 0;
	while (notification.routes[count].event != EVENT_NONE)
		count++;
	ck_assert_uint_eq(count, 18);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notification");
	TCase *examples_case = tcase_create("examples"), *rules = tcase_create("rules");
	tcase_add_loop_test(examples_case, each_example, 0, (int)(sizeof(examples) / sizeof(examples[0])));
	tcase_add_test(rules, a_second_acknowledgement_hears_the_same_event);
	tcase_add_test(rules, what_follows_belongs_to_the_workflow_of_the_fact);
	tcase_add_test(rules, a_known_message_with_another_body_is_refused_as_id_conflict);
	tcase_add_test(rules, an_emergency_escalates_when_its_time_is_over_and_once);
	tcase_add_test(rules, an_acknowledged_emergency_does_not_escalate);
	tcase_add_test(rules, only_emergencies_may_escalate);
	tcase_add_test(rules, changes_are_told_when_their_window_is_over);
	tcase_add_test(rules, the_worker_takes_what_the_contract_sends_it);
	suite_add_tcase(suite, examples_case);
	suite_add_tcase(suite, rules);
	return run_suite(suite);
}
