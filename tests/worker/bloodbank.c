/* The bank's decisions as tables: what is in stock, what comes in, what goes out. */
#include "bloodbank_bench.h"

#include <string.h>

#include "run.h"

#define TWO_DAYS_ON \
	"2026-05-30T20:26:40Z" /* 48 hours from now: the earliest that is not scheduled any more */

struct row {
	const char *name;
	enum blood_group stock[4]; /* units 1.. , each a day younger than the one before */
	enum event event;
	const char *body;
	const char *told;
};

#define ASKED HOSPITAL_BLOOD_REQUESTED
#define O_POSITIVE BLOOD_GROUP_O_POSITIVE
#define O_NEGATIVE BLOOD_GROUP_O_NEGATIVE
#define A_POSITIVE BLOOD_GROUP_A_POSITIVE

static const struct row rows[] = {
	{ "all of it", { A_POSITIVE, A_POSITIVE }, ASKED, ASK(R1, WANT("A+", "1", "routine")),
		"approved 1 full 1/1 1" },
	{ "a part of it", { A_POSITIVE, A_POSITIVE }, ASKED, ASK(R1, WANT("A+", "3", "routine")),
		"approved 1 partial 2/3 1 2" },
	{ "a part is not accepted", { A_POSITIVE }, ASKED,
		ASK(R1, WANT("A+", "3", "routine") ",\"accept_partial\":false"), "rejected insufficient_stock" },
	{ "nothing there", { 0 }, ASKED, ASK(R1, WANT("A+", "1", "urgent")), "rejected no_compatible_stock" },
	{ "only the floor", { O_POSITIVE, O_POSITIVE }, ASKED, ASK(R1, WANT("O+", "1", "routine")),
		"rejected insufficient_stock" },
	{ "the floor is for the urgent", { O_POSITIVE }, ASKED, ASK(R1, WANT("O+", "1", "urgent")),
		"approved 1 full 1/1 1" },
	{ "an emergency has its lane", { O_POSITIVE }, ASKED, ASK(R1, WANT("O+", "1", "emergency")),
		"!approved 1 full 1/1 1" },
	{ "a rejected emergency too", { 0 }, ASKED, ASK(R1, WANT("O+", "1", "emergency")),
		"!rejected no_compatible_stock" },
	{ "nobody knows the hospital", { A_POSITIVE }, ASKED,
		ASK_AT(R1, "hospital-999", WANT("A+", "1", "routine") ",\"needed_at\":\"2026-07-01T00:00:00Z\""),
		"rejected unknown_facility" },
	{ "needed yesterday", { A_POSITIVE }, ASKED,
		ASK(R1, WANT("A+", "1", "routine") ",\"needed_at\":\"2026-05-27T00:00:00Z\""),
		"rejected needed_in_past" },
	{ "needed in 48 hours", { A_POSITIVE }, ASKED,
		ASK(R1, WANT("A+", "1", "routine") ",\"needed_at\":\"" TWO_DAYS_ON "\""), "approved 1 full 1/1 1" },
	{ "needed later: scheduled, in silence", { A_POSITIVE }, ASKED,
		ASK(R1, WANT("A+", "1", "routine") ",\"needed_at\":\"2026-05-30T20:26:41Z\""), "" },
	{ "needed later, without a group: refused at once", { A_POSITIVE }, ASKED,
		ASK(R1, WANT("unknown", "1", "routine") ",\"needed_at\":\"2026-07-01T00:00:00Z\""),
		"rejected group_required" },
	{ "an unknown group is for emergencies", { O_NEGATIVE }, ASKED, ASK(R1, WANT("unknown", "1", "urgent")),
		"rejected group_required" },
	{ "two bags come", { 0 }, BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("5", "A+", "") "," BAG("6", "A+", "")),
		"received 5 6" },
	{ "one bag twice in a command", { 0 }, BLOODBANK_UNIT_RECEIVE,
		RECEIVE(BAG("5", "A+", "") "," BAG("5", "A+", "")), "received 5 5" },
	{ "two bags of one name", { 0 }, BLOODBANK_UNIT_RECEIVE,
		RECEIVE(BAG("5", "A+", "") "," BAG("5", "B+", "")), "refused duplicate_conflict available" },
	{ "nobody knows the bank", { 0 }, BLOODBANK_UNIT_RECEIVE,
		"{\"bank_id\":\"bank-999\",\"units\":[" BAG("5", "A+", "") "]}", "refused unknown_facility" },
	{ "too long a life", { 0 }, BLOODBANK_UNIT_RECEIVE,
		RECEIVE(BAG("5", "A+", ",\"expires_at\":\"2026-07-03T00:00:00Z\"")), "refused expiry_above_maximum" },
	{ "its time is over", { 0 }, BLOODBANK_UNIT_RECEIVE,
		RECEIVE(BAG("5", "A+", ",\"expires_at\":\"2026-05-28T20:26:40Z\"")), "refused expired" },
	{ "not made of anything known", { 0 }, BLOODBANK_UNIT_RECEIVE,
		RECEIVE(BAG("5", "A+", ",\"parents\":[\"A999926000009-E0336-00\"]")), "refused unknown_parent" },
	{ "made of what came before it", { 0 }, BLOODBANK_UNIT_RECEIVE,
		RECEIVE(BAG("5", "A+", "") "," BAG("6", "A+", ",\"parents\":[\"A999926000005-E0336-00\"]")),
		"received 5 6" },
};

