/*
 * Lists of requests and of stock against the migrated schema: pages neither lose nor repeat, each comes from an index, none is
 * too long. TEST_DATABASE_URL is a superuser's, to which the database's name is appended (tests/service/with_servers.py sets it).
 */
#include "hospital_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "hospital_queries.h"
#include "page.h"
#include "run.h"
#include "schema.h"

enum { REQUESTS = 5000, BODY_MAX = 256 * 1024 };

static struct database *database;

/* Request number i has its number as the first eight digits of its id. */
#define NUMBERED(number, rest) "(lpad((" number ")::text, 8, '0') || '" rest "')::uuid"
#define FIRST_ROWS \
	"INSERT INTO request (request_id, version, status, is_scheduled, correlation_id, hospital_id, requested_at, listed_at) "

static const struct query query_clean = { "clean",
	"WITH u AS (DELETE FROM request_unit), a AS (DELETE FROM allocation), s AS (DELETE FROM hospital_stock) "
	"DELETE FROM request" };
/* Seven at a time are of one moment; the ids go up and down with the time. */
static const struct query query_many = { "many",
	FIRST_ROWS "SELECT " NUMBERED("i * 3001 % 5000",
		"-0000-4000-8000-000000000000") ", 1, CASE WHEN i % 500 = 0 THEN 'pending' WHEN i % 2 = 0 THEN 'approved' ELSE 'cancelled' END, false, 'w', "
										"'hospital-00' || 1 + i % 3, at, at FROM (SELECT i, timestamptz '2026-05-01Z' + i / 7 * interval '1 second' AS at "
										"FROM generate_series(0, 4999) i) n" };
/* One of now, and one in the midst of what was there. */
static const struct query query_more = { "more",
	FIRST_ROWS "SELECT gen_random_uuid(), 1, 'approved', false, 'w', 'hospital-001', at, at "
			   "FROM unnest(ARRAY[now(), '2026-05-01T00:05:00Z']) at" };
static const struct query query_long = {
	"long",
	"WITH r AS (" FIRST_ROWS "SELECT " NUMBERED("i",
		"-0000-4000-8000-000000000000") ", 1, 'approved', false, 'w', 'hospital-001', at, at FROM (SELECT i, timestamptz '2026-05-01Z' + i * interval "
										"'1 second' AS at FROM generate_series(0, 29) i) n RETURNING request_id), a AS (INSERT INTO allocation "
										"SELECT request_id, 1, 'full', 100, 0, 'r', '2026-05-02Z' FROM r RETURNING request_id) "
										"INSERT INTO request_unit SELECT request_id, 1, n, 'A999926' || lpad(n::text, 6, '0') || '-E0336-00', 'bank-001', "
										"'red_cells', 'O+', '2026-06-01Z', '2026-05-05Z', 'not_crossmatched' FROM a, generate_series(0, 99) n"
};
static const struct query query_stock = { "stock",
	"INSERT INTO hospital_stock VALUES ('hospital-001', 'red_cells', 'O-', 3, 7), "
	"('hospital-001', 'plasma', 'AB+', 0, 1), ('hospital-002', 'red_cells', 'O-', 9, 1)" };
static const struct query query_bad_stock = { "bad_stock",
	"INSERT INTO hospital_stock VALUES ('hospital-001', 'red_cells', 'O-', -1, 1)" };
/* As the runtime role has it, whose plans are what matters. */
static const struct query query_role = { "role",
	"SELECT set_config(split_part(c, '=', 1), split_part(c, '=', 2), false) FROM pg_roles, unnest(rolconfig) c "
	"WHERE rolname = 'hospital'" };
#define EXPLAIN "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE "
static const struct query query_plan_of_hospital = { "plan_of_hospital",
	EXPLAIN "request_page_of_hospital(ARRAY['pending', 'approved', 'cancelled'], '2026-05-01T00:08:00Z', "
			"'00000000-0000-4000-8000-000000000000', 21, 'hospital-001')" };
static const struct query query_plan_of_all = { "plan_of_all",
	EXPLAIN
	"request_page(ARRAY['pending'], '2026-05-01T00:08:00Z', '00000000-0000-4000-8000-000000000000', 21)" };
