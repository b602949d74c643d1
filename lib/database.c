/* The connection and its transaction, over libpq's pipeline mode. */
#include "database.h"
#include "database_internal.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

enum {
	CONNECT_TIMEOUT_MS = 5000,
	ANSWER_TIMEOUT_MS = 15000, /* above the server's own statement_timeout */
};

struct statement {
	const struct query *query;
	struct rows rows; /* result NULL until it came */
};

struct database {
	const char *url;
	const char *password;
	const char *application_name;
	const struct query *const *sets[DATABASE_SETS_MAX]; /* to prepare when opening */
	size_t sets_count;
	PGconn *connection; /* NULL while closed */
	database_wait_fn *wait;
	void *wait_owner;
	struct statement statements[DATABASE_STATEMENTS_MAX]; /* of this transaction, BEGIN and COMMIT included */
	int sent;                                             /* statements queued */
	int received;                                         /* statements whose answer came */
	int flushed;            /* statements the server was asked to answer at once */
	bool is_open_on_server; /* between BEGIN and the end */
	enum outcome failure;   /* DONE while all is well */
	struct why why;         /* of the failure */
};

static const struct query query_begin = { "begin", "BEGIN" };
static const struct query query_commit = { "commit", "COMMIT" };
static const struct query query_rollback = { "rollback", "ROLLBACK" };

static bool wait_plainly(void *owner, int fd, short events, int64_t deadline_ms)
{
	(void)owner;
	struct pollfd poll_fd = { .fd = fd, .events = events };
	int64_t left_ms = deadline_ms - clock_steady_ms();
	return left_ms > 0 && poll(&poll_fd, 1, (int)left_ms) >= 0;
}

static enum outcome note_failure(struct database *database, enum outcome outcome, const char *reason,
	const char *text)
{
	if (database->failure == DONE) {
		database->failure = outcome;
		retry(&database->why, reason, "%s", text);
	}
	return database->failure;
}

static enum outcome fail_gone(struct database *database)
{
	struct why why;
	retry(&why, "database", "the database does not answer: %s",
		database->connection == NULL ? "closed" : PQerrorMessage(database->connection));
	char *newline = strchr(why.text, '\n');
	if (newline != NULL)
		*newline = '\0';
	database->failure = DONE; /* being gone outweighs what was seen before */
	note_failure(database, RETRY, "database", why.text);
	database_close(database);
	return RETRY;
}

/* One table of SQLSTATE classes (PostgreSQL manual, appendix A): longest prefix first. */
static const struct {
	const char *prefix;
	enum outcome outcome;
	bool is_gone;
	const char *reason;
} sqlstates[] = {
	{ "40", RETRY, false, "conflict" },    /* serialization failure, deadlock */
	{ "55P03", RETRY, false, "conflict" }, /* lock timeout */
	{ "08", RETRY, true, "database" },     /* connection */
	{ "53", RETRY, true, "database" },     /* out of disk, memory, connections */
	{ "57014", RETRY, true, "database" },  /* statement timeout: too slow to answer is not there */
	{ "57P", RETRY, true, "database" },    /* shutting down, starting up */
	{ "25P03", RETRY, true, "database" },  /* idle in transaction for too long */
	{ "58", RETRY, true, "database" },     /* system error below the server */
	{ "25006", RETRY, true, "database" },  /* read only: this server is a standby now */
	{ "22", REJECT, false, "data" },       /* data exception */
	{ "23505", RETRY, false, "conflict" }, /* unique key: whoever was first is seen by the next load */
	{ "23P01", RETRY, false, "conflict" }, /* exclusion constraint, likewise */
	{ "23", REJECT, false, "constraint" }, /* integrity constraint */
};

static enum outcome fail_by_sqlstate(struct database *database, const struct query *query,
	const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	if (state == NULL)
		return fail_gone(database);
	struct why why;
	retry(&why, NULL, "%s: %s (SQLSTATE %s)", query->name, message == NULL ? "no message" : message, state);
	for (size_t i = 0; i < sizeof(sqlstates) / sizeof(sqlstates[0]); i++) {
		if (strncmp(state, sqlstates[i].prefix, strlen(sqlstates[i].prefix)) != 0)
			continue;
		note_failure(database, sqlstates[i].outcome, sqlstates[i].reason, why.text);
		if (sqlstates[i].is_gone)
			database_close(database);
		return database->failure;
	}
	return note_failure(database, STOP, "sql", why.text);
}

static bool flush(struct database *database, int64_t deadline_ms)
{
	for (;;) {
		int left = PQflush(database->connection);
		if (left == 0)
			return true;
		int fd = PQsocket(database->connection);
		if (left < 0 || !database->wait(database->wait_owner, fd, POLLIN | POLLOUT, deadline_ms))
			return false;
		if (!PQconsumeInput(database->connection))
			return false;
	}
}