START_TEST(one_message)
{
	const struct row *row = &rows[_i];
	struct bench bench;
	bench_open(&bench);
	for (int i = 0; i < 4 && row->stock[i] != 0; i++)
		bench_stock(&bench, i + 1, row->stock[i], 10 + i);
	const char *told = bench_send(&bench, row->event, row->body);
	ck_assert_msg(strcmp(told, row->told) == 0, "%s: \"%s\", not \"%s\"", row->name, told, row->told);
	bench_close(&bench);
}
END_TEST

START_TEST(the_second_sees_what_the_first_took)
{
	struct bench bench;
	bench_open(&bench);
	bench_stock(&bench, 1, A_POSITIVE, 10);
	bench_stock(&bench, 2, A_POSITIVE, 5);
	ck_assert_str_eq(bench_send(&bench, ASKED, ASK(R1, WANT("A+", "1", "routine"))), "approved 1 full 1/1 2");
	ck_assert_str_eq(bench_send(&bench, ASKED, ASK(R2, WANT("A+", "1", "routine"))), "approved 1 full 1/1 1");
	ck_assert_str_eq(bench_send(&bench, ASKED, ASK(R3, WANT("A+", "1", "routine"))),
		"rejected no_compatible_stock");
	bloodbank.conclude(&bench.batch, &bench.outbox);
	ck_assert_str_eq(bench_told(&bench), "stock A+ 0/2; critical A+");
	bench_close(&bench);
}
END_TEST

#define UNSIGNED "\"group\":\"A+\",\"quantity\":1,\"urgency\":\"emergency\""

START_TEST(the_same_again_hears_the_same)
{
	struct bench bench;
	bench_open(&bench);
	bench_stock(&bench, 1, A_POSITIVE, 10);
	bench_stock(&bench, 2, A_POSITIVE, 10);
	bench_send(&bench, ASKED, ASK(R1, UNSIGNED));
	const struct output *first = bench.heard;
	ck_assert_str_eq(bench_send(&bench, ASKED, ASK(R1, UNSIGNED ",\"version\":3")), "!approved 1 full 1/1 1");
	ck_assert_str_eq(bench.heard->message_id, first->message_id);
	ck_assert_str_eq(bench.heard->body, first->body);
	ck_assert_ptr_nonnull(strstr(first->body, "signature_pending")); /* the lists of a decision outlive it */
	ck_assert_str_eq(bench.heard->correlation_id, "workflow 1");
	ck_assert_str_eq(bench_send(&bench, ASKED, ASK(R1, WANT("A+", "2", "emergency"))), "");
	ck_assert_str_eq(bench_progress(&bench, R1), "settled 1+0 v1");
	bench_close(&bench);
}
END_TEST

