/*
 * The notification worker's statements against the migrated schema: all are prepared, what was stored is loaded again, the schema
 * refuses what must not be. TEST_DATABASE_URL is a superuser's, to which the database's name is appended
 * (tests/service/with_servers.py sets it).
 */
#include "notification_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notification_queries.h"
#include "run.h"

#define MINUTES(n) (INT64_C(60000000) * (n))
#define DAYS(n) (MINUTES(60 * 24) * (n))

static struct database *database;

static const struct query query_clean = { "clean",
	"WITH n AS (DELETE FROM notification), s AS (DELETE FROM shelf), d AS (DELETE FROM digest_window) "
	"UPDATE list SET last_position = 0" };

#define BAD(columns, values) \
	"INSERT INTO notification (notification_id, position, facility_id, role, kind, entity, transition, text, " \
	"created_at, is_emergency" columns ") VALUES (gen_random_uuid(), 1, 'hospital-001', 'hospital', 'k', " \
	"'e', 't', 'x', now(), " values ")"
static const struct query query_nobody_read = { "nobody_read", BAD(", acknowledged_by", "false, 'nurse-1'") };
static const struct query query_calm_escalation = { "calm_escalation", BAD(", escalate_at", "false, now()") };
static const struct query query_read_escalation = { "read_escalation",
	BAD(", escalate_at, acknowledged_at", "true, now(), now()") };
static const struct query query_no_place = { "no_place",
	"INSERT INTO notification SELECT gen_random_uuid(), 0, 'h', 'r', 'k', false, 'e', 't', 'x', now()" };
static const struct query query_no_facility = { "no_facility",
	"INSERT INTO notification SELECT gen_random_uuid(), 1, 'H 1', 'r', 'k', false, 'e', 't', 'x', now()" };
static const struct query query_long_text = { "long_text",
	"INSERT INTO notification SELECT gen_random_uuid(), 1, 'h', 'r', 'k', false, 'e', 't', repeat('x', 1001), "
	"now()" };
static const struct query query_second_list = { "second_list", "INSERT INTO list VALUES (false, 0)" };
static const struct query query_bad_shelf = { "bad_shelf",
	"INSERT INTO shelf VALUES ('bank-001', 'soup', 'O-', 1, 1, true)" };
static const struct query query_same_key = { "same_key",
	"INSERT INTO notification SELECT gen_random_uuid(), position + 1000, facility_id, 'hospital', kind, "
	"is_emergency, entity, transition, 'other words', created_at FROM notification" };
static const struct query *const own_queries[] = { &query_clean, &query_nobody_read, &query_calm_escalation,
	&query_read_escalation, &query_no_place, &query_no_facility, &query_long_text, &query_second_list,
	&query_bad_shelf, &query_same_key, NULL };

static void check_outcome(enum outcome outcome, const struct why *why)
{
	ck_assert_msg(outcome == DONE, "%s: %s", outcome_name(outcome), why->text);
}

static void open_database(void)
{
	struct why why = { .text = "" };
	char url[512];
	snprintf(url, sizeof(url), "%snotification", getenv("TEST_DATABASE_URL"));
	database = database_new(url, getenv("DATABASE_PASSWORD"), "tests");
	database_add_queries(database, notification_queries);
	database_add_queries(database, own_queries);
	check_outcome(database_open(database, &why), &why);
	database_begin(database);
	database_send(database, &query_clean, NULL, 0);
	check_outcome(database_commit(database, &why), &why);
}

static void close_database(void)
{
	database_close(database);
	database_free(database);
}

/* As the machine runs a batch, but for inbox and outbox. */
static void run_batch(struct bench *bench)
{
	struct why why = { .text = "" };
	database_begin(database);
	check_outcome(notification.load(&bench->batch, database, &why), &why);
	while (bench->decided < bench->batch.count)
		bench_decide(bench);
	check_outcome(notification.store(&bench->batch, database, &why), &why);
	check_outcome(database_commit(database, &why), &why);
}

/* A batch of one message; what it sent. */
static const char *hear(struct bench *bench, const struct step *step)
{
	bench_open(bench, &step, 1);
	run_batch(bench);
	return bench_sent_after(bench, NULL);
}

