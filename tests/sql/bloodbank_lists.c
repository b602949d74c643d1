/*
 * Lists of units against the migrated schema: pages neither lose nor repeat, each comes from an index, none is too long.
 * TEST_DATABASE_URL is a superuser's, to which the database's name is appended (tests/service/with_servers.py sets it).
 */
#include "bloodbank_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bloodbank_queries.h"
#include "run.h"
#include "schema.h"

enum { UNITS = 5000, BODY_MAX = 256 * 1024 };

static struct database *database;

#define UNIT_COLUMNS \
	"INSERT INTO unit (unit_id, din, product_code, division, bank_id, component, blood_group, profile, " \
	"initial_status, collected_at, expires_at, status, antigens) "
#define UNIT_KEY(number) \
	"'A999926' || lpad((" number ")::text, 6, '0') || '-E0336-00', 'A999926' || lpad((" number \
	")::text, 6, '0'), 'E0336', '00', "

static const struct query query_clean = { "clean", "DELETE FROM unit" };
/* Every second number, so that there is room between them. */
static const struct query query_many = {
	"many",
	UNIT_COLUMNS "SELECT " UNIT_KEY(
		"2 * (i * 3001 % 5000)") "'bank-00' || 1 + i % 2, (ARRAY['red_cells', 'plasma', 'cryo'])[1 + i % 3], "
								 "(ARRAY['O-', 'O+', 'A-', 'A+'])[1 + i / 6 % 4], 0, 'available', '2026-05-01Z', '2026-06-01Z', "
								 "CASE WHEN i % 500 = 0 THEN 'quarantined' ELSE 'available' END, '{}' FROM generate_series(0, 4999) i"
};
/* One in front and one behind, of those that are wanted, each time. */
static const struct query query_more = { "more",
	UNIT_COLUMNS
	"SELECT " UNIT_KEY("2 * n + 1") "'bank-001', 'red_cells', 'O-', 0, 'available', '2026-05-01Z', "
									"'2026-06-01Z', 'available', '{}' "
									"FROM (SELECT (random() * 2400)::int AS n UNION SELECT 2500 + "
									"(random() * 2400)::int) r ON CONFLICT DO NOTHING" };
static const struct query query_fat = { "fat",
	UNIT_COLUMNS
	"SELECT " UNIT_KEY("i") "'bank-001', 'cryo', 'AB-', 0, 'available', '2026-05-01Z', '2026-06-01Z', "
							"'available', array_fill(repeat(chr(1), 32), ARRAY[32]) "
							"FROM generate_series(0, 99) i" };
static const struct query query_held = { "held",
	"UPDATE unit SET status = 'reserved', request_id = '" R1
	"', reserved_until = '2026-05-30Z', version = 2, volume_ml = 280, "
	"attributes = '{irradiated}', designated_for = 'p-1' WHERE unit_id = 'A999926000004-E0336-00'" };
/* As the runtime role has it, whose plans are what matters. */
static const struct query query_role = { "role",
	"SELECT set_config(split_part(c, '=', 1), split_part(c, '=', 2), false) FROM pg_roles, unnest(rolconfig) c "
	"WHERE rolname = 'bloodbank'" };
#define EXPLAIN "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE "
static const struct query query_plan_of_some = { "plan_of_some",
	EXPLAIN "unit_page_of('A999926005000-E0336-00', 21, ARRAY['red_cells', 'cryo'], ARRAY['O-', 'A+'], "
			"ARRAY['available', 'quarantined'], 'bank-001')" };
static const struct query query_plan_of_all = { "plan_of_all",
	EXPLAIN "unit_page('A999926005000-E0336-00', 21)" };
static const struct query *const own_queries[] = { &query_clean, &query_many, &query_more, &query_fat,
	&query_held, &query_role, &query_plan_of_some, &query_plan_of_all, NULL };

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
	snprintf(url, sizeof(url), "%sbloodbank", getenv("TEST_DATABASE_URL"));
	database = database_new(url, getenv("DATABASE_PASSWORD"), "tests");
	database_add_queries(database, bloodbank_queries);
	database_add_queries(database, own_queries);
	check_outcome(database_open(database, &why), &why);
	run_statement(&query_role);
	run_statement(&query_clean);
}

/* The counters know nothing of these units. */
static void close_database(void)
{
	run_statement(&query_clean);
	database_close(database);
	database_free(database);
}