START_TEST(units_known_before)
{
	struct bench bench;
	bench_open(&bench);
	const char *body = RECEIVE(BAG("5", "A+", ""));
	ck_assert_str_eq(bench_send(&bench, BLOODBANK_UNIT_RECEIVE, body), "received 5");
	ck_assert_str_eq(bench_send(&bench, ASKED, ASK(R1, WANT("A+", "1", "routine"))), "approved 1 full 1/1 5");
	ck_assert_str_eq(bench_send(&bench, BLOODBANK_UNIT_RECEIVE, body), "received 5");
	ck_assert_str_eq(bench_send(&bench, BLOODBANK_UNIT_RECEIVE,
						 RECEIVE(BAG("5", "A+", ",\"volume_ml\":250"))),
		"refused duplicate_conflict reserved");
	bloodbank.conclude(&bench.batch, &bench.outbox);
	ck_assert_str_eq(bench_told(&bench), "stock A+ 0/1; critical A+");
	bench_close(&bench);
}
END_TEST

/* Two of one batch wait in the order in which they came, whatever their ids are. */
START_TEST(back_orders_of_one_batch)
{
	struct bench bench;
	bench_open(&bench);
	bench_stock(&bench, 1, A_POSITIVE, 10);
	bench_stock(&bench, 2, BLOOD_GROUP_AB_POSITIVE, 10);
	ck_assert_str_eq(bench_send(&bench, ASKED, ASK(R2, WANT("A+", "2", "routine"))),
		"approved 1 partial 1/2 1");
	ck_assert_str_eq(bench_send(&bench, ASKED, ASK(R1, WANT("AB+", "2", "routine"))),
		"approved 1 partial 1/2 2");
	ck_assert_str_eq(bench_send(&bench, BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("5", "A+", ""))),
		"received 5; approved 2 full 2/2 5");
	ck_assert_str_eq(bench_progress(&bench, R2), "settled 2+0 v2");
	bench_close(&bench);
}
END_TEST

/* The emergency before the older routine request; then the oldest; nobody gets what does not fit. */
START_TEST(back_orders_by_priority)
{
	struct bench bench;
	bench_open(&bench);
	bench_request(&bench, ASK(R1, WANT("B+", "2", "routine")), PROGRESS_WAITING, 1);
	struct request *emergency =
		bench_request(&bench, ASK(R2, WANT("B+", "3", "emergency")), PROGRESS_WAITING, 1);
	bench_request(&bench, ASK(R3, WANT("O-", "1", "emergency")), PROGRESS_WAITING, 0);
	emergency->received_at = NOW - ONE_MINUTE;
	ck_assert_str_eq(bench_send(&bench, BLOODBANK_UNIT_RECEIVE,
						 RECEIVE(BAG("5", "B+", "") "," BAG("6", "B+", "") "," BAG("7", "B+", ""))),
		"received 5 6 7; !approved 2 full 3/3 5 6; approved 2 full 2/2 7");
	ck_assert_str_eq(bench.outbox.last->correlation_id, "its own workflow");
	ck_assert_str_eq(bench_progress(&bench, R3), "waiting 0+0 v1");
	bench_close(&bench);
}
END_TEST

START_TEST(a_request_of_this_batch_may_wait)
{
	struct bench bench;
	bench_open(&bench);
	bench_stock(&bench, 1, A_POSITIVE, 10);
	ck_assert_str_eq(bench_send(&bench, ASKED, ASK(R1, WANT("A+", "2", "routine"))),
		"approved 1 partial 1/2 1");
	ck_assert_str_eq(bench_send(&bench, BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("5", "A+", ""))),
		"received 5; approved 2 full 2/2 5");
	ck_assert_str_eq(bench_progress(&bench, R1), "settled 2+0 v2");
	bench_close(&bench);
}
END_TEST

START_TEST(too_little_was_loaded)
{
	struct bench bench;
	bench_open(&bench);
	struct bank *bank = shelves_bank(&bench.state->shelves, "bank-001");
	bench_stock(&bench, 1, A_POSITIVE, 10);
	bin_count(shelves_bin(&bench.state->shelves, bank, COMPONENT_RED_CELLS, A_POSITIVE, 0, NULL), 5);
	bench_send(&bench, ASKED, ASK(R1, WANT("A+", "2", "routine")));
	ck_assert(bench.batch.wants_more);
	bench_close(&bench);
}
END_TEST