static const struct query query_plan_of_stock = { "plan_of_stock", EXPLAIN "stock_answer('hospital-001')" };
static const struct query *const own_queries[] = { &query_clean, &query_many, &query_more, &query_long,
	&query_stock, &query_bad_stock, &query_role, &query_plan_of_hospital, &query_plan_of_all,
	&query_plan_of_stock, NULL };

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
	run_statement(&query_role);
	run_statement(&query_clean);
}

static void close_database(void)
{
	database_close(database);
	database_free(database);
}

static enum outcome ask(enum event event, const char *body, struct arena *arena, const void **answer,
	struct why *why)
{
	const struct question *question = hospital.questions;
	struct message message = { .event = event, .now = NOW, .arena = arena };
	void *content = NULL;
	enum event answer_event = EVENT_NONE;
	ck_assert(schema_read(event_type(event)->schema, body, strlen(body), arena, &content, why));
	message.body = content;
	while (question->event != event)
		question++;
	database_begin(database);
	enum outcome outcome = question->answer(&message, database, &answer_event, answer, why);
	database_rollback(database);
	return outcome;
}

static const struct hospital_requests_answered *ask_page(const char *filter, int limit, const char *cursor,
	struct arena *arena)
{
	struct why why = { .text = "" };
	const void *answer = NULL;
	const char *body = arena_print(arena, "{%s\"limit\":%d%s%s%s}", filter, limit,
		cursor == NULL ? "" : ",\"cursor\":\"", cursor == NULL ? "" : cursor, cursor == NULL ? "" : "\"");
	check_outcome(ask(HOSPITAL_QUERY_REQUESTS, body, arena, &answer, &why), &why);
	return answer;
}

/* Newest first, and of one moment the greatest id. */
static void check_order(const struct hospital_request_updated *before,
	const struct hospital_request_updated *after)
{
	if (before->requested_at == after->requested_at)
		ck_assert_int_gt(strcmp(before->request_id, after->request_id), 0);
	else
		ck_assert_int_gt(before->requested_at, after->requested_at);
}

struct walk {
	const char *filter;
	int limit;
	unsigned expected; /* of those that were there before the first page */
	const struct query *between;
};

static unsigned seen[REQUESTS];

static unsigned note_seen(const struct hospital_request_updated *item)
{
	unsigned long number = strtoul(item->request_id, NULL, 10);
	if (strcmp(item->request_id + 8, "-0000-4000-8000-000000000000") != 0 || number >= REQUESTS)
		return 0; /* one that was added */
	ck_assert_uint_eq(seen[number]++, 0);
	return 1;
}

static unsigned walk_pages(const struct walk *walk, struct arena *arena, unsigned *pages)
{
	const struct hospital_request_updated *last = NULL;
	const struct hospital_requests_answered *page = NULL;
	unsigned found = 0;
	memset(seen, 0, sizeof(seen));
	do {
		page = ask_page(walk->filter, walk->limit, page == NULL ? NULL : page->next, arena);
		ck_assert_uint_le(page->items_count, (size_t)walk->limit);
		ck_assert(page->next == NULL || page->items_count > 0);
		for (size_t i = 0; i < page->items_count; last = &page->items[i++]) {
			found += note_seen(&page->items[i]);
			if (last != NULL)
				check_order(last, &page->items[i]);
		}
		if (walk->between != NULL)
			run_statement(walk->between);
		++*pages;
	} while (page->next != NULL);
	return found;
}

static const struct walk walks[] = {
	{ "", 100, 5000, NULL },
	{ "", 37, 5000, &query_more },
	{ "\"hospital_id\":\"hospital-002\",", 20, 1667, &query_more },
	{ "\"hospital_id\":\"hospital-001\",", 100, 1667, &query_more },
	{ "\"status\":\"approved\",", 100, 2490, &query_more },
	{ "\"status\":\"pending\",", 3, 10, &query_more },
	{ "\"status\":\"pending\",\"hospital_id\":\"hospital-003\",", 1, 3, &query_more },
	{ "\"status\":\"issued\",", 20, 0, &query_more },
	{ "\"hospital_id\":\"hospital-009\",", 20, 0, &query_more },
};

