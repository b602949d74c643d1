/*
 * What tests of the bank's statements share: a database in place of rows made by hand. TEST_DATABASE_URL is a superuser's, to which
 * the database's name is appended (tests/service/with_servers.py sets it).
 */
#pragma once

#include "bloodbank_bench.h"
#include "database.h"

extern struct database *database;
extern unsigned rounds; /* loads of the last batch */
extern int64_t now;

/* Opens the database, with statements of the test's own, and empties it. */
void open_bank(const struct query *const queries[]);

/* Every test leaves books that agree. */
void close_bank(void);
void check_books(void);

/* Another connection like the first. */
struct database *connect_database(void);

void check_outcome(enum outcome outcome, const struct why *why);
void run_statement(const struct query *query, const struct parameter *parameter);

/* The parts of a batch that a test runs itself. */
void start_round(struct bench *bench);
const char *finish_batch(struct bench *bench);

/* A batch of one message, or one run of a timer; tells what goes out. */
const char *run_message(struct bench *bench, enum event event, const char *body);
const char *run_timer(struct bench *bench, size_t number);

/* Lets all that is reserved end, and all that is scheduled be due, at that time. */
void make_due(int64_t at);

/* What a second process that has 50 ms to spare gets from its load. */
enum outcome load_beside(struct database *other, enum event event, const char *body);

/* The same, while this one has loaded a message. */
enum outcome load_against(enum event event, const char *body, enum event other_event, const char *other_body);
