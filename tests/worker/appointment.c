/* The worker's decisions as tables: what was heard before in the same batch, what is heard now, what goes out; and what time brings. */
#include "appointment_bench.h"

#include <string.h>

#include "clock.h"
#include "run.h"

/* HMAC of M1 under the bench's installation, as another program makes it. */
#define TOKEN "2e32eaaef7b3624abc7d52e21508b0c5"
#define ABOUT(id) "{\"appointment_id\":\"" id "\"}"
#define ENTRY(id) "{\"waitlist_id\":\"" id "\"}"
#define RELEASE(slot, token) "{\"slot_id\":\"" slot "\",\"hold_token\":\"" token "\"}"
#define ABSENCE(provider, from, to) \
	"{\"provider_id\":\"" provider "\",\"from\":\"" from "\",\"to\":\"" to "\",\"reason\":\"ill\"}"

struct example {
	const char *name;
	struct step before[3];
	struct step heard;
	const char *sent;
};

/* clang-format off */
static const struct example examples[] = {
	{ "a free slot", { { 0 } }, { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 }, "booked:0900/p1" },
	{ "a slot that was booked a moment ago", { { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 } },
		{ APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p2"), M2 }, "refused:taken" },
	{ "the next one, by the same patient", { { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 } },
		{ APPOINTMENT_SLOT_BOOK, BOOK(HALF_PAST, "p1"), M2 }, "booked:0930/p1" },
	{ "no slot", { { 0 } }, { APPOINTMENT_SLOT_BOOK, BOOK("dr-adams.20260601.2300", "p1"), M1 }, "refused:unknown_slot" },
	{ "a slot that is freed can be booked again, by the same patient",
		{ { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 }, { APPOINTMENT_SLOT_CANCEL, CANCEL(M1, "p1"), M2 } },
		{ APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M3 }, "booked:0900/p1" },
	{ "a command that was decided long ago", { { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 } },
		{ APPOINTMENT_SLOT_BOOK, BOOK(HALF_PAST, "p1"), M1 }, "" },
	{ "held: the token goes to the asker", { { 0 } }, { APPOINTMENT_SLOT_HOLD, HOLD(NINE, "p1"), M1 },
		"held:0900/p1 answered:0900" },
	{ "held already", { { APPOINTMENT_SLOT_HOLD, HOLD(NINE, "p1"), M1 } },
		{ APPOINTMENT_SLOT_HOLD, HOLD(NINE, "p1"), M2 }, "refused:held" },
	{ "booked with its token", { { APPOINTMENT_SLOT_HOLD, HOLD(NINE, "p1"), M1 } },
		{ APPOINTMENT_SLOT_BOOK, BOOK_WITH(NINE, "p1", TOKEN), M2 }, "booked:0900/p1" },
	{ "booked without", { { APPOINTMENT_SLOT_HOLD, HOLD(NINE, "p1"), M1 } },
		{ APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M2 }, "refused:held" },
	{ "given back", { { APPOINTMENT_SLOT_HOLD, HOLD(NINE, "p1"), M1 } },
		{ APPOINTMENT_SLOT_RELEASE, RELEASE(NINE, TOKEN), M2 }, "released:0900" },
	{ "given back by a stranger", { { APPOINTMENT_SLOT_HOLD, HOLD(NINE, "p1"), M1 } },
		{ APPOINTMENT_SLOT_RELEASE, RELEASE(NINE, "x"), M2 }, "refused:not_owner" },
	{ "cancelled by a stranger", { { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 } },
		{ APPOINTMENT_SLOT_CANCEL, CANCEL(M1, "p2"), M2 }, "refused:not_owner" },
	{ "cancelled twice: heard again",
		{ { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 }, { APPOINTMENT_SLOT_CANCEL, CANCEL(M1, "p1"), M2 } },
		{ APPOINTMENT_SLOT_CANCEL, CANCEL(M1, "p1"), M3 }, "cancelled:0900/p1" },
	{ "no appointment", { { 0 } }, { APPOINTMENT_SLOT_CANCEL, CANCEL(A1, "p1"), M1 }, "refused:unknown_appointment" },
	{ "moved", { { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 } },
		{ APPOINTMENT_SLOT_MOVE, MOVE(M1, TEN, "p1"), M2 }, "moved:1000/p1" },
	{ "moved onto a taken slot",
		{ { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 }, { APPOINTMENT_SLOT_BOOK, BOOK(TEN, "p2"), M2 } },
		{ APPOINTMENT_SLOT_MOVE, MOVE(M1, TEN, "p1"), M3 }, "refused:taken" },
	{ "moved onto itself", { { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 } },
		{ APPOINTMENT_SLOT_MOVE, MOVE(M1, NINE, "p1"), M2 }, "refused:taken" },
	{ "what it left is free",
		{ { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 }, { APPOINTMENT_SLOT_MOVE, MOVE(M1, TEN, "p1"), M2 } },
		{ APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M3 }, "booked:0900/p1" },
	{ "arrived", { { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 } },
		{ APPOINTMENT_VISIT_ARRIVE, ABOUT(M1), M2 }, "arrived:0900/p1" },
	{ "completed without arriving", { { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 } },
		{ APPOINTMENT_VISIT_COMPLETE, ABOUT(M1), M2 }, "refused:wrong_state" },
	{ "completed", { { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 }, { APPOINTMENT_VISIT_ARRIVE, ABOUT(M1), M2 } },
		{ APPOINTMENT_VISIT_COMPLETE, ABOUT(M1), M3 }, "completed:0900/p1" },
	{ "moved after arriving", { { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 }, { APPOINTMENT_VISIT_ARRIVE, ABOUT(M1), M2 } },
		{ APPOINTMENT_SLOT_MOVE, MOVE(M1, TEN, "p1"), M3 }, "refused:wrong_state" },
	{ "a cancelled slot is offered to who joined",
		{ { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 }, { APPOINTMENT_WAITLIST_JOIN, JOIN("p2"), M2 } },
		{ APPOINTMENT_SLOT_CANCEL, CANCEL(M1, "p1"), M3 }, "cancelled:0900/p1 offered:0900/p2" },
	{ "joined with no such provider", { { 0 } },
		{ APPOINTMENT_WAITLIST_JOIN, "{\"provider_id\":\"dr-x\",\"patient_ref\":\"p1\"}", M1 }, "refused:unknown_provider" },
	{ "left", { { APPOINTMENT_WAITLIST_JOIN, JOIN("p2"), M1 } }, { APPOINTMENT_WAITLIST_LEAVE, ENTRY(M1), M2 }, "left:/p2" },
	{ "declined what is not offered", { { APPOINTMENT_WAITLIST_JOIN, JOIN("p2"), M1 } },
		{ APPOINTMENT_SLOT_DECLINE, ENTRY(M1), M2 }, "refused:wrong_state" },
	{ "no entry", { { 0 } }, { APPOINTMENT_SLOT_DECLINE, ENTRY(A1), M1 }, "refused:unknown_entry" },
	{ "away", { { 0 } },
		{ APPOINTMENT_SCHEDULE_BLOCK, ABSENCE("dr-adams", "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z"), M1 }, "blocked" },
	{ "booked while away",
		{ { APPOINTMENT_SCHEDULE_BLOCK, ABSENCE("dr-adams", "2026-06-01T09:29:00Z", "2026-06-01T09:31:00Z"), M1 } },
		{ APPOINTMENT_SLOT_BOOK, BOOK(HALF_PAST, "p1"), M2 }, "refused:blocked" },
	{ "published again", { { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 } },
		{ APPOINTMENT_SCHEDULE_PUBLISH, HOURS(",\"slot_minutes\":30"), M2 }, "published" },
	{ "published for nobody's clinic", { { 0 } },
		{ APPOINTMENT_SCHEDULE_PUBLISH, HOURS(",\"slot_minutes\":30,\"facility_id\":\"clinic-002\""), M2 }, "refused:not_owner" },
};
/* clang-format on */

static struct bench bench;

static void open_bench(const struct step steps[], size_t count)
{
	const struct step *pointers[BENCH_STEPS_MAX];
	for (size_t i = 0; i < count; i++)
		pointers[i] = &steps[i];
	bench_open(&bench, pointers, count);
	bench_load_slots(&bench);
}

/* What the last of the steps sent. */
static const char *decide_all(const struct step steps[], size_t count)
{
	open_bench(steps, count);
	for (size_t i = 0; i + 1 < count; i++)
		bench_decide(&bench);
	const struct output *last = bench.outbox.last;
	bench_decide(&bench);
	return bench_sent_after(&bench, last);
}

START_TEST(each_example)
{
	const struct example *example = &examples[_i];
	struct step steps[4];
	size_t count = 0;
	while (count < 3 && example->before[count].event != EVENT_NONE) {
		steps[count] = example->before[count];
		count++;
	}
	steps[count++] = example->heard;
	const char *sent = decide_all(steps, count);
	ck_assert_msg(strcmp(sent, example->sent) == 0, "%s: sent \"%s\" instead of \"%s\"", example->name, sent,
		example->sent);
	bench_close(&bench);
}
END_TEST

START_TEST(the_token_is_told_the_asker_alone)
{
	const struct step steps[] = { { APPOINTMENT_SLOT_HOLD, HOLD(NINE, "p1"), M1 } };
	decide_all(steps, 1);
	const struct output *held = bench.outbox.first, *answer = bench.outbox.last;
	ck_assert_ptr_null(strstr(held->body, TOKEN));
	ck_assert_str_eq(bench_member(&bench, answer->body, "hold_token"), TOKEN);
	ck_assert_str_eq(answer->routing_key, "appointment.answer.tests.1");
	bench_close(&bench);
}
END_TEST

static const struct step offers[] = {
	{ APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 },
	{ APPOINTMENT_WAITLIST_JOIN, JOIN("p2"), M2 },
	{ APPOINTMENT_WAITLIST_JOIN, JOIN("p3"), M3 },
	{ APPOINTMENT_SLOT_CANCEL, CANCEL(M1, "p1"), M4 },
	{ APPOINTMENT_SLOT_DECLINE, ENTRY(M2), A1 },
	{ APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p3"), A2 },
};

START_TEST(the_next_one_is_asked)
{
	ck_assert_str_eq(decide_all(offers, 5), "declined:0900/p2 offered:0900/p3");
	bench_close(&bench);
	ck_assert_str_eq(decide_all(offers, 6), "left:/p3 booked:0900/p3");
	bench_close(&bench);
}
END_TEST

/* One run of the timer on the bench's slots, so much later. */
static const char *run_due(int64_t later_us)
{
	struct state *state = bench.batch.state;
	struct slot *due[] = { state_slot(state, NINE) };
	const struct output *last = bench.outbox.last;
	state->now = bench.batch.now = NOW + later_us;
	state->due_slots = due;
	state->due_slots_count = 1;
	outbox_cause(&bench.outbox, NULL, A2, "", 0);
	decide_due_slots(&bench.batch, &bench.outbox);
	return bench_sent_after(&bench, last);
}

START_TEST(holds_and_offers_end_by_time)
{
	const struct step steps[] = { { APPOINTMENT_SLOT_HOLD, HOLD(NINE, "p1"), M1 } };
	decide_all(steps, 1);
	ck_assert_str_eq(run_due(60 * MICROSECONDS_PER_SECOND - 1), "");
	ck_assert_str_eq(run_due(60 * MICROSECONDS_PER_SECOND), "released:0900");
	ck_assert_str_eq(bench.outbox.last->correlation_id, "workflow of " M1);
	ck_assert_str_eq(run_due(61 * MICROSECONDS_PER_SECOND), "");
	bench_close(&bench);
	decide_all(offers, 4);
	ck_assert_str_eq(run_due(HOURS_US(1) / 4 - 1), "");
	ck_assert_str_eq(run_due(HOURS_US(1) / 4), "offer_expired:0900/p2 offered:0900/p3");
	ck_assert_str_eq(bench.outbox.last->correlation_id, "workflow of " M3);
	ck_assert_str_eq(run_due(HOURS_US(1) / 2), "offer_expired:0900/p3");
	bench_close(&bench);
}
END_TEST

START_TEST(nobody_came)
{
	const struct step steps[] = { { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 } };
	decide_all(steps, 1);
	struct state *state = bench.batch.state;
	struct booking *due[] = { state_booking(state, M1) };
	const struct output *last = bench.outbox.last;
	state->due_bookings = due;
	state->due_bookings_count = 1;
	bench.batch.now = due[0]->ends_at - 1;
	outbox_cause(&bench.outbox, NULL, A2, "", 0);
	decide_due_bookings(&bench.batch, &bench.outbox);
	ck_assert_ptr_eq(bench.outbox.last, last);
	bench.batch.now++;
	decide_due_bookings(&bench.batch, &bench.outbox);
	decide_due_bookings(&bench.batch, &bench.outbox);
	ck_assert_str_eq(bench_sent_after(&bench, last), "no_show:0900/p1");
	bench_close(&bench);
}
END_TEST

static struct state *publish_after_booking(const char *hours)
{
	const struct step steps[] = { { APPOINTMENT_SLOT_BOOK, BOOK(HALF_PAST, "p1"), M1 },
		{ APPOINTMENT_SCHEDULE_PUBLISH, hours, M2 } };
	ck_assert_str_eq(decide_all(steps, 2), "published");
	return bench.batch.state;
}

START_TEST(publishing_keeps_what_is_booked_and_what_is_the_same)
{
	struct state *state = publish_after_booking(HOURS(",\"slot_minutes\":30"));
	ck_assert_ptr_nonnull(strstr(bench.outbox.last->body,
		"\"slots_added\":0,\"slots_removed\":0,\"slots_kept\":3"));
	ck_assert(!state_slot(state, NINE)->is_changed && state_slot(state, HALF_PAST)->is_changed);
	bench_close(&bench);
	state = publish_after_booking(HOURS(",\"slot_minutes\":45"));
	ck_assert_ptr_nonnull(strstr(bench.outbox.last->body,
		"\"slots_added\":0,\"slots_removed\":2,\"slots_kept\":1"));
	ck_assert_ptr_null(state_slot(state, NINE));
	ck_assert_ptr_nonnull(state_slot(state, HALF_PAST)->appointment_id);
	bench_close(&bench);
	state = publish_after_booking(HOURS(",\"slot_minutes\":15"));
	ck_assert_ptr_nonnull(strstr(bench.outbox.last->body,
		"\"slots_added\":4,\"slots_removed\":2,\"slots_kept\":1"));
	ck_assert(state_slot(state, NINE)->is_changed && state_slot(state, NINE)->version == 2);
	bench_close(&bench);
}
END_TEST

START_TEST(an_absence_flags_what_is_booked)
{
	const struct step steps[] = { { APPOINTMENT_SLOT_BOOK, BOOK(HALF_PAST, "p1"), M1 },
		{ APPOINTMENT_SCHEDULE_BLOCK, ABSENCE("dr-adams", "2026-06-01T09:30:00Z", "2026-06-01T10:00:00Z"),
			M2 } };
	ck_assert_str_eq(decide_all(steps, 2), "blocked");
	const struct state *state = bench.batch.state;
	ck_assert(state_booking(state, M1)->is_flagged && state_slot(state, HALF_PAST)->is_blocked);
	ck_assert(!state_slot(state, NINE)->is_blocked && !state_slot(state, TEN)->is_blocked);
	ck_assert_str_eq(bench_member(&bench, bench.outbox.last->body, "appointment_id"), M1);
	bench_close(&bench);
}
END_TEST

START_TEST(a_conflict_of_ids_is_refused_by_the_noun)
{
	static const struct step steps[] = { { APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), M1 },
		{ APPOINTMENT_VISIT_ARRIVE, ABOUT(A1), M2 }, { APPOINTMENT_WAITLIST_JOIN, JOIN("p1"), M3 },
		{ APPOINTMENT_SCHEDULE_PUBLISH, HOURS(",\"slot_minutes\":30"), M4 } };
	static const char *const refusals[] = { "appointment.slot.refused", "appointment.visit.refused",
		"appointment.waitlist.refused", "appointment.schedule.refused" };
	open_bench(steps, 4);
	for (size_t i = 0; i < 4; i++) {
		outbox_cause(&bench.outbox, bench.messages[i], bench.messages[i]->message_id, "digest", 0);
		appointment.routes[0].refuse(bench.messages[i], "id_conflict", "another body", &bench.outbox);
		ck_assert_str_eq(bench.outbox.last->type, refusals[i]);
		ck_assert_str_eq(bench_member(&bench, bench.outbox.last->body, "reason"), "id_conflict");
	}
	bench_close(&bench);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("appointment worker");
	TCase *tests = tcase_create("decisions");
	tcase_add_loop_test(tests, each_example, 0, sizeof(examples) / sizeof(examples[0]));
	tcase_add_test(tests, the_token_is_told_the_asker_alone);
	tcase_add_test(tests, the_next_one_is_asked);
	tcase_add_test(tests, holds_and_offers_end_by_time);
	tcase_add_test(tests, nobody_came);
	tcase_add_test(tests, publishing_keeps_what_is_booked_and_what_is_the_same);
	tcase_add_test(tests, an_absence_flags_what_is_booked);
	tcase_add_test(tests, a_conflict_of_ids_is_refused_by_the_noun);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