/* What a shelf was last told to be, what is taken from it, and who is alerted. */
struct alarm {
	const char *name;
	int units;
	enum stock_level before;
	int64_t demand_28_days;
	const char *body;
	const char *told;
};

static const struct alarm alarms[] = {
	{ "enough is left", 7, STOCK_LEVEL_NORMAL, 0, ASK(R1, WANT("A+", "2", "urgent")), "stock A+ 5/2" },
	{ "few are left", 6, STOCK_LEVEL_NORMAL, 0, ASK(R1, WANT("A+", "2", "urgent")), "stock A+ 4/2; low A+" },
	{ "known to be few", 4, STOCK_LEVEL_LOW, 0, ASK(R1, WANT("A+", "1", "urgent")), "stock A+ 3/1" },
	{ "now hardly any", 3, STOCK_LEVEL_LOW, 0, ASK(R1, WANT("A+", "2", "urgent")),
		"stock A+ 1/2; critical A+" },
	{ "known to be none", 1, STOCK_LEVEL_CRITICAL, 0, ASK(R1, WANT("A+", "1", "urgent")), "stock A+ 0/1" },
	{ "a shelf that nobody was told of", 4, STOCK_LEVEL_NONE, 0, ASK(R1, WANT("A+", "1", "urgent")),
		"stock A+ 3/1; low A+" },
	{ "enough units, but for three days", 7, STOCK_LEVEL_NORMAL, 56, ASK(R1, WANT("A+", "1", "urgent")),
		"stock A+ 6/1; low A+" },
	{ "nothing changes, nothing is told", 1, STOCK_LEVEL_NORMAL, 0, ASK(R1, WANT("B+", "1", "urgent")), "" },
};

START_TEST(alerts)
{
	const struct alarm *alarm = &alarms[_i];
	struct bench bench;
	bench_open(&bench);
	struct line *line = state_line(bench.state, "bank-001", COMPONENT_RED_CELLS, A_POSITIVE);
	line->level = alarm->before;
	line->demand_28_days = alarm->demand_28_days;
	for (int serial = 1; serial <= alarm->units; serial++)
		bench_stock(&bench, serial, A_POSITIVE, 10);
	bench_send(&bench, ASKED, alarm->body);
	bloodbank.conclude(&bench.batch, &bench.outbox);
	const char *told = bench_told(&bench);
	ck_assert_msg(strcmp(told, alarm->told) == 0, "%s: \"%s\", not \"%s\"", alarm->name, told, alarm->told);
	bench_close(&bench);
}
END_TEST

/* Three requests of one batch pass both limits: one alert, of what is left in the end. */
START_TEST(one_alert_for_a_batch)
{
	static const char *const bodies[] = { ASK(R1, WANT("A+", "2", "urgent")),
		ASK(R2, WANT("A+", "2", "urgent")), ASK(R3, WANT("A+", "1", "urgent")) };
	struct bench bench;
	bench_open(&bench);
	state_line(bench.state, "bank-001", COMPONENT_RED_CELLS, A_POSITIVE)->level = STOCK_LEVEL_NORMAL;
	for (int serial = 1; serial <= 6; serial++)
		bench_stock(&bench, serial, A_POSITIVE, 10);
	for (size_t i = 0; i < 3; i++)
		bench_send(&bench, ASKED, bodies[i]);
	bloodbank.conclude(&bench.batch, &bench.outbox);
	ck_assert_str_eq(bench_told(&bench), "stock A+ 1/5; critical A+");
	ck_assert_str_eq(bench.outbox.last->body,
		"{\"bank_id\":\"bank-001\",\"component\":\"red_cells\",\"group\":\"A+\",\"available\":1,"
		"\"days_of_stock\":null,\"threshold\":2,\"threshold_unit\":\"units\",\"version\":2,"
		"\"at\":\"2026-05-28T20:26:40Z\"}");
	ck_assert_int_eq(bench.outbox.last->version, 2);
	bench_close(&bench);
}
END_TEST

