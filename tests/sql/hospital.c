/*
 * The hospital's statements against the migrated schema: all are prepared, what was stored is loaded again, the schema refuses what
 * must not be. TEST_DATABASE_URL is a superuser's, to which the database's name is appended (tests/service/with_servers.py sets it).
 */
#include "hospital_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hospital_queries.h"
#include "run.h"
#include "store.h"

static struct database *database;

static const struct query query_clean = { "clean",
	"WITH u AS (DELETE FROM request_unit), w AS (DELETE FROM request_warning), r AS (DELETE FROM unit_release), "
	"a AS (DELETE FROM allocation), c AS (DELETE FROM cancellation) DELETE FROM request" };
static const struct query query_hospitals = { "hospitals",
	"INSERT INTO hospital VALUES ('hospital-001', 'One'), ('hospital-002', 'Two') ON CONFLICT DO NOTHING" };
static const struct query query_bad_status = { "bad_status",
	"INSERT INTO request (request_id, version, status, is_scheduled, correlation_id) "
	"VALUES (gen_random_uuid(), 1, 'somehow', false, 'x')" };
static const struct query query_half_content = { "half_content",
	"INSERT INTO request (request_id, version, status, content, is_scheduled, correlation_id) "
	"VALUES (gen_random_uuid(), 1, 'pending', '{}', false, 'x')" };
static const struct query query_groundless_rejection = { "groundless_rejection",
	"INSERT INTO request (request_id, version, status, is_scheduled, correlation_id) "
	"VALUES (gen_random_uuid(), 1, 'rejected', false, 'x')" };
static const struct query query_orphan_allocation = { "orphan_allocation",
	"INSERT INTO allocation VALUES (gen_random_uuid(), 1, 'full', 1, 0, 'r', now())" };
static const struct query query_orphan_cancellation = { "orphan_cancellation",
	"INSERT INTO cancellation VALUES (gen_random_uuid(), 1, 'why', NULL, now(), NULL, NULL)" };
static const struct query *const own_queries[] = { &query_clean, &query_hospitals, &query_bad_status,
	&query_half_content, &query_groundless_rejection, &query_orphan_allocation, &query_orphan_cancellation,
	NULL };

static void check_outcome(enum outcome outcome, const struct why *why)
{
	ck_assert_msg(outcome == DONE, "%s: %s", outcome_name(outcome), why->text);
}

static void run_statement(const struct query *query)
{
	struct why why = { .text = "" };
	database_begin(database);
	database_send(database, query, NULL, 0);
	check_outcome(database_commit(database, &why), &why);
}

static void open_database(void)
{
	struct why why = { .text = "" };
	char url[512];
	snprintf(url, sizeof(url), "%shospital", getenv("TEST_DATABASE_URL"));
	database = database_new(url, getenv("DATABASE_PASSWORD"), "tests");
	database_add_queries(database, hospital_queries);
	database_add_queries(database, own_queries);
	check_outcome(database_open(database, &why), &why);
	run_statement(&query_clean);
	run_statement(&query_hospitals);
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
	check_outcome(hospital.load(&bench->batch, database, &why), &why);
	while (bench->decided < bench->batch.count)
		bench_decide(bench);
	check_outcome(hospital.store(&bench->batch, database, &why), &why);
	check_outcome(database_commit(database, &why), &why);
}

/* What a question or the sweeper reads, as JSON; "" = nothing there. */
static const char *stored_description(const char *request_id, struct arena *arena)
{
	struct why why = { .text = "" };
	enum outcome outcome;
	struct buffer text;
	database_begin(database);
	const struct hospital_request_updated *state =
		store_describe(request_id, database, arena, &outcome, &why);
	check_outcome(outcome, &why);
	buffer_init(&text);
	if (state != NULL)
		ck_assert(schema_write(&hospital_request_updated_schema, state, &text));
	const char *copy = arena_text(arena, buffer_text(&text));
	buffer_clear(&text);
	check_outcome(database_commit(database, &why), &why);
	return copy;
}

static const struct step request = { HOSPITAL_BLOOD_REQUEST,
	ASK(R1,
		"\"order_id\":\"o-1\",\"needed_at\":\"2026-05-29T00:00:00.5Z\",\"attributes\":[\"irradiated\"],"
		"\"patient\":{\"ref\":\"p-1\",\"sex\":\"female\",\"age_years\":30,\"antigen_negative\":[\"K\"]},"
		"\"note\":\"\\u00e4 \\\"quoted\\\" {1,2} \\\\ \"," TWO_O_NEGATIVE),
	M1 };