static enum outcome ask(enum event event, const char *body, struct arena *arena, const void **answer,
	struct why *why)
{
	const struct question *question = bloodbank.questions;
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

static const struct bloodbank_units_answered *ask_page(const char *filter, int limit, const char *cursor,
	struct arena *arena)
{
	struct why why = { .text = "" };
	const void *answer = NULL;
	const char *body = arena_print(arena, "{%s\"limit\":%d%s%s%s}", filter, limit,
		cursor == NULL ? "" : ",\"cursor\":\"", cursor == NULL ? "" : cursor, cursor == NULL ? "" : "\"");
	check_outcome(ask(BLOODBANK_QUERY_UNITS, body, arena, &answer, &why), &why);
	return answer;
}

struct walk {
	const char *filter;
	int limit;
	unsigned expected; /* of those that were there before the first page */
	const struct query *between;
};

static unsigned seen[2 * UNITS];

/* Units that are added have odd numbers. */
static unsigned note_seen(const char *unit_id)
{
	unsigned long number = strtoul(unit_id + 7, NULL, 10);
	ck_assert_uint_lt(number, 2 * UNITS);
	ck_assert_uint_eq(seen[number]++, 0);
	return number % 2 == 0;
}

static unsigned walk_pages(const struct walk *walk, struct arena *arena)
{
	const struct bloodbank_units_answered *page = NULL;
	const char *last = "";
	unsigned found = 0;
	memset(seen, 0, sizeof(seen));
	do {
		page = ask_page(walk->filter, walk->limit, page == NULL ? NULL : page->next, arena);
		ck_assert_uint_le(page->items_count, (size_t)walk->limit);
		ck_assert(page->next == NULL || page->items_count > 0);
		for (size_t i = 0; i < page->items_count; last = page->items[i++].unit_id) {
			ck_assert_int_lt(strcmp(last, page->items[i].unit_id), 0);
			found += note_seen(page->items[i].unit_id);
		}
		if (walk->between != NULL)
			run_statement(walk->between);
	} while (page->next != NULL);
	return found;
}

static const struct walk walks[] = {
	{ "", 100, 5000, NULL },
	{ "", 37, 5000, &query_more },
	{ "\"bank_id\":\"bank-001\",", 100, 2500, &query_more },
	{ "\"component\":\"plasma\",", 100, 1667, &query_more },
	{ "\"group\":\"O-\",", 50, 1254, &query_more },
	{ "\"status\":\"quarantined\",", 3, 10, &query_more },
	{ "\"status\":\"available\",\"group\":\"A+\",", 100, 1246, &query_more },
	{ "\"bank_id\":\"bank-001\",\"component\":\"red_cells\",\"group\":\"O-\",\"status\":\"available\",", 20,
		207, &query_more },
	{ "\"bank_id\":\"bank-009\",", 20, 0, &query_more },
	{ "\"status\":\"transfused\",", 20, 0, &query_more },
};

START_TEST(pages_neither_lose_nor_repeat)
{
	struct arena arena;
	arena_init(&arena);
	run_statement(&query_many);
	ck_assert_uint_eq(walk_pages(&walks[_i], &arena), walks[_i].expected);
	arena_clear(&arena);
}
END_TEST

START_TEST(the_last_page_has_no_next)
{
	struct arena arena;
	arena_init(&arena);
	run_statement(&query_many);
	const char *filter = "\"status\":\"quarantined\",";
	const struct bloodbank_units_answered *exact = ask_page(filter, 10, NULL, &arena);
	ck_assert_uint_eq(exact->items_count, 10);
	ck_assert_ptr_null(exact->next);
	ck_assert_int_eq(exact->as_of, NOW);
	const struct bloodbank_units_answered *first = ask_page(filter, 9, NULL, &arena);
	ck_assert_str_eq(first->next, first->items[8].unit_id);
	const struct bloodbank_units_answered *second = ask_page(filter, 9, first->next, &arena);
	ck_assert_uint_eq(second->items_count, 1);
	ck_assert_ptr_null(second->next);
	arena_clear(&arena);
}
END_TEST

/* 100 units with as many antigens as may be, each letter of which takes six bytes. */
START_TEST(a_page_ends_before_it_is_too_long)
{
	struct arena arena;
	size_t items = 0, pages = 0;
	const struct bloodbank_units_answered *page = NULL;
	arena_init(&arena);
	run_statement(&query_fat);
	do {
		struct buffer text = { 0 };
		page = ask_page("", 100, page == NULL ? NULL : page->next, &arena);
		ck_assert(schema_write(&bloodbank_units_answered_schema, page, &text));
		ck_assert_uint_lt(text.length_bytes, BODY_MAX);
		buffer_clear(&text);
		for (size_t i = 0; i < page->items_count; i++)
			ck_assert_uint_eq(strtoul(page->items[i].unit_id + 7, NULL, 10), items++);
		pages++;
	} while (page->next != NULL);
	ck_assert_uint_eq(items, 100);
	ck_assert_uint_gt(pages, 2);
	ck_assert_uint_lt(pages, 6);
	arena_clear(&arena);
}
END_TEST

START_TEST(a_malformed_cursor_is_not_answered)
{
	struct why why = { .text = "" };
	struct arena arena;
	const void *answer = NULL;
	arena_init(&arena);
	ck_assert_int_eq(ask(BLOODBANK_QUERY_UNITS, "{\"cursor\":\"A\"}", &arena, &answer, &why), REJECT);
	ck_assert_str_eq(why.reason, "cursor");
	ck_assert_ptr_null(answer);
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
		ck_assert_msg(strstr(line, "Seq Scan") == NULL && strstr(line, "Bitmap") == NULL, "%s: %s",
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
	check_plan(&query_plan_of_some, "Index Only Scan using unit_listed on unit");
	check_plan(&query_plan_of_some,
		"(blood_group = g.blood_group) AND (status = s.status) AND (unit_id > $1)");
	check_plan(&query_plan_of_some, "(status = stretch.status) AND (unit_id >= stretch.unit_id)");
	check_plan(&query_plan_of_all, "Index Only Scan using unit_pkey on unit");
}
END_TEST

static const char *unit_text(const char *unit_id, struct arena *arena)
{
	struct why why = { .text = "" };
	struct buffer text = { 0 };
	const void *answer = NULL;
	const char *body = arena_print(arena, "{\"unit_id\":\"%s\"}", unit_id);
	check_outcome(ask(BLOODBANK_QUERY_UNIT, body, arena, &answer, &why), &why);
	ck_assert(schema_write(&bloodbank_unit_answered_schema, answer, &text));
	const char *copy = arena_text(arena, buffer_text(&text));
	buffer_clear(&text);
	return copy;
}

START_TEST(all_that_is_known_of_a_unit)
{
	struct arena arena;
	arena_init(&arena);
	run_statement(&query_many);
	run_statement(&query_held);
	ck_assert_str_eq(unit_text("A999926000004-E0336-00", &arena),
		"{\"found\":true,\"as_of\":\"2026-05-28T20:26:40Z\",\"unit\":{\"din\":\"A999926000004\","
		"\"product_code\":\"E0336\",\"division\":\"00\",\"component\":\"red_cells\",\"group\":\"A+\","
		"\"collected_at\":\"2026-05-01T00:00:00Z\",\"expires_at\":\"2026-06-01T00:00:00Z\","
		"\"attributes\":[\"irradiated\"],\"volume_ml\":280,\"designated_for\":\"p-1\","
		"\"initial_status\":\"available\",\"unit_id\":\"A999926000004-E0336-00\",\"status\":\"reserved\","
		"\"bank_id\":\"bank-001\",\"request_id\":\"" R1
		"\",\"reserved_until\":\"2026-05-30T00:00:00Z\",\"version\":2}}");
	ck_assert_str_eq(unit_text("A999926000003-E0336-00", &arena),
		"{\"found\":false,\"as_of\":\"2026-05-28T20:26:40Z\"}");
	arena_clear(&arena);
}
END_TEST

int main(void)
{
	if (getenv("TEST_DATABASE_URL") == NULL) {
		printf("1..0 # SKIP TEST_DATABASE_URL is not set: run it by tests/service/with_servers.py\n");
		return getenv("CI") == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	Suite *suite = suite_create("sql bloodbank lists");
	TCase *tests = tcase_create("lists");
	tcase_add_checked_fixture(tests, open_database, close_database);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, pages_neither_lose_nor_repeat, 0, (int)(sizeof(walks) / sizeof(walks[0])));
	tcase_add_test(tests, the_last_page_has_no_next);
	tcase_add_test(tests, a_page_ends_before_it_is_too_long);
	tcase_add_test(tests, a_malformed_cursor_is_not_answered);
	tcase_add_test(tests, each_page_comes_from_an_index);
	tcase_add_test(tests, all_that_is_known_of_a_unit);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
