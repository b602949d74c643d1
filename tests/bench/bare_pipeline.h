/* libpq's pipeline mode for the bare loop: what is sent is answered in order; any fault ends the process. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "database.h"

/* Connects, prepares all statements. */
void pipeline_open(void);

/* A statement at once, with text results: only before pipeline_start. */
PGresult *pipeline_ask(const char *text);
void pipeline_start(void);

/* Sends a prepared statement, and clears its parameters. */
void pipeline_send(const struct query *query, struct parameter parameters[], size_t count);
void pipeline_begin(void);

/* Asks for the answers to what was sent, and makes sure that it leaves. */
void pipeline_flush(void);

/* The next answer; the caller clears it. */
PGresult *pipeline_take(void);
void pipeline_take_rows(size_t expected, const char *what);

/* COMMIT, and everything that was sent before it leaves; pipeline_committed takes the answer. */
void pipeline_commit(void);
void pipeline_committed(void);

/* Columns of binary results. */
int64_t result_number(const PGresult *result, int row, int column);
int64_t result_time(const PGresult *result, int row, int column);