static const struct step approve = { BLOODBANK_BLOOD_APPROVED,
	APPROVED("1", "full", UNIT("0A") "," UNIT("0B"),
		"{\"code\":\"short_dated\",\"detail\":\"x\"},{\"code\":\"substituted\"}", "20:26:41"),
	M2 };
static const struct step release = { BLOODBANK_RESERVATION_RELEASED,
	RELEASED(UNIT_A, "recalled", "1", "20:30:00"), M3 };
static const struct step refill = { BLOODBANK_BLOOD_APPROVED,
	APPROVED("2", "full", UNIT("0C"), "", "20:40:00"), "aaaaaaaa-0000-4000-8000-000000000004" };
static const struct step reject_other = { BLOODBANK_BLOOD_REJECTED,
	"{\"request_id\":\"" R2 "\",\"hospital_id\":\"hospital-002\",\"decision\":\"rejected\","
	"\"reason\":\"needed_in_past\",\"decided_at\":\"2026-05-28T20:26:41Z\"}",
	"aaaaaaaa-0000-4000-8000-000000000005" };

/* One message a batch, with everything read from the database each time, against all in one batch in memory. */
START_TEST(what_was_stored_is_loaded_again)
{
	static const struct step *const steps[] = { &request, &approve, &release, &refill, &reject_other };
	struct bench whole, part;
	bench_open(&whole, steps, 5);
	while (whole.decided < 5)
		bench_decide(&whole);
	for (size_t i = 0; i < 5; i++) {
		bench_open(&part, &steps[i], 1);
		run_batch(&part);
		bench_close(&part);
	}
	ck_assert_str_eq(stored_description(R1, &whole.arena), bench_description(&whole, R1));
	ck_assert_str_eq(stored_description(R2, &whole.arena), bench_description(&whole, R2));
	ck_assert_str_eq(bench_state(&whole, R1), "4 approved 2/2");
	bench_close(&whole);
}
END_TEST

START_TEST(what_a_release_does_not_say_is_not_stored)
{
	static const struct step silent = { BLOODBANK_RESERVATION_RELEASED,
		"{\"request_id\":\"" R1 "\",\"unit_ids\":[" UNIT_A "," UNIT_B "],\"reason\":\"expired\"}", M3 };
	static const struct step early = { BLOODBANK_BLOOD_APPROVED,
		APPROVED("1", "full", UNIT("0A") "," UNIT("0B"), "", "20:26:39"), M2 };
	static const struct step *const steps[] = { &request, &early, &silent };
	struct bench bench;
	for (size_t i = 0; i < 3; i++) {
		bench_open(&bench, &steps[i], 1);
		run_batch(&bench);
		bench_close(&bench);
	}
	bench_open(&bench, &steps[2], 1);
	run_batch(&bench);
	const struct request *stored = requests_find(bench.batch.state, R1);
	ck_assert_int_eq(stored->status, REQUEST_STATUS_PENDING);
	ck_assert(!stored->releases->has_backordered);
	bench_close(&bench);
}
END_TEST

START_TEST(one_batch_stores_the_same_as_many)
{
	static const struct step *const steps[] = { &request, &approve, &release, &refill, &reject_other };
	struct bench bench;
	bench_open(&bench, steps, 5);
	run_batch(&bench);
	ck_assert_str_eq(stored_description(R1, &bench.arena), bench_description(&bench, R1));
	ck_assert_str_eq(stored_description(R2, &bench.arena), bench_description(&bench, R2));
	bench_close(&bench);
}
END_TEST

START_TEST(a_decision_before_its_request_waits_for_it)
{
	static const struct step *const steps[] = { &approve, &request };
	struct bench bench;
	for (size_t i = 0; i < 2; i++) {
		bench_open(&bench, &steps[i], 1);
		run_batch(&bench);
		if (i == 1)
			ck_assert_str_eq(bench_state(&bench, R1), "2 approved 2/2");
		bench_close(&bench);
	}
}
END_TEST

