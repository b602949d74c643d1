/*
 * The appointment worker's statements against the migrated schema: all are prepared, what was stored is loaded again, the schema refuses
 * what must not be, whatever the code does. TEST_DATABASE_URL is a superuser's, to which the database's name is appended
 * (tests/service/with_servers.py sets it).
 */
#include "appointment_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appointment_queries.h"
#include "clock.h"
#include "day_load.h"
#include "run.h"

static struct database *database;

static const struct query query_clean = { "clean",
	"WITH o AS (DELETE FROM offer), c AS (DELETE FROM command), b AS (DELETE FROM block), d AS (DELETE FROM day), "
	"a AS (DELETE FROM appointment) DELETE FROM slot" };
static const struct query query_clean_rest = { "clean_rest",
	"WITH s AS (DELETE FROM schedule) DELETE FROM waitlist" };
static const struct query query_make_room = { "make_room", "UPDATE slot SET room_id = 'room-1'" };

/* An appointment of the clinic, in the hour from 09:00 on, or as the values say. */
#define APPOINTMENT(provider, patient, room, from, to, status) \
	"INSERT INTO appointment (appointment_id, version, status, slot_id, provider_id, clinic_id, room_id, zone, date, " \
	"starts_at, ends_at, patient_ref, content, is_flagged, booked_at, ended_at, correlation_id) VALUES " \
	"(gen_random_uuid(), 1, '" status "', 's', '" provider "', 'clinic-001', " room \
	", 'Etc/UTC', '2026-06-01', " \
	"'2026-06-01T" from "Z', '2026-06-01T" to "Z', '" patient "', '{}', false, now(), " \
	"CASE WHEN '" status "' IN ('no_show', 'cancelled') THEN now() END, 'x')"
#define FIRST APPOINTMENT("dr-1", "p1", "'room-1'", "09:00", "10:00", "booked")
static const struct query query_first = { "first", FIRST };

struct second {
	const char *name;
	struct query query;
	enum outcome outcome;
};

/* clang-format off */
static const struct second seconds[] = {
	{ "the same provider", { "s0", APPOINTMENT("dr-1", "p2", "NULL", "09:59", "10:30", "booked") }, RETRY },
	{ "the same patient", { "s1", APPOINTMENT("dr-2", "p1", "NULL", "08:00", "09:01", "booked") }, RETRY },
	{ "the same room", { "s2", APPOINTMENT("dr-2", "p2", "'room-1'", "09:15", "09:30", "arrived") }, REJECT },
	{ "the same room, booked", { "s3", APPOINTMENT("dr-2", "p2", "'room-1'", "09:15", "09:30", "booked") }, RETRY },
	{ "another of all", { "s4", APPOINTMENT("dr-2", "p2", "'room-2'", "09:00", "10:00", "booked") }, DONE },
	{ "half open: it begins when the first ends", { "s5", APPOINTMENT("dr-1", "p1", "'room-1'", "10:00", "11:00", "booked") }, DONE },
	{ "cancelled", { "s6", APPOINTMENT("dr-1", "p1", "'room-1'", "09:00", "10:00", "cancelled") }, DONE },
	{ "missed", { "s7", APPOINTMENT("dr-1", "p1", "'room-1'", "09:00", "10:00", "no_show") }, DONE },
	{ "ends before it begins", { "s8", APPOINTMENT("dr-2", "p2", "NULL", "10:00", "09:00", "booked") }, REJECT },
};

/* Each breaks one rule of a table. */
static const struct query faults[] = {
	{ "f0", "INSERT INTO clinic VALUES ('clinic-009', 'x', 'Europe/Atlantis')" },
	{ "f1", "INSERT INTO clinic VALUES ('Clinic 9', 'x', 'Europe/Paris')" },
	{ "f2", "INSERT INTO schedule VALUES ('dr-1', 'clinic-009', 1, 90, 0, 60)" },
	{ "f3", "INSERT INTO block VALUES (gen_random_uuid(), 'dr-1', now(), now(), 'x')" },
	{ "f4", "UPDATE slot SET slot_id = 'dr-adams'" },
	{ "f5", "UPDATE slot SET held_until = now()" },
	{ "f6", "UPDATE slot SET waitlist_id = gen_random_uuid()" },
	{ "f7", "UPDATE slot SET held_until = now(), held_for = 'p', appointment_id = gen_random_uuid()" },
	{ "f8", "UPDATE slot SET clinic_id = 'clinic-002'" },
	{ "f9", "INSERT INTO waitlist (waitlist_id, version, status, provider_id, patient_ref, priority, joined_at, correlation_id) "
		"VALUES (gen_random_uuid(), 1, 'offered', 'dr-1', 'p1', 0, now(), 'x')" },
	{ "f10", "INSERT INTO offer VALUES (gen_random_uuid(), 's', now())" },
};
/* clang-format on */

enum {
	SECONDS_COUNT = sizeof(seconds) / sizeof(seconds[0]),
	FAULTS_COUNT = sizeof(faults) / sizeof(faults[0])
};

