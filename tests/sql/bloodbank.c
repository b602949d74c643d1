/*
 * The bank's statements against the migrated schema: all are prepared, what was stored is loaded again, the schema refuses what
 * must not be.
 */
#include "bloodbank_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

#define BAG_COLUMNS \
	"(unit_id, din, product_code, division, bank_id, component, blood_group, profile, initial_status, collected_at, " \
	"expires_at, status, request_id, reserved_until) "
#define BAG_START \
	"('A999926000009-E0336-00', 'A999926000009', 'E0336', '00', 'bank-001', 'red_cells', 'A+', 0, 'available', " \
	"'2026-05-01Z', '2026-06-01Z', "

static const struct query query_wait = {
	"wait",
	"INSERT INTO request (request_id, hospital_id, component, blood_group, urgency, quantity, status, version, received_at, "
	"correlation_id, body) SELECT gen_random_uuid(), 'hospital-001', 'red_cells', 'A+', 'urgent', 1, 'waiting', 1, "
	"'2026-05-27Z', 'w', '{\"request_id\":\"" R3
	"\",\"hospital_id\":\"hospital-001\",\"component\":\"red_cells\","
	"\"group\":\"A+\",\"quantity\":1,\"urgency\":\"urgent\",\"attributes\":[\"never_seen\"]}' FROM generate_series(1, 150)"
};
static const struct query query_shelf = {
	"shelf",
	"WITH u AS (INSERT INTO unit (unit_id, din, product_code, division, bank_id, component, blood_group, profile, "
	"initial_status, status, collected_at, expires_at, attributes) "
	"SELECT 'A99992601' || lpad(i::text, 4, '0') || '-E0336-00', 'A99992601' || lpad(i::text, 4, '0'), 'E0336', '00', "
	"'bank-001', 'red_cells', 'A+', 0, 'available', 'available', '2026-05-20Z', timestamptz '2026-06-20Z' + i * interval "
	"'1 minute', CASE WHEN i = 150 THEN ARRAY['rare'] ELSE '{}' END FROM generate_series(1, 150) i), "
	"b AS (INSERT INTO bin VALUES ('bank-001', 'red_cells', 'A+', 0, 150)) "
	"UPDATE stock SET available = 150 WHERE bank_id = 'bank-001' AND component = 'red_cells' AND blood_group = 'A+'"
};
static const struct query query_no_owner = { "no_owner",
	"INSERT INTO unit " BAG_COLUMNS "VALUES " BAG_START "'reserved', NULL, '2026-06-01Z')" };
static const struct query query_no_end = { "no_end",
	"INSERT INTO unit " BAG_COLUMNS "VALUES " BAG_START "'reserved', gen_random_uuid(), NULL)" };
static const struct query query_free_and_owned = { "free_and_owned",
	"INSERT INTO unit " BAG_COLUMNS "VALUES " BAG_START "'available', gen_random_uuid(), NULL)" };
static const struct query query_held_too_long = { "held_too_long",
	"INSERT INTO unit " BAG_COLUMNS "VALUES " BAG_START "'reserved', gen_random_uuid(), '2026-06-02Z')" };
static const struct query query_negative_stock = { "negative_stock", "UPDATE stock SET available = -1" };
static const struct query query_negative_bin = { "negative_bin",
	"INSERT INTO bin VALUES ('bank-001', 'red_cells', 'A+', 1, -1)" };
static const struct query query_too_many = {
	"too_many",
	"INSERT INTO request (request_id, hospital_id, component, blood_group, urgency, quantity, status, quantity_allocated, "
	"version, received_at, correlation_id, body) "
	"VALUES (gen_random_uuid(), 'hospital-001', 'cryo', 'A+', 'urgent', 1, 'settled', 2, 1, now(), 'w', '{}')"
};
static const struct query query_settled_too_early = {
	"settled_too_early",
	"INSERT INTO request (request_id, hospital_id, component, blood_group, urgency, quantity, status, quantity_allocated, "
	"version, received_at, correlation_id, body) "
	"VALUES (gen_random_uuid(), 'hospital-001', 'cryo', 'A+', 'urgent', 2, 'settled', 1, 1, now(), 'w', '{}')"
};
static const struct query *const own_queries[] = { &query_wait, &query_shelf, &query_no_owner, &query_no_end,
	&query_free_and_owned, &query_held_too_long, &query_negative_stock, &query_negative_bin, &query_too_many,
	&query_settled_too_early, NULL };

static void open_database(void)
{
	open_bank(own_queries);
}

#define ASKED HOSPITAL_BLOOD_REQUESTED

