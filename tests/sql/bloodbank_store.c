/* Batches as the machine runs them, but for inbox and outbox, and the books that must agree behind them. */
#include "bloodbank_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bloodbank_queries.h"

enum { SCENE_ROUNDS_MAX = 8 };

struct database *database;
unsigned rounds;
int64_t now = NOW;
static const struct query *const *own_queries;

static const struct query query_clean = {
	"clean",
	"WITH u AS (DELETE FROM unit), r AS (DELETE FROM request), d AS (DELETE FROM decision), b AS (DELETE FROM bin), "
	"t AS (DELETE FROM tombstone) "
	"UPDATE stock SET available = 0, reserved = 0, expiring = 0, expiring_until = '2000-01-01Z', version = 1, level = NULL"
};
static const struct query query_books = { "books",
	"SELECT count(*) FROM stock s LEFT JOIN (SELECT bank_id, component, blood_group, "
	"count(*) FILTER (WHERE status = 'available') AS available, count(*) FILTER (WHERE status = 'reserved') AS reserved, "
	"count(*) FILTER (WHERE status = 'available' AND designated_for IS NULL) AS for_anyone "
	"FROM unit GROUP BY 1, 2, 3) u USING (bank_id, component, blood_group) "
	"LEFT JOIN (SELECT bank_id, component, blood_group, sum(available) AS binned FROM bin GROUP BY 1, 2, 3) b "
	"USING (bank_id, component, blood_group) "
	"WHERE s.available <> coalesce(u.available, 0) OR s.reserved <> coalesce(u.reserved, 0) "
	"OR coalesce(b.binned, 0) <> coalesce(u.for_anyone, 0) OR EXISTS (SELECT FROM request r LEFT JOIN "
	"(SELECT request_id, count(*) AS held FROM unit WHERE status = 'reserved' GROUP BY 1) h USING (request_id) "
	"WHERE r.quantity_allocated <> coalesce(h.held, 0) OR (r.status NOT IN ('waiting', 'settled') AND h.held > 0)) "
	"OR s.expiring <> (SELECT count(*) FROM unit e "
	"WHERE e.status = 'available' AND e.bank_id = s.bank_id AND e.component = s.component "
	"AND e.blood_group = s.blood_group AND e.expires_at <= s.expiring_until)" };
static const struct query query_due = { "due",
	"WITH u AS (UPDATE unit SET reserved_until = $1::timestamptz WHERE status = 'reserved') "
	"UPDATE request SET allocate_at = $1::timestamptz WHERE status = 'scheduled'" };
static const struct query query_impatient = { "impatient",
	"SELECT set_config('lock_timeout', '50ms', true)" };
static const struct query *const shared_queries[] = { &query_clean, &query_books, &query_due,
	&query_impatient, NULL };

void check_outcome(enum outcome outcome, const struct why *why)
{
	ck_assert_msg(outcome == DONE, "%s: %s", outcome_name(outcome), why->text);
}

void run_statement(const struct query *query, const struct parameter *parameter)
{
	struct why why = { .text = "" };
	database_begin(database);
	database_send(database, query, parameter, parameter != NULL);
	check_outcome(database_commit(database, &why), &why);
}

struct database *connect_database(void)
{
	struct why why = { .text = "" };
	char url[512];
	snprintf(url, sizeof(url), "%sbloodbank", getenv("TEST_DATABASE_URL"));
	struct database *made = database_new(url, getenv("DATABASE_PASSWORD"), "tests");
	database_add_queries(made, bloodbank_queries);
	database_add_queries(made, shared_queries);
	database_add_queries(made, own_queries);
	check_outcome(database_open(made, &why), &why);
	return made;
}

void open_bank(const struct query *const queries[])
{
	own_queries = queries;
	database = connect_database();
	run_statement(&query_clean, NULL);
}

void check_books(void)
{
	struct why why = { .text = "" };
	database_begin(database);
	const struct rows *rows = database_rows(database, database_send(database, &query_books, NULL, 0), &why);
	ck_assert_msg(rows != NULL, "%s", why.text);
	ck_assert_int_eq(rows_int(rows, 0, 0), 0);
	database_rollback(database);
}

