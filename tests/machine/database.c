/*
 * The database connection against a real server: pipelines, values of every type, each class of failure, and what is left
 * afterwards. TEST_DATABASE_URL is a superuser's (tests/service/with_servers.py sets it); its tables are made anew in a schema of their own.
 */
#include "database.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "run.h"

enum { MANY = 400, NOBODY_LISTENS_PORT = 1, TYPES = 6 };

#define ID "aaaaaaaa-0000-4000-8000-00000000000f"
#define UNICODE "Größe \xe2\x82\xac \xf0\x9f\xa9\xb8 \"quoted\\\" 'and'\n"

static const struct query make_schema = { "make_schema", "CREATE SCHEMA IF NOT EXISTS machine_test" };
static const struct query make_table = {
	"make_table",
	"CREATE TABLE IF NOT EXISTS machine_test.thing (name text PRIMARY KEY CHECK (name <> 'forbidden'), amount bigint NOT NULL)"
};
static const struct query make_late = { "make_late",
	"CREATE TABLE IF NOT EXISTS machine_test.late (number bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)" };
static const struct query make_failing = { "make_failing",
	"CREATE OR REPLACE FUNCTION machine_test.fail_as(state text) RETURNS text LANGUAGE plpgsql AS "
	"$$ BEGIN RAISE EXCEPTION USING ERRCODE = state; END $$" };
static const struct query clean = { "clean", "TRUNCATE machine_test.thing, machine_test.late" };
static const struct query *const setting_up[] = { &make_schema, &make_table, &make_late, &make_failing,
	NULL };

static const struct query add = { "add",
	"INSERT INTO machine_test.thing SELECT * FROM unnest($1::text[], $2::bigint[]) RETURNING amount" };
static const struct query list = { "list",
	"SELECT name, amount FROM machine_test.thing ORDER BY name COLLATE \"C\"" };
static const struct query echo = { "echo",
	"SELECT a, b, c, d, e, f FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::boolean[], "
	"$6::bytea[]) WITH ORDINALITY u (a, b, c, d, e, f, place) ORDER BY place" };
static const struct query echo_one = { "echo_one",
	"SELECT $1::text, $2::uuid, $3::bigint, $4::timestamptz, $5::boolean, $6::bytea, 7::integer" };
static const struct query texts = { "texts",
	"SELECT ARRAY['one', 'zwei \xe2\x82\xac', ''], ARRAY[]::text[]" };
static const struct query number = { "number", "SELECT $1::bigint" };
static const struct query add_late = { "add_late", "INSERT INTO machine_test.late VALUES ($1::bigint)" };
static const struct query fail_as = { "fail_as", "SELECT machine_test.fail_as($1::text)" };
static const struct query backend = { "backend", "SELECT pg_backend_pid()" };
static const struct query terminate = { "terminate",
	"SELECT pg_terminate_backend($1::bigint::integer, 5000)" };
static const struct query slow = { "slow", "SELECT pg_sleep(0.3)::text" };
static const struct query lock = { "lock", "SELECT pg_advisory_xact_lock($1::bigint)::text" };
static const struct query lock_timeout = { "lock_timeout", "SELECT set_config('lock_timeout', '50', true)" };
static const struct query *const own[] = { &clean, &add, &list, &echo, &echo_one, &texts, &number, &add_late,
	&fail_as, &backend, &terminate, &slow, &lock, &lock_timeout, NULL };

static const struct query nonsense = { "nonsense", "SELECT no_such_column FROM pg_class" };
static const struct query *const nonsensical[] = { &nonsense, NULL };

static char url[512];
static struct database *database;
static struct arena arena;
static struct why why;

static struct database *new_database(const struct query *const queries[])
{
	struct database *made = database_new(url, getenv("DATABASE_PASSWORD"), "tests");
	database_add_queries(made, queries);
	return made;
}

static void check(enum outcome found, enum outcome expected)
{
	ck_assert_msg(found == expected, "%s, not %s: %s", outcome_name(found), outcome_name(expected), why.text);
}