/* One run of a timer, so long after the messages; what it sent. */
static const char *run_timer(struct bench *bench, size_t number, int64_t later_us)
{
	const struct timer *timer = &notification.timers[number];
	struct why why = { .text = "" };
	bench_open(bench, NULL, 0);
	bench->batch.now = NOW + later_us;
	outbox_cause(&bench->outbox, NULL, M4, "", 0);
	database_begin(database);
	check_outcome(timer->load(&bench->batch, database, &why), &why);
	timer->decide(&bench->batch, &bench->outbox);
	check_outcome(notification.store(&bench->batch, database, &why), &why);
	check_outcome(database_commit(database, &why), &why);
	return bench_sent_after(bench, NULL);
}

enum { DIGESTS, ESCALATIONS, PRUNING };

/* The page of the list behind a place, in the bench's memory. */
static const struct notification_messages_answered *read_page(struct bench *bench,
	const struct notification_query_messages *question)
{
	const struct message message = {
		.event = NOTIFICATION_QUERY_MESSAGES, .body = question, .now = NOW, .arena = &bench->arena
	};
	struct why why = { .text = "" };
	enum event event;
	const void *answer;
	database_begin(database);
	check_outcome(answer_messages(&message, database, &event, &answer, &why), &why);
	ck_assert_int_eq(event, NOTIFICATION_MESSAGES_ANSWERED);
	check_outcome(database_commit(database, &why), &why);
	return answer;
}

static const struct step request = { HOSPITAL_BLOOD_REQUESTED, REQUESTED(R1, "emergency"), M1 };
static const struct step other_request = { HOSPITAL_BLOOD_REQUESTED, REQUESTED(R2, "routine"), M2 };
static const struct step approval = { BLOODBANK_BLOOD_APPROVED,
	APPROVED("1", "emergency", "full", "2", "0", UNIT("1", "bank-001") "," UNIT("2", "bank-002")), M3 };
static const struct step own = { NOTIFICATION_MESSAGE_CREATED,
	"{\"notification_id\":\"" RECEIVED_R1 "\",\"facility_id\":\"hospital-001\",\"role\":\"hospital\","
	"\"channel\":\"inbox\",\"kind\":\"k\",\"entity\":\"e\",\"transition\":\"t\",\"text\":\"x\","
	"\"at\":\"2026-05-28T20:26:40Z\"}",
	M2 };
static const struct step acknowledge = { NOTIFICATION_MESSAGE_ACKNOWLEDGE,
	"{\"notification_id\":\"" RECEIVED_R1 "\",\"by\":\"nurse-1\"}", M3 };
static const struct step acknowledge_again = { NOTIFICATION_MESSAGE_ACKNOWLEDGE,
	"{\"notification_id\":\"" RECEIVED_R1 "\",\"by\":\"nurse-2\"}", M4 };
static const struct step stock[] = {
	{ BLOODBANK_INVENTORY_UPDATED, STOCK("bank-001", "O-", "12", "4"), M1 },
	{ BLOODBANK_INVENTORY_UPDATED, STOCK("bank-002", "A+", "3", "1"), M2 },
	{ BLOODBANK_INVENTORY_UPDATED, STOCK("bank-001", "O-", "99", "3"), M3 },
};

START_TEST(a_life_in_many_batches)
{
	struct bench bench;
	ck_assert_str_eq(hear(&bench, &request), "created:hospital-001/hospital/request_received");
	bench_close(&bench);
	ck_assert_str_eq(hear(&bench, &request), "");
	bench_close(&bench);
	ck_assert_str_eq(hear(&bench, &own), "delivered:hospital-001");
	ck_assert_str_eq(bench.outbox.last->correlation_id, "workflow of " M1);
	bench_close(&bench);
	ck_assert_str_eq(hear(&bench, &own), "");
	bench_close(&bench);
	ck_assert_str_eq(hear(&bench, &acknowledge), "acknowledged:nurse-1");
	bench_close(&bench);
	ck_assert_str_eq(hear(&bench, &acknowledge_again), "acknowledged:nurse-1");
	const struct notification_messages_answered *page =
		read_page(&bench, &(struct notification_query_messages){ .limit = 20 });
	ck_assert_uint_eq(page->items_count, 1);
	ck_assert_int_eq(page->items[0].version, 3);
	ck_assert_str_eq(page->items[0].acknowledged_by, "nurse-1");
	ck_assert_int_eq(page->items[0].delivered_at, NOW);
	ck_assert_int_eq(page->items[0].at, NOW);
	ck_assert(page->items[0].is_emergency);
	bench_close(&bench);
}
END_TEST

