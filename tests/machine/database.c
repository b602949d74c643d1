/*
 * The database connection against a real server: pipelines, values of every type, each class of failure, and what is left
 * afterwards. TEST_DATABASE_URL is a superuser's (tests/service/with_servers.py sets it); only temporary tables are made.
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

static const struct query make_table = { "make_table",
	"CREATE TEMP TABLE IF NOT EXISTS thing (name text PRIMARY KEY CHECK (name <> 'forbidden'), amount bigint NOT NULL)" };
static const struct query make_late = { "make_late",
	"CREATE TEMP TABLE IF NOT EXISTS late (number bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)" };
static const struct query add = { "add",
	"INSERT INTO pg_temp.thing SELECT * FROM unnest($1::text[], $2::bigint[]) RETURNING amount" };
static const struct query list = { "list", "SELECT name, amount FROM pg_temp.thing ORDER BY name" };
static const struct query echo = { "echo",
	"SELECT a, b, c, d, e, f FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::boolean[], "
	"$6::bytea[]) u (a, b, c, d, e, f)" };
static const struct query echo_one = { "echo_one",
	"SELECT $1::text, $2::uuid, $3::bigint, $4::timestamptz, $5::boolean, $6::bytea, 7::integer" };
static const struct query texts = { "texts", "SELECT ARRAY['one', 'zwei \xe2\x82\xac', ''], ARRAY[]::text[], NULL::text[]" };
static const struct query number = { "number", "SELECT $1::bigint" };
static const struct query add_late = { "add_late", "INSERT INTO pg_temp.late VALUES ($1::bigint)" };
static const struct query fail_as = { "fail_as", "SELECT pg_temp.fail_as($1::text)" };
static const struct query backend = { "backend", "SELECT pg_backend_pid()" };
static const struct query terminate = { "terminate", "SELECT pg_terminate_backend($1::bigint::integer, 5000)" };
static const struct query slow = { "slow", "SELECT pg_sleep(0.3)::text" };
static const struct query lock = { "lock", "SELECT pg_advisory_xact_lock($1::bigint)::text" };
static const struct query lock_timeout = { "lock_timeout", "SELECT set_config('lock_timeout', '50', true)" };
static const struct query make_failing = { "make_failing",
	"CREATE OR REPLACE FUNCTION pg_temp.fail_as(state text) RETURNS text LANGUAGE plpgsql AS "
	"$$ BEGIN RAISE EXCEPTION USING ERRCODE = state; END $$" };
static const struct query nonsense = { "nonsense", "SELECT no_such_column FROM pg_class" };
static const struct query *const setting_up[] = { &make_table, &make_late, &make_failing, NULL };
static const struct query *const own[] = { &echo, &echo_one, &texts, &number, &backend, &terminate, &slow, &lock,
	&lock_timeout, NULL };
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

static void set_up(void)
{
	arena_init(&arena);
	snprintf(url, sizeof(url), "%spostgres", getenv("TEST_DATABASE_URL"));
	database = new_database(own);
	check(database_open(database, &why), DONE);
}

static void tear_down(void)
{
	database_free(database);
	arena_clear(&arena);
}