static void make_tables(void)
{
	snprintf(url, sizeof(url), "%spostgres", getenv("TEST_DATABASE_URL"));
	struct database *made = new_database(setting_up);
	check(database_open(made, &why), DONE);
	database_begin(made);
	for (const struct query *const *query = setting_up; *query != NULL; query++)
		database_send(made, *query, NULL, 0);
	check(database_commit(made, &why), DONE);
	database_free(made);
}

static void set_up(void)
{
	arena_init(&arena);
	database = new_database(own);
	check(database_open(database, &why), DONE);
	database_begin(database);
	database_send(database, &clean, NULL, 0);
	check(database_commit(database, &why), DONE);
}

static void tear_down(void)
{
	database_free(database);
	arena_clear(&arena);
}

static int send_number(struct database *to, const struct query *query, int64_t value)
{
	struct parameter parameter;
	parameter_init(&parameter, PARAMETER_INT, false);
	parameter_int(&parameter, value);
	int ticket = database_send(to, query, &parameter, 1);
	parameter_clear(&parameter);
	return ticket;
}

static int send_text(const struct query *query, const char *value)
{
	struct parameter parameter;
	parameter_init(&parameter, PARAMETER_TEXT, false);
	parameter_text(&parameter, value);
	int ticket = database_send(database, query, &parameter, 1);
	parameter_clear(&parameter);
	return ticket;
}

static void send_thing(const char *name, int64_t amount)
{
	struct parameter columns[2];
	parameters_arrays(columns, "ti");
	parameter_text(&columns[0], name);
	parameter_int(&columns[1], amount);
	database_send(database, &add, columns, 2);
	parameters_clear(columns, 2);
}

static int64_t first_number(struct database *from, int ticket)
{
	const struct rows *rows = database_rows(from, ticket, &why);
	ck_assert_msg(rows != NULL, "%s", why.text);
	ck_assert_uint_eq(rows_count(rows), 1);
	return rows_int(rows, 0, 0);
}

/* The names that are committed, seen by a transaction of its own. */
static size_t count_things(void)
{
	database_begin(database);
	int ticket = database_send(database, &list, NULL, 0);
	const struct rows *rows = database_rows(database, ticket, &why);
	ck_assert_msg(rows != NULL, "%s", why.text);
	size_t count = rows_count(rows);
	database_rollback(database);
	return count;
}

START_TEST(answers_may_be_read_in_any_order)
{
	database_begin(database);
	int first = send_number(database, &number, 1);
	int second = send_number(database, &number, 2);
	int third = send_number(database, &number, 3);
	ck_assert_int_eq(first_number(database, second), 2);
	ck_assert_int_eq(first_number(database, first), 1);
	int fourth = send_number(database, &number, 4);
	ck_assert_int_eq(first_number(database, fourth), 4);
	ck_assert_int_eq(first_number(database, third), 3);
	check(database_commit(database, &why), DONE);
}
END_TEST

START_TEST(many_statements_fit_into_one_transaction)
{
	int tickets[MANY];
	database_begin(database);
	for (int i = 0; i < MANY; i++)
		tickets[i] = send_number(database, &number, i);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(first_number(database, tickets[i]), i);
	check(database_commit(database, &why), DONE);
}
END_TEST

static void check_row(const struct rows *rows, size_t row)
{
	size_t length;
	ck_assert_str_eq(rows_text(rows, row, 0, &arena), UNICODE);
	ck_assert_str_eq(rows_uuid(rows, row, 1, &arena), ID);
	ck_assert_int_eq(rows_int(rows, row, 2), INT64_MIN);
	ck_assert_int_eq(rows_time(rows, row, 3), -1);
	ck_assert(rows_bool(rows, row, 4));
	const void *bytes = rows_bytes(rows, row, 5, &length);
	ck_assert_uint_eq(length, 3);
	ck_assert_mem_eq(bytes, "a\0b", 3);
}