START_TEST(recovered_by_an_arrival)
{
	struct bench bench;
	bench_open(&bench);
	state_line(bench.state, "bank-001", COMPONENT_RED_CELLS, A_POSITIVE)->level = STOCK_LEVEL_CRITICAL;
	bench_send(&bench, BLOODBANK_UNIT_RECEIVE,
		RECEIVE(BAG("1", "A+", "") "," BAG("2", "A+", "") "," BAG("3", "A+", "") "," BAG("4", "A+",
			"") "," BAG("5", "A+", "") "," BAG("6", "A+", "")));
	bloodbank.conclude(&bench.batch, &bench.outbox);
	ck_assert_str_eq(bench_told(&bench), "stock A+ 6/0; recovered A+");
	bench_close(&bench);
}
END_TEST

static struct request *due_request(struct bench *bench, const char *body, enum progress progress,
	int64_t allocated)
{
	struct request *request = bench_request(bench, body, progress, allocated);
	bench->state->due_requests = arena_array(&bench->arena, 1, sizeof(struct request *));
	bench->state->due_requests[bench->state->due_requests_count++] = request;
	return request;
}

static void due_units(struct bench *bench, struct bag *first, struct bag *second)
{
	bench->state->due_bags = arena_array(&bench->arena, 2, sizeof(struct bag *));
	bench->state->due_bags[bench->state->due_bags_count++] = first;
	if (second != NULL)
		bench->state->due_bags[bench->state->due_bags_count++] = second;
}

static const char *run_timer(struct bench *bench, size_t number)
{
	shelves_ready(&bench->state->shelves, NOW);
	outbox_cause(&bench->outbox, NULL, "aaaaaaaa-0000-4000-8000-00000000000a", "", 0);
	bloodbank.timers[number].decide(&bench->batch, &bench->outbox);
	return bench_told(bench);
}

START_TEST(a_scheduled_request_is_due)
{
	struct bench bench;
	bench_open(&bench);
	bench_stock(&bench, 1, A_POSITIVE, 10);
	const char *body = ASK(R1, WANT("A+", "1", "routine") ",\"needed_at\":\"" TWO_DAYS_ON "\"");
	due_request(&bench, body, PROGRESS_SCHEDULED, 0);
	ck_assert_str_eq(run_timer(&bench, 0), "approved 1 full 1/1 1");
	ck_assert_str_eq(bench_progress(&bench, R1), "settled 1+0 v2");
	ck_assert_str_eq(run_timer(&bench, 0), "");
	bench_close(&bench);
}
END_TEST

START_TEST(a_reservation_ends)
{
	struct bench bench;
	bench_open(&bench);
	struct request *request = bench_request(&bench, ASK(R1, WANT("A+", "2", "routine")), PROGRESS_SETTLED, 2);
	bench_request(&bench, ASK(R2, WANT("A+", "2", "routine")), PROGRESS_WAITING, 1);
	due_units(&bench, bench_reserved(&bench, 1, A_POSITIVE, NOW + ONE_DAY * 3, request, NOW),
		bench_reserved(&bench, 2, A_POSITIVE, NOW + ONE_DAY * 2, request, NOW - 1));
	ck_assert_str_eq(run_timer(&bench, 1), "released 1 2; approved 2 full 2/2 2");
	ck_assert_str_eq(bench_progress(&bench, R1), "settled 0+2 v2");
	bloodbank.conclude(&bench.batch, &bench.outbox);
	ck_assert_str_eq(bench_told(&bench), "stock A+ 1/1; critical A+");
	bench_close(&bench);
}
END_TEST

START_TEST(a_lost_unit_is_replaced)
{
	struct bench bench;
	bench_open(&bench);
	bench_stock(&bench, 3, A_POSITIVE, 10);
	struct request *request =
		bench_request(&bench, ASK(R1, WANT("A+", "1", "emergency")), PROGRESS_SETTLED, 1);
	due_units(&bench, bench_reserved(&bench, 1, A_POSITIVE, NOW, request, NOW), NULL);
	ck_assert_str_eq(run_timer(&bench, 1), "released 1; expired 1; !approved 2 full 1/1 3");
	ck_assert_str_eq(bench_progress(&bench, R1), "settled 1+0 v3");
	bench_close(&bench);
}
END_TEST