START_TEST(pages_neither_lose_nor_repeat)
{
	const struct walk *walk = &walks[_i];
	struct arena arena;
	unsigned pages = 0;
	arena_init(&arena);
	run_statement(&query_many);
	ck_assert_uint_eq(walk_pages(walk, &arena, &pages), walk->expected);
	ck_assert_uint_ge(pages, walk->expected / (unsigned)walk->limit);
	arena_clear(&arena);
}
END_TEST

START_TEST(the_last_page_has_no_next)
{
	struct arena arena;
	arena_init(&arena);
	run_statement(&query_many);
	const char *filter = "\"status\":\"pending\",";
	const struct hospital_requests_answered *exact = ask_page(filter, 10, NULL, &arena);
	ck_assert_uint_eq(exact->items_count, 10);
	ck_assert_ptr_null(exact->next);
	ck_assert_int_eq(exact->as_of, NOW);
	const struct hospital_requests_answered *first = ask_page(filter, 9, NULL, &arena);
	ck_assert_uint_eq(first->items_count, 9);
	const struct hospital_requests_answered *second = ask_page(filter, 9, first->next, &arena);
	ck_assert_uint_eq(second->items_count, 1);
	ck_assert_ptr_null(second->next);
	arena_clear(&arena);
}
END_TEST

static size_t written_bytes(const struct hospital_requests_answered *page)
{
	struct buffer text = { 0 };
	ck_assert(schema_write(&hospital_requests_answered_schema, page, &text));
	size_t bytes = text.length_bytes;
	buffer_clear(&text);
	return bytes;
}

/* 30 requests of 100 units each: what would be too long for one message comes as several. */
START_TEST(a_page_ends_before_it_is_too_long)
{
	struct arena arena;
	size_t items = 0, pages = 0;
	const struct hospital_requests_answered *page = NULL;
	arena_init(&arena);
	run_statement(&query_long);
	do {
		page = ask_page("", 100, page == NULL ? NULL : page->next, &arena);
		ck_assert_uint_lt(written_bytes(page), BODY_MAX);
		for (size_t i = 0; i < page->items_count; i++)
			ck_assert_uint_eq(strtoul(page->items[i].request_id, NULL, 10), 29 - items++);
		ck_assert_uint_eq(page->items[0].units_count, 100);
		pages++;
	} while (page->next != NULL);
	ck_assert_uint_eq(items, 30);
	ck_assert_uint_gt(pages, 1);
	ck_assert_uint_lt(pages, 5);
	arena_clear(&arena);
}
END_TEST

START_TEST(a_malformed_cursor_is_not_answered)
{
	struct why why = { .text = "" };
	struct arena arena;
	const void *answer = NULL;
	arena_init(&arena);
	ck_assert_int_eq(ask(HOSPITAL_QUERY_REQUESTS, "{\"cursor\":\"1.x\"}", &arena, &answer, &why), REJECT);
	ck_assert_str_eq(why.reason, "cursor");
	ck_assert_ptr_null(answer);
	arena_clear(&arena);
}
END_TEST

/* Told first by its decision: it keeps the place that it got then, although it was asked for long before. */
START_TEST(a_place_in_the_list_never_changes)
{
	static const struct step approved = { BLOODBANK_BLOOD_APPROVED,
		APPROVED("1", "full", UNIT("0A") "," UNIT("0B"), "", "20:26:41"), M2 };
	static const struct step request = { HOSPITAL_BLOOD_REQUEST, ASK(R1, TWO_O_NEGATIVE), M1 };
	static const struct step *const steps[] = { &approved, &request };
	struct why why = { .text = "" };
	struct bench bench;
	struct arena arena;
	arena_init(&arena);
	run_statement(&query_more);
	for (size_t i = 0; i < 2; i++) {
		bench_open(&bench, &steps[i], 1);
		database_begin(database);
		check_outcome(hospital.load(&bench.batch, database, &why), &why);
		bench_decide(&bench);
		check_outcome(hospital.store(&bench.batch, database, &why), &why);
		check_outcome(database_commit(database, &why), &why);
		bench_close(&bench);
		const struct hospital_requests_answered *page = ask_page("", 1, NULL, &arena);
		ck_assert_str_eq(page->items[0].request_id, R1);
		ck_assert_int_eq(page->items[0].has_requested_at, i == 1);
	}
	arena_clear(&arena);
}
END_TEST