static void check_nulls(const struct rows *rows, size_t row)
{
	size_t length;
	for (unsigned column = 0; column < TYPES; column++)
		ck_assert(rows_is_null(rows, row, column));
	ck_assert_ptr_null(rows_text(rows, row, 0, &arena));
	ck_assert_ptr_null(rows_uuid(rows, row, 1, &arena));
	ck_assert_int_eq(rows_int(rows, row, 2), 0);
	ck_assert_int_eq(rows_time(rows, row, 3), 0);
	ck_assert(!rows_bool(rows, row, 4));
	ck_assert_ptr_null(rows_bytes(rows, row, 5, &length));
}

static void fill(struct parameter parameters[TYPES])
{
	parameter_text(&parameters[0], UNICODE);
	parameter_uuid(&parameters[1], ID);
	parameter_int(&parameters[2], INT64_MIN);
	parameter_time(&parameters[3], -1);
	parameter_bool(&parameters[4], true);
	parameter_bytes(&parameters[5], "a\0b", 3);
}

START_TEST(every_type_comes_back_from_an_array)
{
	struct parameter columns[TYPES];
	parameters_arrays(columns, "tuizby");
	fill(columns);
	for (size_t i = 0; i < TYPES; i++)
		parameter_null(&columns[i]);
	fill(columns);
	database_begin(database);
	int ticket = database_send(database, &echo, columns, TYPES);
	parameters_clear(columns, TYPES);
	const struct rows *rows = database_rows(database, ticket, &why);
	ck_assert_msg(rows != NULL, "%s", why.text);
	ck_assert_uint_eq(rows_count(rows), 3);
	check_row(rows, 0);
	check_nulls(rows, 1);
	check_row(rows, 2);
	check(database_commit(database, &why), DONE);
}
END_TEST

START_TEST(empty_arrays_give_no_rows)
{
	struct parameter columns[TYPES];
	parameters_arrays(columns, "tuizby");
	database_begin(database);
	int ticket = database_send(database, &echo, columns, TYPES);
	parameters_clear(columns, TYPES);
	const struct rows *rows = database_rows(database, ticket, &why);
	ck_assert_msg(rows != NULL, "%s", why.text);
	ck_assert_uint_eq(rows_count(rows), 0);
	database_rollback(database);
}
END_TEST

static void init_singles(struct parameter parameters[TYPES])
{
	static const enum parameter_type types[TYPES] = { PARAMETER_TEXT, PARAMETER_UUID, PARAMETER_INT,
		PARAMETER_TIME, PARAMETER_BOOL, PARAMETER_BYTES };
	for (size_t i = 0; i < TYPES; i++)
		parameter_init(&parameters[i], types[i], false);
}

START_TEST(every_type_comes_back_alone)
{
	struct parameter parameters[TYPES];
	init_singles(parameters);
	fill(parameters);
	database_begin(database);
	int ticket = database_send(database, &echo_one, parameters, TYPES);
	for (size_t i = 0; i < TYPES; i++)
		parameter_null(&parameters[i]);
	int nulls = database_send(database, &echo_one, parameters, TYPES);
	parameters_clear(parameters, TYPES);
	const struct rows *rows = database_rows(database, ticket, &why);
	ck_assert_msg(rows != NULL, "%s", why.text);
	check_row(rows, 0);
	ck_assert_int_eq(rows_int(rows, 0, TYPES), 7);
	check_nulls(database_rows(database, nulls, &why), 0);
	database_rollback(database);
}
END_TEST

START_TEST(lists_of_texts)
{
	size_t count;
	database_begin(database);
	int ticket = database_send(database, &texts, NULL, 0);
	const struct rows *rows = database_rows(database, ticket, &why);
	ck_assert_msg(rows != NULL, "%s", why.text);
	const char **list_of_three = rows_texts(rows, 0, 0, &count, &arena);
	ck_assert_uint_eq(count, 3);
	ck_assert_str_eq(list_of_three[0], "one");
	ck_assert_str_eq(list_of_three[1], "zwei \xe2\x82\xac");
	ck_assert_str_eq(list_of_three[2], "");
	rows_texts(rows, 0, 1, &count, &arena);
	ck_assert_uint_eq(count, 0);
	database_rollback(database);
}
END_TEST

