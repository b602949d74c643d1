/* What tests of any worker's decisions share: messages as JSON, decided one after the other on one state, without I/O. */
#pragma once

#include <check.h>

#include "outbox_internal.h"
#include "worker.h"

#define M1 "aaaaaaaa-0000-4000-8000-000000000001"
#define M2 "aaaaaaaa-0000-4000-8000-000000000002"
#define M3 "aaaaaaaa-0000-4000-8000-000000000003"
#define M4 "aaaaaaaa-0000-4000-8000-000000000004"
#define NOW INT64_C(1780000000000000) /* 2026-05-28T20:26:40Z, a Thursday */

enum { BENCH_STEPS_MAX = 16 };

/* One message. */
struct step {
	enum event event; /* 0: none */
	const char *body;
	const char *message_id; /* NULL: M1 */
};

/* What the decisions work on. */
struct bench {
	const struct worker *worker;
	struct arena arena;
	struct outbox outbox;
	struct batch batch;
	const struct message *messages[BENCH_STEPS_MAX];
	size_t decided;
};

/* An output in words. */
typedef const char *bench_describe_fn(struct bench *bench, const struct output *output);

/* Reads the messages; batch.state is the caller's to set. */
void bench_begin(struct bench *bench, const struct worker *worker, const struct step *const steps[],
	size_t count);
void bench_close(struct bench *bench);

/* Decides the next message; it has to be DONE. */
void bench_decide(struct bench *bench);

/* What was sent after `from` (NULL: all), with a space between. */
const char *bench_list(struct bench *bench, const struct output *from, bench_describe_fn *describe);

/* The value of a member of a body that is a text, or "". */
const char *bench_member(struct bench *bench, const char *body, const char *name);
