/* The notification worker: who must know what. It tells facilities by role, and sees to it that emergencies are read. */
#pragma once

#include "worker.h"

extern const struct worker notification;

/* Timers. */
load_fn load_due_digests;
load_fn load_due_escalations;
load_fn load_prune;
void decide_due_digests(struct batch *batch, struct outbox *outbox);
void decide_due_escalations(struct batch *batch, struct outbox *outbox);
void decide_nothing(struct batch *batch, struct outbox *outbox);
bool is_more_due(const struct batch *batch);

/* Questions. */
enum outcome answer_messages(const struct message *message, struct database *database,
	enum event *answer_event, const void **answer, struct why *why);

load_fn load_batch;
store_fn store_batch;