START_TEST(a_life_in_one_batch)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request, &own, &acknowledge }, 3);
	run_batch(&bench);
	const struct notification_messages_answered *page =
		read_page(&bench, &(struct notification_query_messages){ .limit = 20 });
	ck_assert_int_eq(page->items[0].version, 3);
	bench_close(&bench);
	ck_assert_str_eq(run_timer(&bench, ESCALATIONS, MINUTES(5)), "");
	bench_close(&bench);
}
END_TEST

START_TEST(places_follow_the_order_of_creation)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &other_request, &approval, &request }, 3);
	run_batch(&bench);
	const struct notification_messages_answered *page =
		read_page(&bench, &(struct notification_query_messages){ .limit = 20 });
	const struct output *output = bench.outbox.first;
	ck_assert_uint_eq(page->items_count, 5);
	for (size_t i = 0; i < 5; i++, output = output->next)
		ck_assert_str_eq(page->items[i].notification_id,
			bench_member(&bench, output->body, "notification_id"));
	ck_assert_str_eq(page->next, "5");
	bench_close(&bench);
}
END_TEST

START_TEST(a_page_goes_on_where_the_last_ended)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &other_request, &approval, &request }, 3);
	run_batch(&bench);
	struct notification_query_messages question = { .facility_id = "hospital-001", .limit = 2 };
	const struct notification_messages_answered *first = read_page(&bench, &question);
	ck_assert_uint_eq(first->items_count, 2);
	question.after = first->next;
	const struct notification_messages_answered *second = read_page(&bench, &question);
	ck_assert_uint_eq(second->items_count, 1);
	ck_assert_str_eq(second->items[0].notification_id, RECEIVED_R1);
	question.after = second->next;
	ck_assert_uint_eq(read_page(&bench, &question)->items_count, 0);
	ck_assert_str_eq(read_page(&bench, &question)->next, second->next);
	question = (struct notification_query_messages){ .role = "bank", .limit = 20 };
	ck_assert_uint_eq(read_page(&bench, &question)->items_count, 2);
	question.facility_id = "bank-002";
	ck_assert_uint_eq(read_page(&bench, &question)->items_count, 1);
	bench_close(&bench);
}
END_TEST

START_TEST(no_other_place_is_understood)
{
	static const char *const places[] = { "", "x", "1x", "-1", " 1", "+1", "99999999999999999999" };
	const struct notification_query_messages question = { .after = places[_i], .limit = 20 };
	struct bench bench;
	bench_open(&bench, NULL, 0);
	const struct message message = { .body = &question, .arena = &bench.arena };
	struct why why = { .text = "" };
	enum event event;
	const void *answer;
	database_begin(database);
	ck_assert_int_eq(answer_messages(&message, database, &event, &answer, &why), REJECT);
	database_rollback(database);
	bench_close(&bench);
}
END_TEST

START_TEST(stock_is_gathered_and_told_by_the_timer)
{
	struct bench bench;
	for (size_t i = 0; i < 3; i++) {
		ck_assert_str_eq(hear(&bench, &stock[i]), "");
		bench_close(&bench);
	}
	ck_assert_str_eq(run_timer(&bench, DIGESTS, MINUTES(15) - 1), "");
	bench_close(&bench);
	ck_assert_str_eq(run_timer(&bench, DIGESTS, MINUTES(15)),
		"created:bank-001/bank/stock_digest created:bank-002/bank/stock_digest");
	ck_assert_str_eq(bench_member(&bench, bench.outbox.first->body, "text"),
		"1 shelf changed: O- red_cells 12 available");
	bench_close(&bench);
	ck_assert_str_eq(run_timer(&bench, DIGESTS, MINUTES(60)), "");
	bench_close(&bench);
	ck_assert_str_eq(hear(&bench, &stock[0]), "");
	bench_close(&bench);
	ck_assert_str_eq(run_timer(&bench, DIGESTS, MINUTES(60)), "");
	bench_close(&bench);
}
END_TEST