START_TEST(a_request_from_first_to_last)
{
	struct bench bench;
	bench_open(&bench);
	ck_assert_str_eq(run_message(&bench, BLOODBANK_UNIT_RECEIVE,
						 RECEIVE(BAG("1", "A+", "") "," BAG("2", "A+", ""))),
		"received 1 2; stock A+ 2/0");
	ck_assert_str_eq(run_message(&bench, ASKED, ASK(R1, WANT("A+", "3", "routine"))),
		"approved 1 partial 2/3 1 2; stock A+ 0/2; critical A+");
	ck_assert_str_eq(run_message(&bench, ASKED, ASK(R1, WANT("A+", "3", "routine"))),
		"approved 1 partial 2/3 1 2");
	ck_assert_str_eq(run_message(&bench, ASKED, ASK(R1, WANT("A+", "2", "routine"))), "");
	ck_assert_str_eq(run_message(&bench, BLOODBANK_UNIT_RECEIVE,
						 RECEIVE(BAG("3", "A-", "") "," BAG("4", "A+", ""))),
		"received 3 4; approved 2 full 3/3 4; stock A+ 0/3; stock A- 1/0");
	ck_assert_str_eq(bench.outbox.last->correlation_id, bench.outbox.first->correlation_id);
	ck_assert_str_eq(run_message(&bench, ASKED, ASK(R1, WANT("A+", "3", "routine"))),
		"approved 1 partial 2/3 1 2; approved 2 full 3/3 4");
	make_due(NOW);
	ck_assert_str_eq(run_timer(&bench, 1), "released 1 2 4; stock A+ 3/0");
	ck_assert_str_eq(bench_progress(&bench, R1), "settled 0+3 v3");
	ck_assert_str_eq(run_timer(&bench, 1), "");
	bench_close(&bench);
}
END_TEST

START_TEST(a_scheduled_request)
{
	struct bench bench;
	bench_open(&bench);
	run_message(&bench, BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("1", "A+", "")));
	const char *body = ASK(R1, WANT("A+", "1", "routine") ",\"needed_at\":\"2026-06-02T00:00:00Z\"");
	ck_assert_str_eq(run_message(&bench, ASKED, body), "");
	ck_assert_str_eq(run_timer(&bench, 0), "");
	make_due(NOW);
	ck_assert_str_eq(run_timer(&bench, 0), "approved 1 full 1/1 1; stock A+ 0/1; critical A+");
	ck_assert_str_eq(run_timer(&bench, 0), "");
	bench_close(&bench);
}
END_TEST

START_TEST(all_that_is_kept_of_a_unit)
{
	struct bench bench;
	const char *body = RECEIVE(BAG("1", "B-",
		",\"expires_at\":\"2026-06-10T00:00:00.5Z\",\"anticoagulant\":\"CPD\",\"attributes\":[\"irradiated\",\"rare\"],"
		"\"antigens\":[\"K-\",\"a \\\"b\\\" \\\\ {c,d}\",\"NULL\"],\"volume_ml\":250,\"batch\":\"b\",\"donor_ref\":\"d\","
		"\"designated_for\":\"p\",\"initial_status\":\"quarantined\""));
	bench_open(&bench);
	ck_assert_str_eq(run_message(&bench, BLOODBANK_UNIT_RECEIVE, body), "received 1; stock B- 0/0");
	ck_assert_str_eq(run_message(&bench, BLOODBANK_UNIT_RECEIVE, body), "received 1");
	bench_close(&bench);
}
END_TEST

static const struct output *last_view(const struct bench *bench)
{
	const struct output *view = NULL;
	for (const struct output *output = bench->outbox.first; output != NULL; output = output->next)
		if (output->is_view)
			view = output;
	return view;
}

/* The sweeper reads what was told. */
static void check_view(struct bench *bench, enum stock_level level)
{
	struct why why = { .text = "" };
	struct buffer text = { 0 };
	int64_t version = 0;
	const struct output *told = last_view(bench);
	ck_assert_ptr_nonnull(told);
	database_begin(database);
	const struct bloodbank_inventory_updated *read =
		bloodbank.views[0].read(told->routing_key, database, &version, &bench->arena, &why);
	ck_assert_msg(read != NULL, "%s", why.text);
	ck_assert(schema_write(&bloodbank_inventory_updated_schema, read, &text));
	ck_assert_str_eq(buffer_text(&text), told->body);
	ck_assert_int_eq(version, told->version);
	ck_assert_int_eq(read->level, level);
	buffer_clear(&text);
	database_rollback(database);
}

struct visit {
	enum event event;
	const char *body, *told;
	enum stock_level level;
};