void close_bank(void)
{
	check_books();
	database_close(database);
	database_free(database);
}

void start_round(struct bench *bench)
{
	static const unsigned char namespace_id[UUID_BYTES] = "tests, no secret";
	outbox_init(&bench->outbox, &bench->arena, namespace_id, NOW);
	bench->batch.wants_more = false;
	bench->heard = NULL;
}

const char *finish_batch(struct bench *bench)
{
	struct why why = { .text = "" };
	bloodbank.conclude(&bench->batch, &bench->outbox);
	check_outcome(bloodbank.store(&bench->batch, database, &why), &why);
	check_outcome(database_commit(database, &why), &why);
	bench->state = bench->batch.state;
	rounds = bench->batch.round + 1;
	return bench_told(bench);
}

/* As the machine runs a batch of one message, but for inbox and outbox. */
const char *run_message(struct bench *bench, enum event event, const char *body)
{
	struct why why = { .text = "" };
	const struct message *message = bench_message(bench, event, body);
	bench->batch = (struct batch){ .messages = &message, .count = 1, .now = now, .arena = &bench->arena };
	database_begin(database);
	for (; bench->batch.round < SCENE_ROUNDS_MAX; bench->batch.round++) {
		start_round(bench);
		check_outcome(bloodbank.load(&bench->batch, database, &why), &why);
		bench_decide(bench, message);
		if (!bench->batch.wants_more)
			return finish_batch(bench);
	}
	ck_abort_msg("not complete after %d loads", SCENE_ROUNDS_MAX);
}

const char *run_timer(struct bench *bench, size_t number)
{
	struct why why = { .text = "" };
	bench->batch = (struct batch){ .now = now, .arena = &bench->arena };
	database_begin(database);
	for (; bench->batch.round < SCENE_ROUNDS_MAX; bench->batch.round++) {
		start_round(bench);
		check_outcome(bloodbank.timers[number].load(&bench->batch, database, &why), &why);
		outbox_cause(&bench->outbox, NULL, "aaaaaaaa-0000-4000-8000-00000000000a", "", 0);
		bloodbank.timers[number].decide(&bench->batch, &bench->outbox);
		if (!bench->batch.wants_more)
			return finish_batch(bench);
	}
	ck_abort_msg("not complete after %d loads", SCENE_ROUNDS_MAX);
}

void make_due(int64_t at)
{
	struct parameter parameter;
	parameter_init(&parameter, PARAMETER_TIME, false);
	parameter_time(&parameter, at);
	run_statement(&query_due, &parameter);
	parameter_clear(&parameter);
}

/* What a second process that has 50 ms to spare gets from its load. */
enum outcome load_beside(struct database *other, enum event event, const char *body)
{
	struct bench bench;
	struct why why = { .text = "" };
	bench_open(&bench);
	const struct message *message = bench_message(&bench, event, body);
	bench.batch = (struct batch){ .messages = &message, .count = 1, .now = now, .arena = &bench.arena };
	database_begin(other);
	database_send(other, &query_impatient, NULL, 0);
	enum outcome outcome = bloodbank.load(&bench.batch, other, &why);
	database_rollback(other);
	bench_close(&bench);
	return outcome;
}

/* What another process gets from its load while this one has loaded a message. */
enum outcome load_against(enum event event, const char *body, enum event other_event, const char *other_body)
{
	struct bench bench;
	struct why why = { .text = "" };
	struct database *other = connect_database();
	bench_open(&bench);
	const struct message *message = bench_message(&bench, event, body);
	bench.batch = (struct batch){ .messages = &message, .count = 1, .now = now, .arena = &bench.arena };
	database_begin(database);
	check_outcome(bloodbank.load(&bench.batch, database, &why), &why);
	enum outcome outcome = load_beside(other, other_event, other_body);
	database_rollback(database);
	database_close(other);
	database_free(other);
	bench_close(&bench);
	return outcome;
}