/* The table of SQLSTATE classes: what to do, and whether the connection is given up. */
static const struct {
	const char *state;
	enum outcome outcome;
	const char *reason;
	bool is_open;
} failures[] = {
	{ "40001", RETRY, "conflict", true },
	{ "40P01", RETRY, "conflict", true },
	{ "55P03", RETRY, "conflict", true },
	{ "23505", RETRY, "conflict", true },
	{ "23P01", RETRY, "conflict", true },
	{ "22003", REJECT, "data", true },
	{ "22P02", REJECT, "data", true },
	{ "23502", REJECT, "constraint", true },
	{ "23514", REJECT, "constraint", true },
	{ "23503", REJECT, "constraint", true },
	{ "42501", STOP, "sql", true },
	{ "42P01", STOP, "sql", true },
	{ "0A000", STOP, "sql", true },
	{ "P0001", STOP, "sql", true },
	{ "P0004", STOP, "sql", true }, /* must_touch */
	{ "XX000", STOP, "sql", true },
	{ "57014", RETRY, "database", false },
	{ "57P01", RETRY, "database", false },
	{ "57P03", RETRY, "database", false },
	{ "53100", RETRY, "database", false },
	{ "53300", RETRY, "database", false },
	{ "58030", RETRY, "database", false },
	{ "08006", RETRY, "database", false },
	{ "25006", RETRY, "database", false },
};

START_TEST(each_class_of_failure)
{
	database_begin(database);
	send_thing("before", 1);
	int ticket = send_text(&fail_as, failures[_i].state);
	send_thing("behind", 1);
	ck_assert_ptr_null(database_rows(database, ticket, &why));
	ck_assert_ptr_nonnull(strstr(why.text, failures[_i].state));
	check(database_failure(database, &why), failures[_i].outcome);
	ck_assert_str_eq(why.reason, failures[_i].reason);
	ck_assert_int_eq(database_is_open(database), failures[_i].is_open);
	database_rollback(database);
	ck_assert_int_eq(database_is_open(database), failures[_i].is_open);
	if (!failures[_i].is_open)
		check(database_open(database, &why), DONE);
	ck_assert_uint_eq(count_things(), 0);
}
END_TEST

/* Nobody reads the answer: the commit must. */
START_TEST(a_commit_finds_what_failed_before)
{
	database_begin(database);
	send_thing("one", 1);
	send_text(&fail_as, failures[_i].state);
	check(database_commit(database, &why), failures[_i].outcome);
	ck_assert_str_eq(why.reason, failures[_i].reason);
	if (!database_is_open(database))
		check(database_open(database, &why), DONE);
	ck_assert_uint_eq(count_things(), 0);
	database_begin(database);
	send_thing("two", 2);
	check(database_commit(database, &why), DONE);
	ck_assert_uint_eq(count_things(), 1);
}
END_TEST

START_TEST(a_constraint_checked_at_commit)
{
	database_begin(database);
	send_thing("one", 1);
	send_number(database, &add_late, 5);
	send_number(database, &add_late, 5);
	check(database_commit(database, &why), RETRY);
	ck_assert_str_eq(why.reason, "conflict");
	ck_assert(database_is_open(database));
	ck_assert_uint_eq(count_things(), 0);
}
END_TEST

static const struct rows *ask_number(struct database *of, const struct query *query, int64_t value)
{
	struct parameter parameter;
	parameter_init(&parameter, PARAMETER_INT, false);
	parameter_int(&parameter, value);
	const struct rows *rows = database_ask(of, query, &parameter, 1, &why);
	parameter_clear(&parameter);
	return rows;
}