/* The next result, NULL included (it ends each statement's results); false when the server is gone. */
static bool next_result(struct database *database, int64_t deadline_ms, PGresult **result)
{
	if (!flush(database, deadline_ms))
		return false;
	while (PQisBusy(database->connection)) {
		if (clock_steady_ms() >= deadline_ms
			|| !database->wait(database->wait_owner, PQsocket(database->connection), POLLIN, deadline_ms)
			|| !PQconsumeInput(database->connection))
			return false;
	}
	*result = PQgetResult(database->connection);
	return *result != NULL || PQstatus(database->connection) == CONNECTION_OK;
}

static bool take_answer(struct database *database, PGresult *result)
{
	struct statement *statement = &database->statements[database->received++];
	statement->rows.result = result;
	ExecStatusType status = PQresultStatus(result);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_PIPELINE_ABORTED)
		fail_by_sqlstate(database, statement->query, result);
	return database->failure == DONE;
}

static bool receive_next(struct database *database)
{
	int64_t deadline_ms = clock_steady_ms() + ANSWER_TIMEOUT_MS;
	if (database->flushed <= database->received) {
		if (!PQsendFlushRequest(database->connection)) {
			fail_gone(database);
			return false;
		}
		database->flushed = database->sent;
	}
	PGresult *result = NULL;
	while (result == NULL) {
		if (!next_result(database, deadline_ms, &result)) {
			fail_gone(database);
			return false;
		}
	}
	return take_answer(database, result);
}

/* An answer too many: a statement by itself was done, and its commit failed. */
static void take_late_failure(struct database *database, PGresult *result)
{
	if (PQresultStatus(result) == PGRES_FATAL_ERROR && database->sent > 0)
		fail_by_sqlstate(database, database->statements[database->sent - 1].query, result);
	PQclear(result);
}

/* After an error or at the end: one sync, then everything up to its answer. */
static bool sync_and_drain(struct database *database)
{
	int64_t deadline_ms = clock_steady_ms() + ANSWER_TIMEOUT_MS;
	if (!PQpipelineSync(database->connection))
		return false;
	for (;;) {
		PGresult *result;
		if (!next_result(database, deadline_ms, &result))
			return false;
		if (result == NULL)
			continue;
		bool is_sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
		if (!is_sync && database->received < database->sent)
			take_answer(database, result);
		else
			take_late_failure(database, result);
		if (is_sync)
			return true;
		if (database->connection == NULL)
			return false;
	}
}

static void forget_statements(struct database *database)
{
	for (int i = 0; i < database->received; i++) {
		PQclear(database->statements[i].rows.result);
		database->statements[i].rows.result = NULL;
	}
	database->sent = database->received = database->flushed = 0;
}

static bool queue(struct database *database, const struct query *query)
{
	assert(database->sent < DATABASE_STATEMENTS_MAX);
	database->statements[database->sent++] = (struct statement){ .query = query };
	return database->failure == DONE && database->connection != NULL;
}

static void send_plain(struct database *database, const struct query *query)
{
	if (!queue(database, query))
		return;
	if (!PQsendQueryPrepared(database->connection, query->name, 0, NULL, NULL, NULL, 1))
		fail_gone(database);
}

/* Waits for all answers; what went wrong is in `failure` then. */
static void finish_pipeline(struct database *database)
{
	if (database->failure == DONE && !sync_and_drain(database) && database->connection != NULL)
		fail_gone(database);
}

static void prepare_set(struct database *database, const struct query *const queries[])
{
	for (const struct query *const *query = queries; *query != NULL; query++)
		if (queue(database, *query)
			&& !PQsendPrepare(database->connection, (*query)->name, (*query)->text, 0, NULL))
			fail_gone(database);
}

static enum outcome prepare_all(struct database *database, struct why *why)
{
	static const struct query *const own[] = { &query_begin, &query_commit, &query_rollback, NULL };
	prepare_set(database, own);
	for (size_t s = 0; s < database->sets_count; s++)
		prepare_set(database, database->sets[s]);
	finish_pipeline(database);
	forget_statements(database);
	return database_failure(database, why);
}

static enum outcome refuse_connection(struct database *database, struct why *why)
{
	/* libpq gives no SQLSTATE of a failed connection; only a server that answers can refuse us. */
	const char *message = PQerrorMessage(database->connection);
	bool is_refused =
		strstr(message, "authentication failed") != NULL || strstr(message, "does not exist") != NULL;
	retry(why, "database", "cannot connect to the database: %.200s", message);
	why->text[strcspn(why->text, "\n")] = '\0';
	database_close(database);
	return is_refused ? STOP : RETRY;
}

struct database *database_new(const char *url, const char *password, const char *application_name)
{
	struct database *database = calloc(1, sizeof(*database));
	if (database == NULL)
		abort();
	database->url = url;
	database->password = password;
	database->application_name = application_name;
	database->wait = wait_plainly;
	return database;
}

void database_free(struct database *database)
{
	if (database == NULL)
		return;
	database_close(database);
	free(database);
}