/* Its reservation had ended before the unit itself did: nobody wants another one. */
START_TEST(an_ended_reservation_of_an_expired_unit)
{
	struct bench bench;
	bench_open(&bench);
	bench_stock(&bench, 3, A_POSITIVE, 10);
	struct request *request = bench_request(&bench, ASK(R1, WANT("A+", "1", "urgent")), PROGRESS_SETTLED, 1);
	due_units(&bench, bench_reserved(&bench, 1, A_POSITIVE, NOW, request, NOW - ONE_HOUR), NULL);
	ck_assert_str_eq(run_timer(&bench, 1), "released 1; expired 1");
	ck_assert_str_eq(bench_progress(&bench, R1), "settled 0+1 v2");
	bench_close(&bench);
}
END_TEST

START_TEST(a_unit_that_expires_is_missed)
{
	struct bench bench;
	bench_open(&bench);
	struct line *line = state_line(bench.state, "bank-001", COMPONENT_RED_CELLS, A_POSITIVE);
	line->level = STOCK_LEVEL_NORMAL;
	for (int serial = 2; serial <= 5; serial++)
		bench_stock(&bench, serial, A_POSITIVE, 10);
	struct request *request = bench_request(&bench, ASK(R1, WANT("A+", "1", "urgent")), PROGRESS_SETTLED, 1);
	struct bag *bag = bench_reserved(&bench, 1, A_POSITIVE, NOW, request, NOW);
	bag->status = bag->before = UNIT_STATUS_AVAILABLE;
	bag->request_id = NULL;
	line->reserved--;
	line->available++;
	line->undesignated++;
	line_bin(bench.state, line, 0)->available++;
	due_units(&bench, bag, NULL);
	ck_assert_str_eq(run_timer(&bench, 1), "expired 1");
	bloodbank.conclude(&bench.batch, &bench.outbox);
	ck_assert_str_eq(bench_told(&bench), "stock A+ 4/0; low A+");
	bench_close(&bench);
}
END_TEST

START_TEST(what_is_not_due_stays)
{
	struct bench bench;
	bench_open(&bench);
	struct request *request = bench_request(&bench, ASK(R1, WANT("A+", "1", "urgent")), PROGRESS_SETTLED, 1);
	bench.state->is_more_due = true;
	due_units(&bench, bench_reserved(&bench, 1, A_POSITIVE, NOW + ONE_DAY, request, NOW + 1), NULL);
	ck_assert_str_eq(run_timer(&bench, 1), "");
	ck_assert(!bloodbank.timers[1].is_full(&bench.batch));
	bench_close(&bench);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bloodbank");
	TCase *tests = tcase_create("decisions");
	tcase_add_loop_test(tests, one_message, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tests, the_second_sees_what_the_first_took);
	tcase_add_test(tests, the_same_again_hears_the_same);
	tcase_add_test(tests, units_known_before);
	tcase_add_test(tests, back_orders_of_one_batch);
	tcase_add_test(tests, back_orders_by_priority);
	tcase_add_test(tests, a_request_of_this_batch_may_wait);
	tcase_add_test(tests, too_little_was_loaded);
	tcase_add_loop_test(tests, alerts, 0, (int)(sizeof(alarms) / sizeof(alarms[0])));
	tcase_add_test(tests, one_alert_for_a_batch);
	tcase_add_test(tests, recovered_by_an_arrival);
	tcase_add_test(tests, a_scheduled_request_is_due);
	tcase_add_test(tests, a_reservation_ends);
	tcase_add_test(tests, a_lost_unit_is_replaced);
	tcase_add_test(tests, an_ended_reservation_of_an_expired_unit);
	tcase_add_test(tests, a_unit_that_expires_is_missed);
	tcase_add_test(tests, what_is_not_due_stays);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
