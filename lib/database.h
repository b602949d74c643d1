/*
 * PostgreSQL: one connection, statements pipelined inside one explicit transaction at a time.
 *
 *	ticket = database_send(db, &some_query, parameters, count);    queues, sends nothing yet
 *	rows = database_rows(db, ticket, why);                         flushes, waits for that answer
 *	database_commit(db, why);                                      checks every answer, COMMIT counts only by its tag
 *
 * After the first error all further calls of the transaction fail with it, until database_rollback.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buffer.h"
#include "outcome.h"

enum {
	DATABASE_STATEMENTS_MAX = 512, /* of one transaction */
	DATABASE_PARAMETERS_MAX = 32,  /* of one statement */
	DATABASE_SETS_MAX = 4,         /* lists of statements */
};

/* A named statement, made from sql/<set>/queries.sql at build time and prepared when a connection opens. Every parameter is cast in
 * its text ($1::uuid[], $2::bigint: integers are always bigint), and every integer column may be int or bigint. */
struct query {
	const char *name;
	const char *text;
};

enum parameter_type {
	PARAMETER_TEXT,
	PARAMETER_UUID, /* from canonical text */
	PARAMETER_INT,  /* bigint */
	PARAMETER_TIME, /* timestamptz, from microseconds since 1970 */
	PARAMETER_BOOL,
	PARAMETER_BYTES, /* bytea */
};

/* One value, or one array of values (for unnest), in PostgreSQL's binary format. */
struct parameter {
	enum parameter_type type;
	bool is_array;
	bool is_null;         /* of a single value */
	size_t count;         /* elements added to the array */
	struct buffer buffer; /* owned */
};

/* Cleared by parameter_clear, or all at once by parameters_clear. */
void parameter_init(struct parameter *parameter, enum parameter_type type, bool is_array);
void parameter_clear(struct parameter *parameter);
void parameters_clear(struct parameter parameters[], size_t count);

/* Makes an array parameter for each letter: t text, u uuid, i bigint, z timestamptz, b bool, y bytea. */
void parameters_arrays(struct parameter parameters[], const char *letters);

/* Add an element to an array, or set the single value. NULL text gives SQL NULL. A uuid must be canonical. */
void parameter_text(struct parameter *parameter, const char *text);
void parameter_uuid(struct parameter *parameter, const char *text);
void parameter_int(struct parameter *parameter, int64_t value);
void parameter_time(struct parameter *parameter, int64_t time_us);
void parameter_bool(struct parameter *parameter, bool value);
void parameter_bytes(struct parameter *parameter, const void *bytes, size_t length);
void parameter_null(struct parameter *parameter);

struct database;
struct rows;

/* Called instead of a plain wait while the server works: returns after `fd` is ready for `events` (poll) or at the deadline. False = give up. */
typedef bool database_wait_fn(void *owner, int fd, short events, int64_t deadline_ms);

struct database *database_new(const char *url, const char *password, const char *application_name);
void database_free(struct database *database);
void database_set_wait(struct database *database, database_wait_fn *wait, void *owner);

/* Statements to prepare at every opening; the list ends with NULL. At most DATABASE_SETS_MAX lists. */
void database_add_queries(struct database *database, const struct query *const queries[]);

/* Connects, in at most a few seconds. RETRY: not there now. STOP: it answers, and refuses us (password, database, role). */
enum outcome database_open(struct database *database, struct why *why);
void database_close(struct database *database);
bool database_is_open(const struct database *database);

void database_begin(struct database *database);

/* Returns the ticket. A statement that must touch as many rows as it is given checks that itself, by must_touch(). */
int database_send(struct database *database, const struct query *query, const struct parameter parameters[],
	size_t count);

/* The answer; valid until commit or rollback. NULL: failed, see database_failure. */
const struct rows *database_rows(struct database *database, int ticket, struct why *why);

/*
 * DONE: the server said COMMIT. Otherwise the transaction is over or must be rolled back, and:
 * RETRY with the connection still open = a conflict (serialization, deadlock, lock timeout, a unique key that another transaction was
 * first to take); RETRY with it closed = the server is gone, the COMMIT perhaps done; REJECT = the data of some message (SQLSTATE
 * classes 22, the rest of 23); STOP = our fault (syntax, permission, row count).
 */
enum outcome database_commit(struct database *database, struct why *why);

/* The class of the failure that database_rows met; DONE when there was none. */
enum outcome database_failure(const struct database *database, struct why *why);

/*
 * One statement by itself, outside of a transaction: the server ends it before it answers, so that no lock of it is held over our
 * round trip. The answer is valid until the next begin or ask. NULL: failed, see database_failure.
 */
const struct rows *database_ask(struct database *database, const struct query *query,
	const struct parameter parameters[], size_t count, struct why *why);

/* Ends the transaction, whatever its state; drains the pipeline. Closes the connection if it does not answer. */
void database_rollback(struct database *database);

size_t rows_count(const struct rows *rows);
bool rows_is_null(const struct rows *rows, size_t row, unsigned column);
/* Values by column; SQL NULL gives NULL, 0 or false. The column's type must match: text/uuid/bigint,int/timestamptz/bool/bytea. */
const char *rows_text(const struct rows *rows, size_t row, unsigned column, struct arena *arena);
const char *rows_uuid(const struct rows *rows, size_t row, unsigned column, struct arena *arena);
int64_t rows_int(const struct rows *rows, size_t row, unsigned column);
int64_t rows_time(const struct rows *rows, size_t row, unsigned column);
bool rows_bool(const struct rows *rows, size_t row, unsigned column);
const void *rows_bytes(const struct rows *rows, size_t row, unsigned column,
	size_t *length); /* borrowed until commit */
/* One-dimensional text[] without NULLs. */
const char **rows_texts(const struct rows *rows, size_t row, unsigned column, size_t *count,
	struct arena *arena);