/* Told once at each change for the worse, and once when all is well again; what is asked for again tells nothing. */
START_TEST(alerts_from_first_to_last)
{
	static const struct visit visits[] = {
		{ BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("1", "A+", "") "," BAG("2", "A+", "")),
			"received 1 2; stock A+ 2/0", STOCK_LEVEL_LOW },
		{ BLOODBANK_UNIT_RECEIVE,
			RECEIVE(BAG("3", "A+", "") "," BAG("4", "A+", "") "," BAG("5", "A+", "") "," BAG("6", "A+", "")),
			"received 3 4 5 6; stock A+ 6/0", STOCK_LEVEL_NORMAL },
		{ ASKED, ASK(R1, WANT("A+", "2", "urgent")), "approved 1 full 2/2 1 2; stock A+ 4/2; low A+",
			STOCK_LEVEL_LOW },
		{ ASKED, ASK(R2, WANT("A+", "2", "urgent")), "approved 1 full 2/2 3 4; stock A+ 2/4",
			STOCK_LEVEL_LOW },
		{ ASKED, ASK(R3, WANT("A+", "1", "urgent")), "approved 1 full 1/1 5; stock A+ 1/5; critical A+",
			STOCK_LEVEL_CRITICAL },
		{ BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("7", "A+", "")), "received 7; stock A+ 2/5",
			STOCK_LEVEL_CRITICAL },
		{ BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("8", "A+", "")), "received 8; stock A+ 3/5", STOCK_LEVEL_LOW },
		{ BLOODBANK_UNIT_RECEIVE,
			RECEIVE("{\"din\":\"A999926000010\",\"product_code\":\"E0336\",\"component\":\"red_cells\","
					"\"group\":\"A+\",\"collected_at\":\"2026-05-20T00:00:00Z\"}," BAG("9", "A+",
						"") "," BAG("0", "A+", "")),
			"received 0 9 0; stock A+ 6/5; recovered A+", STOCK_LEVEL_NORMAL },
	};
	struct bench bench;
	bench_open(&bench);
	for (size_t i = 0; i < sizeof(visits) / sizeof(visits[0]); i++) {
		ck_assert_str_eq(run_message(&bench, visits[i].event, visits[i].body), visits[i].told);
		check_view(&bench, visits[i].level);
		const char *again = run_message(&bench, visits[i].event, visits[i].body);
		ck_assert_msg(strstr(again, "stock") == NULL, "%s", again);
	}
	bench_close(&bench);
}
END_TEST

/* The only unit that fits is the last of its bin. */
START_TEST(a_load_that_was_not_deep_enough)
{
	struct bench bench;
	bench_open(&bench);
	run_statement(&query_shelf, NULL);
	const char *told =
		run_message(&bench, ASKED, ASK(R1, WANT("A+", "1", "routine") ",\"attributes\":[\"rare\"]"));
	ck_assert_str_eq(told, "approved 1 full 1/1 0; stock A+ 149/1");
	ck_assert_uint_gt(rounds, 1);
	bench_close(&bench);
}
END_TEST

/* More than one load of waiting requests stand in front of the one that can be served. */
START_TEST(many_wait_for_what_never_comes)
{
	struct bench bench;
	bench_open(&bench);
	run_message(&bench, BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("1", "A+", "")));
	run_message(&bench, ASKED, ASK(R1, WANT("A+", "2", "urgent")));
	run_statement(&query_wait, NULL);
	ck_assert_str_eq(run_message(&bench, BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("2", "A+", ""))),
		"received 2; approved 2 full 2/2 2; stock A+ 0/2");
	bench_close(&bench);
}
END_TEST