/* Committed with its answer, whatever became of the one before; its locks are gone by then. */
START_TEST(a_statement_by_itself)
{
	struct database *other = new_database(own);
	check(database_open(other, &why), DONE);
	ck_assert_int_eq(rows_int(ask_number(database, &number, 7), 0, 0), 7);
	ck_assert_ptr_nonnull(ask_number(database, &lock, 9));
	ck_assert_ptr_nonnull(ask_number(other, &lock, 9));
	ck_assert_ptr_nonnull(ask_number(database, &add_late, 8));
	ck_assert_ptr_null(ask_number(other, &add_late, 8));
	check(database_failure(other, &why), RETRY);
	ck_assert_str_eq(why.reason, "conflict");
	ck_assert_int_eq(rows_int(ask_number(other, &number, 9), 0, 0), 9);
	database_close(database);
	ck_assert_ptr_null(ask_number(database, &number, 7));
	check(database_failure(database, &why), RETRY);
	database_free(other);
}
END_TEST

START_TEST(a_rollback_leaves_nothing_and_may_come_at_any_time)
{
	database_rollback(database);
	database_begin(database);
	database_rollback(database);
	database_begin(database);
	send_thing("one", 1);
	send_number(database, &number, 1);
	database_rollback(database);
	database_rollback(database);
	ck_assert(database_is_open(database));
	ck_assert_uint_eq(count_things(), 0);
}
END_TEST

static void terminate_backend(int64_t process)
{
	struct database *other = new_database(own);
	check(database_open(other, &why), DONE);
	database_begin(other);
	database_rows(other, send_number(other, &terminate, process), &why);
	check(database_commit(other, &why), DONE);
	database_free(other);
}

START_TEST(the_server_goes_in_mid_transaction)
{
	database_begin(database);
	int ticket = database_send(database, &backend, NULL, 0);
	int64_t process = first_number(database, ticket);
	send_thing("one", 1);
	terminate_backend(process);
	check(database_commit(database, &why), RETRY);
	ck_assert_str_eq(why.reason, "database");
	ck_assert(!database_is_open(database));
	check(database_open(database, &why), DONE);
	ck_assert_uint_eq(count_things(), 0);
}
END_TEST

START_TEST(a_closed_connection_fails_all_calls)
{
	database_close(database);
	database_begin(database);
	int ticket = send_number(database, &number, 1);
	ck_assert_ptr_null(database_rows(database, ticket, &why));
	check(database_failure(database, &why), RETRY);
	check(database_commit(database, &why), RETRY);
	ck_assert(!database_is_open(database));
	database_rollback(database);
	check(database_open(database, &why), DONE);
	ck_assert_uint_eq(count_things(), 0);
}
END_TEST

/* Waits for a lock no longer than told, and leaves the connection usable. */
START_TEST(a_lock_that_another_holds)
{
	struct database *other = new_database(own);
	check(database_open(other, &why), DONE);
	database_begin(other);
	ck_assert_ptr_nonnull(database_rows(other, send_number(other, &lock, 42), &why));
	database_begin(database);
	database_send(database, &lock_timeout, NULL, 0);
	send_number(database, &lock, 42);
	check(database_commit(database, &why), RETRY);
	ck_assert_str_eq(why.reason, "conflict");
	ck_assert(database_is_open(database));
	check(database_commit(other, &why), DONE);
	database_free(other);
	database_begin(database);
	send_number(database, &lock, 42);
	check(database_commit(database, &why), DONE);
}
END_TEST

/* What the owner of a connection does while the server works. */
struct patience {
	int calls;
	int calls_max;
};

static bool wait_patiently(void *owner, int fd, short events, int64_t deadline_ms)
{
	struct patience *patience = owner;
	struct pollfd poll_fd = { .fd = fd, .events = events };
	ck_assert_int_gt(deadline_ms, clock_steady_ms());
	poll(&poll_fd, 1, 20);
	return ++patience->calls < patience->calls_max;
}

START_TEST(waiting_is_the_owners)
{
	struct patience patience = { .calls_max = 10000 };
	database_set_wait(database, wait_patiently, &patience);
	database_begin(database);
	ck_assert_ptr_nonnull(database_rows(database, database_send(database, &slow, NULL, 0), &why));
	ck_assert_int_ge(patience.calls, 5);
	check(database_commit(database, &why), DONE);
}
END_TEST