START_TEST(an_emergency_escalates_once)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request, &other_request }, 2);
	run_batch(&bench);
	bench_close(&bench);
	ck_assert_str_eq(run_timer(&bench, ESCALATIONS, MINUTES(5) - 1), "");
	bench_close(&bench);
	ck_assert_str_eq(run_timer(&bench, ESCALATIONS, MINUTES(5)), "created:hospital-001/supervisor/escalated");
	ck_assert_str_eq(bench_member(&bench, bench.outbox.first->body, "notification_id"), ESCALATED_R1);
	bench_close(&bench);
	ck_assert_str_eq(run_timer(&bench, ESCALATIONS, MINUTES(50)), "");
	bench_close(&bench);
}
END_TEST

START_TEST(what_is_old_and_delivered_is_deleted)
{
	struct bench bench;
	bench_open(&bench, (const struct step *const[]){ &request, &own, &other_request }, 3);
	run_batch(&bench);
	bench_close(&bench);
	run_timer(&bench, PRUNING, DAYS(90));
	ck_assert_uint_eq(read_page(&bench, &(struct notification_query_messages){ .limit = 20 })->items_count,
		2);
	ck_assert(!is_more_due(&bench.batch));
	bench_close(&bench);
	run_timer(&bench, PRUNING, DAYS(90) + 1);
	const struct notification_messages_answered *page =
		read_page(&bench, &(struct notification_query_messages){ .limit = 20 });
	ck_assert_uint_eq(page->items_count, 1);
	ck_assert(!page->items[0].has_delivered_at);
	ck_assert(is_more_due(&bench.batch));
	bench_close(&bench);
}
END_TEST

START_TEST(a_key_that_another_was_first_to_take_is_a_conflict)
{
	struct bench bench;
	struct why why = { .text = "" };
	hear(&bench, &request);
	bench_close(&bench);
	database_begin(database);
	database_send(database, &query_same_key, NULL, 0);
	ck_assert_int_eq(database_commit(database, &why), RETRY);
	ck_assert(database_is_open(database));
	database_rollback(database);
}
END_TEST

static const struct query *const refused[] = { &query_nobody_read, &query_calm_escalation,
	&query_read_escalation, &query_no_place, &query_no_facility, &query_long_text, &query_second_list,
	&query_bad_shelf };

START_TEST(the_schema_refuses_what_must_not_be)
{
	struct why why = { .text = "" };
	database_begin(database);
	database_send(database, refused[_i], NULL, 0);
	ck_assert_int_eq(database_commit(database, &why), REJECT);
	database_rollback(database);
}
END_TEST

int main(void)
{
	if (getenv("TEST_DATABASE_URL") == NULL) {
		printf("1..0 # SKIP TEST_DATABASE_URL is not set: run it by tests/service/with_servers.py\n");
		return getenv("CI") == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	Suite *suite = suite_create("sql notification");
	TCase *tests = tcase_create("store");
	tcase_add_checked_fixture(tests, open_database, close_database);
	tcase_add_test(tests, a_life_in_many_batches);
	tcase_add_test(tests, a_life_in_one_batch);
	tcase_add_test(tests, places_follow_the_order_of_creation);
	tcase_add_test(tests, a_page_goes_on_where_the_last_ended);
	tcase_add_loop_test(tests, no_other_place_is_understood, 0, 7);
	tcase_add_test(tests, stock_is_gathered_and_told_by_the_timer);
	tcase_add_test(tests, an_emergency_escalates_once);
	tcase_add_test(tests, what_is_old_and_delivered_is_deleted);
	tcase_add_test(tests, a_key_that_another_was_first_to_take_is_a_conflict);
	tcase_add_loop_test(tests, the_schema_refuses_what_must_not_be, 0,
		(int)(sizeof(refused) / sizeof(refused[0])));
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