/* xorshift64*: the same days in every run. */
static unsigned next_random(uint64_t *random, unsigned below)
{
	*random ^= *random >> 12;
	*random ^= *random << 25;
	*random ^= *random >> 27;
	return (unsigned)((*random * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % below;
}

static const char *random_group(uint64_t *random)
{
	return blood_group_name((enum blood_group)(1 + next_random(random, 8)));
}

static void receive_random(struct bench *bench, uint64_t *random, unsigned serial)
{
	char collected_at[TIME_TEXT_BYTES];
	time_print(now - (int64_t)(1 + next_random(random, 41)) * ONE_DAY, collected_at);
	run_message(bench, BLOODBANK_UNIT_RECEIVE,
		arena_print(&bench->arena,
			"{\"bank_id\":\"bank-00%u\",\"units\":[{\"din\":\"A999926%06u\",\"product_code\":\"E0336\","
			"\"component\":\"red_cells\",\"group\":\"%s\",\"collected_at\":\"%s\",\"additive\":\"SAGM\","
			"\"attributes\":[%s]}]}",
			1 + next_random(random, 2), serial, random_group(random), collected_at,
			next_random(random, 4) == 0 ? "\"irradiated\"" : ""));
}

static void ask_random(struct bench *bench, uint64_t *random, unsigned serial)
{
	char needed_at[TIME_TEXT_BYTES];
	time_print(now + (int64_t)next_random(random, 200) * ONE_HOUR, needed_at);
	enum urgency urgency = (enum urgency)(1 + next_random(random, 4));
	run_message(bench, ASKED,
		arena_print(&bench->arena,
			"{\"request_id\":\"%08u-0000-4000-8000-000000000000\",\"hospital_id\":\"hospital-00%u\","
			"\"component\":\"red_cells\",\"group\":\"%s\",\"quantity\":%u,\"urgency\":\"%s\","
			"\"needed_at\":\"%s\"}",
			serial, 1 + next_random(random, 4), random_group(random), 1 + next_random(random, 4),
			urgency_name(urgency), needed_at));
}

static void cancel_random(struct bench *bench, uint64_t *random, unsigned serial)
{
	run_message(bench, HOSPITAL_BLOOD_CANCELLED,
		arena_print(&bench->arena, "{\"request_id\":\"%08u-0000-4000-8000-000000000000\",\"reason\":\"x\"}",
			next_random(random, serial + 4)));
}

static void run_timers(struct bench *bench)
{
	for (size_t number = 0; number < 2; number++)
		do
			run_timer(bench, number);
		while (bloodbank.timers[number].is_full(&bench->batch));
}

/* Whatever comes in whatever order: the books agree after every step. */
START_TEST(random_days)
{
	uint64_t random = (uint64_t)_i + 1;
	for (unsigned serial = 0; serial < 250; serial++) {
		struct bench bench;
		bench_open(&bench);
		unsigned what = next_random(&random, 5);
		if (what < 2)
			receive_random(&bench, &random, serial);
		else if (what < 4)
			ask_random(&bench, &random, serial);
		else
			cancel_random(&bench, &random, serial);
		if (next_random(&random, 8) == 0) {
			now += (int64_t)next_random(&random, 48) * ONE_HOUR;
			run_timers(&bench);
		}
		check_books();
		bench_close(&bench);
	}
}
END_TEST

/* Both lanes may be decided in two processes: whoever comes second waits at the shelves, and only there. */
START_TEST(the_second_waits_at_the_shelves)
{
	struct bench bench;
	struct why why = { .text = "" };
	struct database *other = connect_database();
	const char *body = ASK(R1, WANT("A+", "1", "routine"));
	bench_open(&bench);
	const struct message *message = bench_message(&bench, ASKED, body);
	bench.batch = (struct batch){ .messages = &message, .count = 1, .now = now, .arena = &bench.arena };
	database_begin(database);
	check_outcome(bloodbank.load(&bench.batch, database, &why), &why);
	ck_assert_int_eq(load_beside(other, ASKED, ASK(R2, WANT("O-", "1", "emergency"))), RETRY);
	ck_assert_int_eq(load_beside(other, BLOODBANK_UNIT_RECEIVE, RECEIVE(BAG("1", "A+", ""))), RETRY);
	ck_assert_int_eq(load_beside(other, ASKED,
						 "{\"request_id\":\"" R2
						 "\",\"hospital_id\":\"hospital-001\",\"component\":\"plasma\"," WANT("A+", "1",
							 "routine") "}"),
		DONE);
	database_rollback(database);
	ck_assert_int_eq(load_beside(other, ASKED, body), DONE);
	database_close(other);
	database_free(other);
	bench_close(&bench);
}
END_TEST

static const struct query *const refused[] = { &query_no_owner, &query_no_end, &query_free_and_owned,
	&query_held_too_long, &query_negative_stock, &query_negative_bin, &query_too_many,
	&query_settled_too_early };

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
	Suite *suite = suite_create("sql bloodbank");
	TCase *tests = tcase_create("store");
	tcase_add_checked_fixture(tests, open_database, close_bank);
	tcase_add_test(tests, a_request_from_first_to_last);
	tcase_add_test(tests, a_scheduled_request);
	tcase_add_test(tests, all_that_is_kept_of_a_unit);
	tcase_add_test(tests, alerts_from_first_to_last);
	tcase_add_test(tests, a_load_that_was_not_deep_enough);
	tcase_add_test(tests, many_wait_for_what_never_comes);
	tcase_add_test(tests, the_second_waits_at_the_shelves);
	tcase_add_loop_test(tests, random_days, 0, 3);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, the_schema_refuses_what_must_not_be, 0,
		(int)(sizeof(refused) / sizeof(refused[0])));
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