/* An index leads to each page, and nothing is read in vain. */
static void check_plan(const struct query *plan, const char *index)
{
	struct why why = { .text = "" };
	struct arena arena;
	bool is_by_index = false;
	arena_init(&arena);
	database_begin(database);
	const struct rows *rows = database_rows(database, database_send(database, plan, NULL, 0), &why);
	ck_assert_msg(rows != NULL, "%s", why.text);
	for (size_t row = 0; row < rows_count(rows); row++) {
		const char *line = rows_text(rows, row, 0, &arena);
		ck_assert_msg(strstr(line, "Seq Scan") == NULL && strstr(line, "Filter") == NULL, "%s: %s",
			plan->name, line);
		is_by_index = is_by_index || strstr(line, index) != NULL;
	}
	ck_assert_msg(is_by_index, "%s does not use %s", plan->name, index);
	database_rollback(database);
	arena_clear(&arena);
}

START_TEST(each_page_comes_from_an_index)
{
	run_statement(&query_many);
	run_statement(&query_stock);
	check_plan(&query_plan_of_hospital, "Backward using request_of_hospital");
	check_plan(&query_plan_of_hospital, "ROW(listed_at, request_id) < ROW(");
	check_plan(&query_plan_of_all, "Backward using request_of_all");
	check_plan(&query_plan_of_all, "ROW(listed_at, request_id) < ROW(");
	check_plan(&query_plan_of_stock, "hospital_stock_pkey");
}
END_TEST

START_TEST(a_hospitals_own_stock)
{
	struct why why = { .text = "" };
	struct arena arena;
	const void *answer = NULL;
	arena_init(&arena);
	run_statement(&query_stock);
	check_outcome(ask(HOSPITAL_QUERY_STOCK, "{\"hospital_id\":\"hospital-001\"}", &arena, &answer, &why),
		&why);
	const struct hospital_stock_answered *stock = answer;
	ck_assert_uint_eq(stock->items_count, 2);
	ck_assert_int_eq(stock->items[0].component, COMPONENT_PLASMA);
	ck_assert_int_eq(stock->items[0].on_hand, 0);
	ck_assert_str_eq(stock->items[1].hospital_id, "hospital-001");
	ck_assert_int_eq(stock->items[1].group, BLOOD_GROUP_O_NEGATIVE);
	ck_assert_int_eq(stock->items[1].on_hand, 3);
	ck_assert_int_eq(stock->items[1].version, 7);
	check_outcome(ask(HOSPITAL_QUERY_STOCK, "{\"hospital_id\":\"hospital-009\"}", &arena, &answer, &why),
		&why);
	ck_assert_uint_eq(((const struct hospital_stock_answered *)answer)->items_count, 0);
	arena_clear(&arena);
}
END_TEST

START_TEST(stock_is_never_negative)
{
	struct why why = { .text = "" };
	database_begin(database);
	database_send(database, &query_bad_stock, NULL, 0);
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
	Suite *suite = suite_create("sql hospital lists");
	TCase *tests = tcase_create("lists");
	tcase_add_checked_fixture(tests, open_database, close_database);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, pages_neither_lose_nor_repeat, 0, (int)(sizeof(walks) / sizeof(walks[0])));
	tcase_add_test(tests, the_last_page_has_no_next);
	tcase_add_test(tests, a_page_ends_before_it_is_too_long);
	tcase_add_test(tests, a_malformed_cursor_is_not_answered);
	tcase_add_test(tests, a_place_in_the_list_never_changes);
	tcase_add_test(tests, each_page_comes_from_an_index);
	tcase_add_test(tests, a_hospitals_own_stock);
	tcase_add_test(tests, stock_is_never_negative);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
