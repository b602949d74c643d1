/*
 * What the slot cache needs of the database: certificates that say when a list was true, a registry that never gives an incarnation
 * twice. TEST_DATABASE_URL is a superuser's, to which the database's name is appended (tests/service/with_servers.py sets it).
 */
#include <stdio.h>
#include <stdlib.h>

#include "appointment_queries.h"
#include "day_load.h"
#include "registry_queries.h"
#include "run.h"

enum { ROWS_MOST = 200 };

static const struct query clean = { "clean", "WITH c AS (DELETE FROM cache) DELETE FROM day" };
static const struct query hasty = { "hasty", "SET LOCAL lock_timeout = '50ms'" };
static const struct query snapshot = { "snapshot", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ" };
static const struct query crowd = { "crowd",
	"INSERT INTO cache (name) SELECT 'x' FROM generate_series(1, $1::bigint)" };
static const struct query misnamed = { "misnamed", "INSERT INTO cache (name) VALUES ('a.#')" };
static const struct query *const own[] = { &clean, &hasty, &snapshot, &crowd, &misnamed, NULL };

static struct database *reader, *writer;
static struct arena arena;

static void check(enum outcome outcome, const struct why *why)
{
	ck_assert_msg(outcome == DONE, "%s: %s", outcome_name(outcome), why->text);
}

static struct database *connect(void)
{
	static char url[512];
	struct why why = { .text = "" };
	snprintf(url, sizeof(url), "%sappointment", getenv("TEST_DATABASE_URL"));
	struct database *database = database_new(url, getenv("DATABASE_PASSWORD"), "tests");
	database_add_queries(database, appointment_queries);
	database_add_queries(database, registry_queries);
	database_add_queries(database, own);
	check(database_open(database, &why), &why);
	return database;
}

static void open_both(void)
{
	struct why why = { .text = "" };
	arena_init(&arena);
	reader = connect();
	writer = connect();
	ck_assert_ptr_nonnull(database_ask(writer, &clean, NULL, 0, &why));
}

static void close_both(void)
{
	database_free(reader);
	database_free(writer);
	arena_clear(&arena);
}

/* The list's certificate, 0 where it has none. */
static int64_t certificate(void)
{
	struct appointment_slots_answered list = { .provider_id = "dr-cache", .date = "2026-06-01" };
	struct day day = { .list = &list };
	struct why why = { .text = "" };
	check(day_load(&day, reader, &arena, &why), &why);
	ck_assert_int_eq(day.horizon_days, -1);
	ck_assert_int_eq(list.has_certificate, list.certificate > 0);
	return list.certificate;
}

/* Takes the lock of a day as a batch does. */
static void lock(struct database *database, const char *name)
{
	struct parameter names;
	parameters_arrays(&names, "t");
	parameter_text(&names, name);
	database_send(database, &key_lock, &names, 1);
	parameter_clear(&names);
}

static int64_t number_of(struct database *database, int ticket)
{
	struct why why = { .text = "" };
	const struct rows *rows = database_rows(database, ticket, &why);
	ck_assert_msg(rows != NULL, "%s", why.text);
	return rows_int(rows, 0, 0);
}

START_TEST(who_writes_leaves_no_certificate)
{
	struct why why = { .text = "" };
	ck_assert_int_gt(certificate(), 0);
	database_begin(writer);
	lock(writer, "day dr-cache 2026-06-02");
	number_of(writer, database_send(writer, &cache_place, NULL, 0));
	ck_assert_int_gt(certificate(), 0);
	lock(writer, "day dr-cache 2026-06-01");
	number_of(writer, database_send(writer, &cache_place, NULL, 0));
	ck_assert_int_eq(certificate(), 0);
	check(database_commit(writer, &why), &why);
	ck_assert_int_gt(certificate(), 0);
}
END_TEST

/* The place that a writer reads lies between the certificates of before and after its commit. */
START_TEST(a_write_parts_the_certificates)
{
	struct why why = { .text = "" };
	struct parameter day[2];
	int64_t before = certificate();
	database_begin(writer);
	lock(writer, "day dr-cache 2026-06-01");
	int64_t place = number_of(writer, database_send(writer, &cache_place, NULL, 0));
	parameters_arrays(day, "tt");
	parameter_text(&day[0], "dr-cache");
	parameter_text(&day[1], "2026-06-01");
	database_send(writer, &day_raise, day, 2);
	parameters_clear(day, 2);
	check(database_commit(writer, &why), &why);
	ck_assert_int_le(before, place);
	ck_assert_int_gt(certificate(), place);
}
END_TEST

START_TEST(a_reader_keeps_no_lock)
{
	struct why why = { .text = "" };
	ck_assert_int_gt(certificate(), 0);
	database_begin(writer);
	database_send(writer, &hasty, NULL, 0);
	lock(writer, "day dr-cache 2026-06-01");
	check(database_commit(writer, &why), &why);
}
END_TEST

/* There the list might be older than its certificate. */
START_TEST(a_snapshot_gives_no_certificate)
{
	struct why why = { .text = "" };
	struct parameter parameters[2];
	for (size_t i = 0; i < 2; i++) {
		parameter_init(&parameters[i], PARAMETER_TEXT, false);
		parameter_text(&parameters[i], i == 0 ? "dr-cache" : "2026-06-01");
	}
	database_begin(reader);
	ck_assert_int_gt(number_of(reader, database_send(reader, &day_list, parameters, 2)), 0);
	database_rollback(reader);
	database_begin(reader);
	database_send(reader, &snapshot, NULL, 0);
	ck_assert_int_eq(number_of(reader, database_send(reader, &day_list, parameters, 2)), 0);
	check(database_commit(reader, &why), &why);
	parameters_clear(parameters, 2);
}
END_TEST

static int64_t enter(const char *name, int64_t left)
{
	struct why why = { .text = "" };
	struct parameter parameters[2];
	parameter_init(&parameters[0], PARAMETER_TEXT, false);
	parameter_text(&parameters[0], name);
	parameter_init(&parameters[1], PARAMETER_INT, false);
	parameter_int(&parameters[1], left);
	const struct rows *rows = database_ask(writer, &cache_enter, parameters, 2, &why);
	parameters_clear(parameters, 2);
	ck_assert_msg(rows != NULL, "%s", why.text);
	return rows_count(rows) == 0 ? 0 : rows_int(rows, 0, 0);
}

static size_t registered(void)
{
	struct why why = { .text = "" };
	return rows_count(database_ask(reader, &cache_registry, NULL, 0, &why));
}

/* Without another write the flushed log is above G at once, else nothing would be kept on an idle database. */
START_TEST(a_registration_lifts_the_log)
{
	struct why why = { .text = "" };
	struct parameter incarnation;
	int64_t before = certificate();
	parameter_init(&incarnation, PARAMETER_INT, false);
	parameter_int(&incarnation, enter("a", 0));
	int64_t generation = rows_int(database_ask(writer, &cache_begin, &incarnation, 1, &why), 0, 0);
	parameter_clear(&incarnation);
	ck_assert_int_lt(before, generation);
	ck_assert_int_gt(certificate(), generation);
}
END_TEST

START_TEST(a_name_takes_away_what_it_left_itself)
{
	int64_t first = enter("a", 0), second = enter("b", first);
	ck_assert_int_gt(second, first);
	ck_assert_uint_eq(registered(), 2);
	ck_assert_int_gt(enter("a", first), second);
	ck_assert_uint_eq(registered(), 2);
}
END_TEST

START_TEST(there_is_an_end_to_caches)
{
	struct why why = { .text = "" };
	struct parameter count;
	parameter_init(&count, PARAMETER_INT, false);
	parameter_int(&count, ROWS_MOST);
	ck_assert_ptr_nonnull(database_ask(writer, &crowd, &count, 1, &why));
	parameter_clear(&count);
	ck_assert_int_eq(enter("a", 0), 0);
	ck_assert_uint_eq(registered(), ROWS_MOST);
	ck_assert_ptr_null(database_ask(writer, &misnamed, NULL, 0, &why));
	ck_assert_int_eq(database_failure(writer, &why), REJECT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("appointment cache sql");
	TCase *tests = tcase_create("statements");
	tcase_add_checked_fixture(tests, open_both, close_both);
	tcase_add_test(tests, who_writes_leaves_no_certificate);
	tcase_add_test(tests, a_write_parts_the_certificates);
	tcase_add_test(tests, a_reader_keeps_no_lock);
	tcase_add_test(tests, a_snapshot_gives_no_certificate);
	tcase_add_test(tests, a_registration_lifts_the_log);
	tcase_add_test(tests, a_name_takes_away_what_it_left_itself);
	tcase_add_test(tests, there_is_an_end_to_caches);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
