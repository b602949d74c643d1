/*
 * PURE. The books of a load: requests are due at a fixed rate, whatever comes back, and each latency counts from the moment at
 * which its request was due. Whoever is slow is measured, not waited for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "journal.h"

enum { SCHEDULE_RATE_MAX = 20000, SCHEDULE_SECONDS_MAX = 3600, SCHEDULE_OPEN_MAX = 65536 };

/* Why a request that was sent is not acknowledged. */
enum failure {
	FAILURE_RETURNED,    /* AMQP: no queue took it */
	FAILURE_FULL,        /* AMQP: a queue refused it */
	FAILURE_LOST,        /* the connection ended before an answer */
	FAILURE_REFUSED,     /* HTTP 4xx */
	FAILURE_THROTTLED,   /* HTTP 429 */
	FAILURE_UNAVAILABLE, /* HTTP 5xx */
	FAILURE_TIMEOUT,     /* HTTP: no answer in time */
	FAILURES,
};

enum verdict { VERDICT_APPROVED, VERDICT_REJECTED, VERDICT_REFUSED, VERDICTS };

struct schedule {
	uint64_t key;           /* of the run's ids */
	uint64_t total;         /* requests in all */
	uint64_t rate;          /* a second */
	uint64_t open_max;      /* due and not acknowledged at most; more are never sent */
	int64_t start_us;       /* steady; the first is due then */
	int64_t wall_offset_us; /* from steady to wall time, for the journal */
	uint64_t admitted;      /* due so far */
	uint64_t next;          /* to be sent, if due */
	uint64_t open, sent, acknowledged, overflow;
	uint64_t failed[FAILURES], decided[VERDICTS];
	uint64_t awaited; /* acknowledged, not decided */
	int64_t last_sent_us;
	unsigned char *states;              /* of each request; owned */
	struct histogram confirm, decision; /* microseconds */
	struct journal *journal;
};

void schedule_init(struct schedule *schedule, uint64_t total, struct journal *journal);
void schedule_clear(struct schedule *schedule);

/* Steady microseconds. */
int64_t schedule_due_us(const struct schedule *schedule, uint64_t number);

/* Takes what is due by now. */
void schedule_admit(struct schedule *schedule, int64_t now_us);

/* The next one that is due and was not sent. False: there is none. */
bool schedule_take(struct schedule *schedule, uint64_t *number);

/* Nothing more becomes due. */
void schedule_stop(struct schedule *schedule);
bool schedule_is_over(const struct schedule *schedule); /* all was due, and sent or left out */

/* What became of a request. What is heard twice counts once. */
void schedule_sent(struct schedule *schedule, uint64_t number, int64_t now_us);
void schedule_acknowledged(struct schedule *schedule, uint64_t number, int64_t now_us);
void schedule_failed(struct schedule *schedule, uint64_t number, enum failure failure);
void schedule_decided(struct schedule *schedule, uint64_t number, enum verdict verdict, int64_t now_us);

const char *failure_name(enum failure failure);
const char *verdict_name(enum verdict verdict);