static const struct query *own_queries[4 + SECONDS_COUNT + FAULTS_COUNT + 1];

static void check_outcome(enum outcome outcome, const struct why *why)
{
	ck_assert_msg(outcome == DONE, "%s: %s", outcome_name(outcome), why->text);
}

static void list_queries(void)
{
	size_t count = 0;
	own_queries[count++] = &query_clean;
	own_queries[count++] = &query_clean_rest;
	own_queries[count++] = &query_make_room;
	own_queries[count++] = &query_first;
	for (size_t i = 0; i < SECONDS_COUNT; i++)
		own_queries[count++] = &seconds[i].query;
	for (size_t i = 0; i < FAULTS_COUNT; i++)
		own_queries[count++] = &faults[i];
}

static void open_database(void)
{
	struct why why = { .text = "" };
	char url[512];
	list_queries();
	snprintf(url, sizeof(url), "%sappointment", getenv("TEST_DATABASE_URL"));
	database = database_new(url, getenv("DATABASE_PASSWORD"), "tests");
	database_add_queries(database, appointment_queries);
	database_add_queries(database, own_queries);
	check_outcome(database_open(database, &why), &why);
	database_begin(database);
	database_send(database, &query_clean, NULL, 0);
	database_send(database, &query_clean_rest, NULL, 0);
	check_outcome(database_commit(database, &why), &why);
}

static void close_database(void)
{
	database_close(database);
	database_free(database);
}

/* As the machine runs a batch, but for inbox and outbox. */
static const char *run_batch(struct bench *bench, const struct step *const steps[], size_t count)
{
	struct why why = { .text = "" };
	bench_open(bench, steps, count);
	database_begin(database);
	check_outcome(appointment.load(&bench->batch, database, &why), &why);
	while (bench->decided < count)
		bench_decide(bench);
	check_outcome(appointment.store(&bench->batch, database, &why), &why);
	check_outcome(database_commit(database, &why), &why);
	return bench_sent_after(bench, NULL);
}

/* A batch of one message; what it sent has to be this. */
static void hear(enum event event, const char *body, const char *message_id, const char *sent)
{
	const struct step step = { event, body, message_id };
	struct bench bench;
	ck_assert_str_eq(run_batch(&bench, (const struct step *const[]){ &step }, 1), sent);
	bench_close(&bench);
}

enum { HOLDS, VISITS };

/* One run of a timer at that moment; what it sent has to be this. */
static void run_timer(size_t number, int64_t now, const char *sent)
{
	const struct timer *timer = &appointment.timers[number];
	struct why why = { .text = "" };
	struct bench bench;
	bench_open(&bench, NULL, 0);
	bench.batch.now = now;
	outbox_cause(&bench.outbox, NULL, M4, "", 0);
	database_begin(database);
	check_outcome(timer->load(&bench.batch, database, &why), &why);
	timer->decide(&bench.batch, &bench.outbox);
	check_outcome(appointment.store(&bench.batch, database, &why), &why);
	check_outcome(database_commit(database, &why), &why);
	ck_assert_str_eq(bench_sent_after(&bench, NULL), sent);
	bench_close(&bench);
}

/* The states of the day's slots, one letter each, and the version behind them. */
static const char *read_day(struct arena *arena)
{
	struct appointment_slots_answered list = { .provider_id = "dr-adams", .date = "2026-06-01" };
	struct day day = { .list = &list };
	struct why why = { .text = "" };
	const char *text = "";
	check_outcome(day_load(&day, database, arena, &why), &why);
	for (size_t i = 0; i < list.slots_count; i++)
		text = arena_print(arena, "%s%.2s ", text, slot_state_name(list.slots[i].state));
	return arena_print(arena, "%s%d", text, (int)list.version);
}

static void check_day(const char *expected)
{
	struct arena arena;
	arena_init(&arena);
	ck_assert_str_eq(read_day(&arena), expected);
	arena_clear(&arena);
}

static void publish(void)
{
	hear(APPOINTMENT_SCHEDULE_PUBLISH, HOURS(",\"slot_minutes\":30"), M4, "published");
}

START_TEST(a_life_in_many_batches)
{
	check_day("0");
	publish();
	check_day("fr fr fr 1");
	hear(APPOINTMENT_SLOT_HOLD, HOLD(NINE, "p1"), M1, "held:0900/p1 answered:0900");
	check_day("he fr fr 2");
	hear(APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p2"), M2, "refused:held");
	run_timer(HOLDS, NOW + 60 * MICROSECONDS_PER_SECOND - 1, "");
	run_timer(HOLDS, NOW + 60 * MICROSECONDS_PER_SECOND, "released:0900");
	hear(APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), A1, "booked:0900/p1");
	check_day("bo fr fr 4");
	hear(APPOINTMENT_SLOT_BOOK, BOOK(HALF_PAST, "p2"), A2, "booked:0930/p2");
	hear(APPOINTMENT_SLOT_MOVE, MOVE(A1, HALF_PAST, "p1"), M3, "refused:taken");
	check_day("bo bo fr 5");
	hear(APPOINTMENT_SLOT_MOVE, MOVE(A1, TEN, "p1"), "aaaaaaaa-0000-4000-8000-000000000005", "moved:1000/p1");
	check_day("fr bo bo 6");
	run_timer(VISITS, NOW + DAYS_US(9), "no_show:0930/p2 no_show:1000/p1");
	run_timer(VISITS, NOW + DAYS_US(9), "");
}
END_TEST

