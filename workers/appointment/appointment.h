/* The appointment worker: who sees which provider when. */
#pragma once

#include "worker.h"

extern const struct worker appointment;

/* Commands; each file decides those of one noun. */
decide_fn decide_publish, decide_block;
decide_fn decide_hold, decide_release, decide_book;
decide_fn decide_cancel, decide_move;
decide_fn decide_arrive, decide_complete;
decide_fn decide_join, decide_leave, decide_decline;

/* What time brings. */
load_fn load_due_slots, load_due_bookings, load_old_commands;
void decide_due_slots(struct batch *batch, struct outbox *outbox);
void decide_due_bookings(struct batch *batch, struct outbox *outbox);
void decide_nothing(struct batch *batch, struct outbox *outbox);
bool is_more_due(const struct batch *batch);

load_fn load_batch;
store_fn store_batch;

/* The lists that are cached. */
enum outcome answer_slots(const struct message *message, struct database *database, struct cache *cache,
	enum event *answer_event, const void **answer, struct why *why);
changed_fn changed_days;

/* Questions. */
enum outcome answer_appointment(const struct message *message, struct database *database,
	enum event *answer_event, const void **answer, struct why *why);
enum outcome answer_appointments(const struct message *message, struct database *database,
	enum event *answer_event, const void **answer, struct why *why);
