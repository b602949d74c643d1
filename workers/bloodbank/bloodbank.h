/* What the files of the worker offer to its table of routes. */
#pragma once

#include "worker.h"

/* Routes. */
decide_fn decide_requested;
decide_fn decide_cancelled;
decide_fn decide_receive;
refuse_fn refuse_receive;

/* Timers. */
load_fn load_due_requests;
load_fn load_due_units;
void decide_due_requests(struct batch *batch, struct outbox *outbox);
void decide_due_units(struct batch *batch, struct outbox *outbox);
bool is_more_due(const struct batch *batch);

/* Questions. */
enum outcome answer_stock(const struct message *message, struct database *database, enum event *answer_event,
	const void **answer, struct why *why);
enum outcome answer_unit(const struct message *message, struct database *database, enum event *answer_event,
	const void **answer, struct why *why);
enum outcome answer_units(const struct message *message, struct database *database, enum event *answer_event,
	const void **answer, struct why *why);

/* Views. */
const void *read_stock_view(const char *key, struct database *database, int64_t *version, struct arena *arena,
	struct why *why);

load_fn load_batch;
conclude_fn conclude_batch;
store_fn store_batch;

extern const struct worker bloodbank;