/* Each message sees what those before it changed, the slots that one published included. */
START_TEST(a_life_in_one_batch)
{
	const struct step steps[] = {
		{ APPOINTMENT_SCHEDULE_PUBLISH, HOURS(",\"slot_minutes\":30"), M1 },
		{ APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), A1 },
		{ APPOINTMENT_WAITLIST_JOIN, JOIN("p2"), M2 },
	};
	struct bench bench;
	ck_assert_str_eq(run_batch(&bench, (const struct step *const[]){ &steps[0], &steps[1], &steps[2] }, 3),
		"published booked:0900/p1 joined:/p2");
	bench_close(&bench);
	check_day("bo fr fr 1");
	hear(APPOINTMENT_SLOT_CANCEL, CANCEL(A1, "p1"), M3, "cancelled:0900/p1 offered:0900/p2");
	check_day("he fr fr 2");
	run_timer(HOLDS, NOW + HOURS_US(1), "offer_expired:0900/p2");
	check_day("fr fr fr 3");
}
END_TEST

/* Two appointments change places within one batch: the constraints look at the end of it. */
START_TEST(one_takes_the_place_that_another_leaves)
{
	publish();
	hear(APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), A1, "booked:0900/p1");
	hear(APPOINTMENT_SLOT_BOOK, BOOK(HALF_PAST, "p2"), A2, "booked:0930/p2");
	const struct step steps[] = {
		{ APPOINTMENT_SLOT_MOVE, MOVE(A1, TEN, "p1"), M1 },
		{ APPOINTMENT_SLOT_MOVE, MOVE(A2, NINE, "p2"), M2 },
		{ APPOINTMENT_SLOT_MOVE, MOVE(A1, HALF_PAST, "p1"), M3 },
	};
	struct bench bench;
	ck_assert_str_eq(run_batch(&bench, (const struct step *const[]){ &steps[0], &steps[1], &steps[2] }, 3),
		"moved:1000/p1 moved:0900/p2 moved:0930/p1");
	bench_close(&bench);
	check_day("bo bo fr 4");
}
END_TEST

START_TEST(a_command_is_carried_out_once)
{
	publish();
	hear(APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), A1, "booked:0900/p1");
	hear(APPOINTMENT_SLOT_CANCEL, CANCEL(A1, "p1"), M1, "cancelled:0900/p1");
	hear(APPOINTMENT_SLOT_BOOK, BOOK(NINE, "p1"), A1, "");
	check_day("fr fr fr 3");
}
END_TEST

START_TEST(a_room_is_found_by_the_database)
{
	struct why why = { .text = "" };
	publish();
	database_begin(database);
	database_send(database, &query_make_room, NULL, 0);
	database_send(database, &query_first, NULL, 0);
	check_outcome(database_commit(database, &why), &why);
	hear(APPOINTMENT_SLOT_BOOK, BOOK(TEN, "p2"), M1, "refused:taken"); /* ten in London is nine in UTC */
	hear(APPOINTMENT_SLOT_BOOK, BOOK(HALF_PAST, "p2"), M2, "booked:0930/p2");
	hear(APPOINTMENT_SLOT_BOOK, BOOK(TEN, "p1"), M3, "refused:patient_overlap");
}
END_TEST

START_TEST(two_at_once)
{
	const struct second *second = &seconds[_i];
	struct why why = { .text = "" };
	database_begin(database);
	database_send(database, &query_first, NULL, 0);
	database_send(database, &second->query, NULL, 0);
	enum outcome outcome = database_commit(database, &why);
	ck_assert_msg(outcome == second->outcome, "%s: %s instead of %s: %s", second->name, outcome_name(outcome),
		outcome_name(second->outcome), why.text);
}
END_TEST

START_TEST(the_schema_refuses)
{
	struct why why = { .text = "" };
	publish();
	database_begin(database);
	database_send(database, &faults[_i], NULL, 0);
	ck_assert_msg(database_commit(database, &why) != DONE, "%s", faults[_i].text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("appointment sql");
	TCase *tests = tcase_create("statements");
	tcase_add_checked_fixture(tests, open_database, close_database);
	tcase_add_test(tests, a_life_in_many_batches);
	tcase_add_test(tests, a_life_in_one_batch);
	tcase_add_test(tests, one_takes_the_place_that_another_leaves);
	tcase_add_test(tests, a_command_is_carried_out_once);
	tcase_add_test(tests, a_room_is_found_by_the_database);
	tcase_add_loop_test(tests, two_at_once, 0, SECONDS_COUNT);
	tcase_add_loop_test(tests, the_schema_refuses, 0, FAULTS_COUNT);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
