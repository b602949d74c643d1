/* The connection to PostgreSQL of the bare loop. */
#include "bare_pipeline.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "bare_queries.h"

enum { BINARY = 1, PARAMETERS_MAX = 16 };

static const int64_t EPOCH_2000_US = INT64_C(946684800000000);

static PGconn *database;

static void check(bool is_good, const char *what)
{
	if (!is_good)
		fail("%s: %s", what, PQerrorMessage(database));
}

static PGresult *checked(PGresult *result, const char *what)
{
	ExecStatusType status = PQresultStatus(result);
	check(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, what);
	return result;
}

void pipeline_open(void)
{
	const char *const keywords[] = { "dbname", "password", "application_name", NULL };
	const char *const values[] = { setting("DATABASE_URL"), setting("DATABASE_PASSWORD"), "bare-loop", NULL };
	database = PQconnectdbParams(keywords, values, 1);
	check(PQstatus(database) == CONNECTION_OK, "connecting to the database");
	for (const struct query *const *query = bare_queries; *query != NULL; query++)
		PQclear(checked(PQprepare(database, (*query)->name, (*query)->text, 0, NULL), (*query)->name));
}

PGresult *pipeline_ask(const char *text)
{
	return checked(PQexec(database, text), text);
}

void pipeline_start(void)
{
	check(PQenterPipelineMode(database) && PQsetnonblocking(database, 1) == 0, "entering the pipeline mode");
}

void pipeline_send(const struct query *query, struct parameter parameters[], size_t count)
{
	const char *values[PARAMETERS_MAX];
	int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];
	for (size_t i = 0; i < count; i++) {
		values[i] = (const char *)parameters[i].buffer.data;
		lengths[i] = (int)parameters[i].buffer.length_bytes;
		formats[i] = BINARY;
	}
	check(PQsendQueryPrepared(database, query->name, (int)count, values, lengths, formats, BINARY),
		query->name);
	parameters_clear(parameters, count);
}

static void send_command(const char *text)
{
	check(PQsendQueryParams(database, text, 0, NULL, NULL, NULL, NULL, BINARY), text);
}

static void flush(void)
{
	int left;
	while ((left = PQflush(database)) == 1) {
		struct pollfd poll_fd = { .fd = PQsocket(database), .events = POLLIN | POLLOUT };
		poll(&poll_fd, 1, -1);
		check(PQconsumeInput(database), "reading");
	}
	check(left == 0, "writing");
}

void pipeline_begin(void)
{
	send_command("BEGIN");
}

void pipeline_flush(void)
{
	check(PQsendFlushRequest(database), "asking for the answers");
	flush();
}

void pipeline_commit(void)
{
	send_command("COMMIT");
	check(PQpipelineSync(database), "ending the pipeline");
	flush();
}

/* The NULL that ends each statement's answers is taken too. */
PGresult *pipeline_take(void)
{
	PGresult *result = checked(PQgetResult(database), "a statement");
	check(PQgetResult(database) == NULL, "a statement with two answers");
	return result;
}

void pipeline_take_rows(size_t expected, const char *what)
{
	PGresult *result = pipeline_take();
	size_t touched = strtoul(PQcmdTuples(result), NULL, 10);
	if (touched != expected)
		fail("%s touched %zu rows instead of %zu", what, touched, expected);
	PQclear(result);
}

void pipeline_committed(void)
{
	PGresult *result = pipeline_take();
	if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
		fail("COMMIT was answered with %s", PQcmdStatus(result));
	PQclear(result);
	result = PQgetResult(database);
	check(PQresultStatus(result) == PGRES_PIPELINE_SYNC, "the end of the pipeline");
	PQclear(result);
}

int64_t result_number(const PGresult *result, int row, int column)
{
	uint64_t value = 0;
	const unsigned char *bytes = (const unsigned char *)PQgetvalue(result, row, column);
	for (int i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return (int64_t)value;
}

int64_t result_time(const PGresult *result, int row, int column)
{
	return result_number(result, row, column) + EPOCH_2000_US;
}