START_TEST(the_same_request_from_the_database_gives_the_same_bytes)
{
	static const struct step again = { HOSPITAL_BLOOD_REQUEST, NULL, M2 };
	struct step second = again;
	second.body = request.body;
	const struct step *const first_steps[] = { &request }, *const second_steps[] = { &second };
	struct bench first, later;
	bench_open(&first, first_steps, 1);
	run_batch(&first);
	bench_open(&later, second_steps, 1);
	run_batch(&later);
	ck_assert_str_eq(bench_sent_after(&later, NULL), bench_sent_after(&first, NULL));
	const struct output *a = first.outbox.first, *b = later.outbox.first;
	for (; a != NULL; a = a->next, b = b->next) {
		ck_assert_str_eq(b->body, a->body);
		ck_assert_str_eq(b->message_id, a->message_id);
	}
	bench_close(&first);
	bench_close(&later);
}
END_TEST

static const struct step cancel = { HOSPITAL_BLOOD_CANCEL, CANCEL, "aaaaaaaa-0000-4000-8000-000000000006" };

/* At the end, and before anything else was heard: read from the database each time, it is what it is in memory. */
START_TEST(a_cancel_is_loaded_again)
{
	static const struct step *const late[] = { &request, &approve, &cancel, &release };
	static const struct step *const early[] = { &cancel, &request, &approve, &release };
	const struct step *const *steps = _i == 0 ? late : early;
	struct bench whole, part;
	bench_open(&whole, steps, 4);
	while (whole.decided < 4)
		bench_decide(&whole);
	for (size_t i = 0; i < 4; i++) {
		bench_open(&part, &steps[i], 1);
		run_batch(&part);
		bench_close(&part);
	}
	ck_assert_str_eq(stored_description(R1, &whole.arena), bench_description(&whole, R1));
	ck_assert_str_eq(bench_state(&whole, R1), "4 cancelled 1/2");
	bench_close(&whole);
}
END_TEST

START_TEST(whoever_cancels_again_hears_the_stored_event)
{
	static const struct step again = { HOSPITAL_BLOOD_CANCEL, CANCEL, M3 };
	const struct step *const order[][2] = { { &request, &cancel }, { &cancel, &request } };
	const struct step *const repeat[] = { &again };
	struct bench first, later;
	bench_open(&first, order[_i], 2);
	run_batch(&first);
	const struct output *told = first.outbox.first;
	while (strcmp(told->type, "hospital.blood.cancelled") != 0)
		told = told->next;
	bench_open(&later, repeat, 1);
	run_batch(&later);
	ck_assert_str_eq(bench_sent_after(&later, NULL), "hospital.blood.cancelled");
	ck_assert_str_eq(later.outbox.first->body, told->body);
	ck_assert_str_eq(later.outbox.first->message_id, told->message_id);
	ck_assert_str_eq(later.outbox.first->correlation_id, told->correlation_id);
	bench_close(&first);
	bench_close(&later);
}
END_TEST

START_TEST(only_registered_hospitals_are_known)
{
	static const struct step stranger = { HOSPITAL_BLOOD_REQUEST,
		"{\"request_id\":\"" R1 "\",\"hospital_id\":\"hospital-099\",\"component\":\"cryo\",\"group\":\"A+\","
		"\"quantity\":1,\"urgency\":\"routine\"}",
		M1 };
	const struct step *const steps[] = { &stranger };
	struct bench bench;
	bench_open(&bench, steps, 1);
	run_batch(&bench);
	ck_assert_str_eq(bench_sent_after(&bench, NULL), "hospital.blood.refused:unknown_facility");
	ck_assert_str_eq(stored_description(R1, &bench.arena), "");
	bench_close(&bench);
}
END_TEST

static const struct query *const refused[] = { &query_bad_status, &query_half_content,
	&query_groundless_rejection, &query_orphan_allocation, &query_orphan_cancellation };

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
	Suite *suite = suite_create("sql hospital");
	TCase *tests = tcase_create("store");
	tcase_add_checked_fixture(tests, open_database, close_database);
	tcase_add_test(tests, what_was_stored_is_loaded_again);
	tcase_add_test(tests, what_a_release_does_not_say_is_not_stored);
	tcase_add_test(tests, one_batch_stores_the_same_as_many);
	tcase_add_test(tests, a_decision_before_its_request_waits_for_it);
	tcase_add_test(tests, the_same_request_from_the_database_gives_the_same_bytes);
	tcase_add_loop_test(tests, a_cancel_is_loaded_again, 0, 2);
	tcase_add_loop_test(tests, whoever_cancels_again_hears_the_stored_event, 0, 2);
	tcase_add_test(tests, only_registered_hospitals_are_known);
	tcase_add_loop_test(tests, the_schema_refuses_what_must_not_be, 0,
		(int)(sizeof(refused) / sizeof(refused[0])));
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