void database_set_wait(struct database *database, database_wait_fn *wait, void *owner)
{
	database->wait = wait == NULL ? wait_plainly : wait;
	database->wait_owner = owner;
}

void database_add_queries(struct database *database, const struct query *const queries[])
{
	assert(database->sets_count < DATABASE_SETS_MAX);
	database->sets[database->sets_count++] = queries;
}

static bool connect_in_time(struct database *database)
{
	int64_t deadline_ms = clock_steady_ms() + CONNECT_TIMEOUT_MS;
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED) {
		short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
		if (clock_steady_ms() >= deadline_ms
			|| !database->wait(database->wait_owner, PQsocket(database->connection), events, deadline_ms))
			return false;
		status = PQconnectPoll(database->connection);
	}
	return status == PGRES_POLLING_OK;
}

enum outcome database_open(struct database *database, struct why *why)
{
	const char *const keywords[] = { "dbname", "password", "application_name", "tcp_user_timeout",
		"client_encoding", NULL };
	const char *const values[] = { database->url, database->password, database->application_name, "10000",
		"UTF8", NULL };
	database_close(database);
	database->failure = DONE;
	database->connection = PQconnectStartParams(keywords, values, 1);
	if (database->connection == NULL)
		return stop(why, "database", "out of memory for a connection");
	if (PQstatus(database->connection) == CONNECTION_BAD || !connect_in_time(database))
		return refuse_connection(database, why);
	enum outcome outcome;
	if (PQsetnonblocking(database->connection, 1) != 0 || !PQenterPipelineMode(database->connection))
		outcome = retry(why, "database", "cannot enter pipeline mode");
	else
		outcome = prepare_all(database, why);
	if (outcome != DONE)
		database_close(database);
	return outcome;
}

void database_close(struct database *database)
{
	forget_statements(database);
	PQfinish(database->connection);
	database->connection = NULL;
	database->is_open_on_server = false;
}

bool database_is_open(const struct database *database)
{
	return database->connection != NULL;
}

void database_begin(struct database *database)
{
	forget_statements(database);
	database->failure = DONE;
	database->is_open_on_server = true;
	if (database->connection == NULL)
		fail_gone(database);
	send_plain(database, &query_begin);
}

int database_send(struct database *database, const struct query *query, const struct parameter parameters[],
	size_t count)
{
	const char *values[DATABASE_PARAMETERS_MAX];
	int lengths[DATABASE_PARAMETERS_MAX], formats[DATABASE_PARAMETERS_MAX];
	assert(count <= DATABASE_PARAMETERS_MAX);
	int ticket = database->sent;
	if (!queue(database, query))
		return ticket;
	for (size_t i = 0; i < count; i++) {
		values[i] = parameters[i].is_null ? NULL : buffer_text(&parameters[i].buffer);
		lengths[i] = (int)parameters[i].buffer.length_bytes;
		formats[i] = 1;
	}
	if (!PQsendQueryPrepared(database->connection, query->name, (int)count, values, lengths, formats, 1))
		fail_gone(database);
	return ticket;
}

const struct rows *database_rows(struct database *database, int ticket, struct why *why)
{
	while (database->failure == DONE && database->received <= ticket)
		receive_next(database);
	if (database->failure == DONE)
		return &database->statements[ticket].rows;
	*why = database->why;
	return NULL;
}

enum outcome database_failure(const struct database *database, struct why *why)
{
	if (database->failure != DONE)
		*why = database->why;
	return database->failure;
}

enum outcome database_commit(struct database *database, struct why *why)
{
	send_plain(database, &query_commit);
	finish_pipeline(database);
	if (database->failure == DONE) {
		const struct statement *commit = &database->statements[database->sent - 1];
		const char *tag = PQcmdStatus(commit->rows.result);
		if (strcmp(tag, "COMMIT") != 0)
			note_failure(database, STOP, "sql", "COMMIT was answered by another command tag");
	}
	if (database->failure != DONE) {
		enum outcome outcome = database_failure(database, why);
		database_rollback(database);
		return outcome;
	}
	database->is_open_on_server = false;
	forget_statements(database);
	return DONE;
}

void database_rollback(struct database *database)
{
	if (database->connection == NULL || !database->is_open_on_server) {
		forget_statements(database);
		return;
	}
	bool is_clean = sync_and_drain(database);
	forget_statements(database);
	if (is_clean && database->connection != NULL) {
		database->failure = DONE;
		send_plain(database, &query_rollback);
		is_clean = database->failure == DONE && sync_and_drain(database);
	}
	database->is_open_on_server = false;
	if (!is_clean)
		database_close(database);
	forget_statements(database);
}

const struct rows *database_ask(struct database *database, const struct query *query,
	const struct parameter parameters[], size_t count, struct why *why)
{
	forget_statements(database);
	database->failure = DONE;
	database->is_open_on_server = false;
	if (database->connection == NULL)
		fail_gone(database);
	int ticket = database_send(database, query, parameters, count);
	finish_pipeline(database);
	return database_rows(database, ticket, why);
}