START_TEST(an_owner_may_give_up)
{
	struct patience patience = { .calls_max = 3 };
	database_set_wait(database, wait_patiently, &patience);
	database_begin(database);
	send_thing("one", 1);
	database_send(database, &slow, NULL, 0);
	check(database_commit(database, &why), RETRY);
	ck_assert_str_eq(why.reason, "database");
	ck_assert(!database_is_open(database));
	database_set_wait(database, NULL, NULL);
	check(database_open(database, &why), DONE);
	ck_assert_uint_eq(count_things(), 0);
}
END_TEST

static void check_refusal(const char *address, const char *password, const struct query *const queries[],
	enum outcome expected)
{
	struct database *refused = database_new(address, password, "tests");
	database_add_queries(refused, queries);
	check(database_open(refused, &why), expected);
	ck_assert(!database_is_open(refused));
	ck_assert_uint_gt(strlen(why.text), 0);
	database_free(refused);
}

START_TEST(who_cannot_be_reached_is_tried_again)
{
	char nowhere[64];
	snprintf(nowhere, sizeof(nowhere), "postgresql://postgres@127.0.0.1:%d/postgres", NOBODY_LISTENS_PORT);
	check_refusal(nowhere, "secret", own, RETRY);
}
END_TEST

START_TEST(who_refuses_us_is_not)
{
	char missing[600];
	snprintf(missing, sizeof(missing), "%sno_such_database", getenv("TEST_DATABASE_URL"));
	check_refusal(url, "not the password", own, STOP);
	check_refusal(missing, getenv("DATABASE_PASSWORD"), own, STOP);
	check_refusal(url, getenv("DATABASE_PASSWORD"), nonsensical, STOP);
}
END_TEST

static TCase *add_tests(void)
{
	int failures_count = (int)(sizeof(failures) / sizeof(failures[0]));
	TCase *test_case = tcase_create("database");
	tcase_add_unchecked_fixture(test_case, make_tables, NULL);
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_set_timeout(test_case, 30);
	tcase_add_test(test_case, answers_may_be_read_in_any_order);
	tcase_add_test(test_case, many_statements_fit_into_one_transaction);
	tcase_add_test(test_case, every_type_comes_back_from_an_array);
	tcase_add_test(test_case, empty_arrays_give_no_rows);
	tcase_add_test(test_case, every_type_comes_back_alone);
	tcase_add_test(test_case, lists_of_texts);
	tcase_add_loop_test(test_case, each_class_of_failure, 0, failures_count);
	tcase_add_loop_test(test_case, a_commit_finds_what_failed_before, 0, failures_count);
	tcase_add_test(test_case, a_constraint_checked_at_commit);
	tcase_add_test(test_case, a_statement_by_itself);
	tcase_add_test(test_case, a_rollback_leaves_nothing_and_may_come_at_any_time);
	tcase_add_test(test_case, the_server_goes_in_mid_transaction);
	tcase_add_test(test_case, a_closed_connection_fails_all_calls);
	tcase_add_test(test_case, a_lock_that_another_holds);
	tcase_add_test(test_case, waiting_is_the_owners);
	tcase_add_test(test_case, an_owner_may_give_up);
	tcase_add_test(test_case, who_cannot_be_reached_is_tried_again);
	tcase_add_test(test_case, who_refuses_us_is_not);
	return test_case;
}

int main(void)
{
	if (getenv("TEST_DATABASE_URL") == NULL) {
		bool is_needed = getenv("CI") != NULL && strcmp(getenv("CI"), "true") == 0;
		puts(is_needed ? "1..1\nnot ok 1 - TEST_DATABASE_URL is not set: run tests/service/with_servers.py"
					   : "1..0 # SKIP no PostgreSQL: run tests/service/with_servers.py");
		return is_needed ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	Suite *suite = suite_create("database");
	suite_add_tcase(suite, add_tests());
	return run_suite(suite);
}
