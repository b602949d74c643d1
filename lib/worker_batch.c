/* One batch: read -> new only -> load -> decide -> store -> commit. What follows the commit is worker_send.c's. */
#include "worker_cache.h"

#include <stdlib.h>
#include <string.h>

#include "machine_queries.h"

static int send_inbox(struct runtime *runtime, const struct flight *flight)
{
	struct parameter parameters[INBOX_COLUMNS];
	inbox_begin(runtime, parameters);
	for (size_t i = 0; i < flight->incoming_count; i++)
		inbox_add(parameters, flight->incoming[i].message.message_id, flight->incoming[i].digest);
	return inbox_send(runtime, parameters);
}

static struct incoming *find_incoming(struct flight *flight, const char *message_id)
{
	for (size_t i = 0; i < flight->incoming_count; i++)
		if (strcmp(flight->incoming[i].message.message_id, message_id) == 0)
			return &flight->incoming[i];
	return NULL;
}

static void compare_digests(struct flight *flight, const struct rows *rows)
{
	for (size_t row = 0; row < rows_count(rows); row++) {
		size_t length;
		const void *digest = rows_bytes(rows, row, 1, &length);
		struct incoming *incoming = find_incoming(flight, rows_uuid(rows, row, 0, &flight->arena));
		bool is_same = length == SHA256_BYTES && memcmp(digest, incoming->digest, SHA256_BYTES) == 0;
		incoming->newness = is_same ? SEEN : CONFLICTING;
	}
}

static void answer_again(struct flight *flight, const struct rows *rows)
{
	for (size_t row = 0; row < rows_count(rows); row++) {
		const struct incoming *incoming = find_incoming(flight, rows_uuid(rows, row, 0, &flight->arena));
		if (incoming != NULL && incoming->newness == SEEN)
			outbox_append(&flight->extras, output_from_row(rows, row, &flight->arena));
	}
}

/* The stored outputs of messages seen before are sent again, unchanged. */
static enum outcome learn_seen(struct runtime *runtime, struct flight *flight, struct why *why)
{
	struct parameter parameters[2];
	parameter_init(&parameters[0], PARAMETER_TEXT, false);
	parameter_text(&parameters[0], runtime->worker->name);
	parameters_arrays(&parameters[1], "u");
	for (size_t i = 0; i < flight->incoming_count; i++)
		if (flight->incoming[i].newness != FRESH)
			parameter_uuid(&parameters[1], flight->incoming[i].message.message_id);
	int seen = database_send(runtime->database, &inbox_seen, parameters, 2);
	int stored = database_send(runtime->database, &outbox_stored, &parameters[1], 1);
	parameters_clear(parameters, 2);
	const struct rows *rows = database_rows(runtime->database, seen, why);
	if (rows == NULL)
		return database_failure(runtime->database, why);
	compare_digests(flight, rows);
	rows = database_rows(runtime->database, stored, why);
	if (rows == NULL)
		return database_failure(runtime->database, why);
	answer_again(flight, rows);
	return DONE;
}

static enum outcome learn_fresh(struct runtime *runtime, struct flight *flight, int ticket, struct why *why)
{
	const struct rows *rows = database_rows(runtime->database, ticket, why);
	if (rows == NULL)
		return database_failure(runtime->database, why);
	for (size_t i = 0; i < flight->incoming_count; i++)
		flight->incoming[i].newness = SEEN;
	size_t fresh = rows_count(rows);
	for (size_t row = 0; row < fresh; row++)
		flight->incoming[rows_int(rows, row, 0) - 1].newness = FRESH;
	crash_point_pass(CRASH_AFTER_INBOX);
	return fresh == flight->incoming_count ? DONE : learn_seen(runtime, flight, why);
}

/* Same id, other body: refused by the context's own event, and parked. */
static void refuse_conflict(const struct runtime *runtime, struct flight *flight, struct incoming *incoming)
{
	char *cause_id = arena_new(&flight->arena, UUID_TEXT_BYTES);
	const char *const names[] = { incoming->message.message_id, incoming->digest_text, NULL };
	uuid_from_names(runtime->namespace_id, names, cause_id);
	outbox_cause(&flight->outbox, &incoming->message, cause_id, incoming->digest_text, 0);
	reject(&incoming->why, "id_conflict", "message %s was seen before with another body",
		incoming->message.message_id);
	if (incoming->route->refuse != NULL)
		incoming->route->refuse(&incoming->message, "id_conflict", incoming->why.text, &flight->outbox);
}

static enum outcome decide_one(struct runtime *runtime, struct flight *flight, struct incoming *incoming,
	struct batch *batch, struct why *why)
{
	struct outbox *outbox = &flight->outbox;
	struct output *last = outbox->last;
	size_t count_before = outbox->count;
	incoming->is_parked = false;
	if (incoming->newness == CONFLICTING)
		refuse_conflict(runtime, flight, incoming);
	if (incoming->newness != FRESH)
		return DONE;
	outbox_cause(outbox, &incoming->message, incoming->message.message_id, incoming->digest_text, 0);
	enum outcome outcome = incoming->route->decide(&incoming->message, batch, outbox, &incoming->why);
	incoming->next_ordinal = outbox->ordinal;
	if (outcome == REJECT) {
		outbox_rewind(outbox, last, count_before);
		incoming->is_parked = true;
		return DONE;
	}
	if (outcome != DONE)
		*why = incoming->why;
	return outcome;
}

/* What sums up the batch belongs to its last message that had an effect. */
static void conclude(const struct runtime *runtime, struct flight *flight, struct batch *batch)
{
	if (runtime->worker->conclude == NULL)
		return;
	for (size_t i = flight->incoming_count; i > 0; i--) {
		struct incoming *incoming = &flight->incoming[i - 1];
		if (incoming->newness != FRESH || incoming->is_parked)
			continue;
		outbox_cause(&flight->outbox, &incoming->message, incoming->message.message_id, incoming->digest_text,
			incoming->next_ordinal);
		runtime->worker->conclude(batch, &flight->outbox);
		return;
	}
}

static enum outcome decide_all(struct runtime *runtime, struct flight *flight, struct batch *batch,
	struct why *why)
{
	for (size_t i = 0; i < flight->incoming_count && !batch->wants_more; i++) {
		enum outcome outcome = decide_one(runtime, flight, &flight->incoming[i], batch, why);
		if (outcome != DONE)
			return stop(why, "decide", "decide gave up: %.200s", why->text);
	}
	if (!batch->wants_more)
		conclude(runtime, flight, batch);
	crash_point_pass(CRASH_AFTER_DECIDE);
	return DONE;
}

static enum outcome load_and_decide(struct runtime *runtime, struct flight *flight, struct batch *batch,
	struct why *why)
{
	int ticket = send_inbox(runtime, flight);
	for (batch->round = 0; batch->round < ROUNDS_MAX; batch->round++) {
		batch_begin_round(runtime, flight, batch);
		enum outcome outcome = runtime->worker->load(batch, runtime->database, why);
		if (outcome == DONE && batch->round == 0)
			outcome = learn_fresh(runtime, flight, ticket, why);
		crash_point_pass(CRASH_AFTER_LOAD);
		if (outcome == DONE)
			outcome = decide_all(runtime, flight, batch, why);
		if (outcome != DONE || !batch->wants_more)
			return outcome;
	}
	return stop(why, "load", "the batch was not complete after %d loads", ROUNDS_MAX);
}

/* Parked messages leave no trace in the inbox, so that their copies can be replayed with the same id. */
static void forget_parked(struct runtime *runtime, struct flight *flight)
{
	struct parameter parameters[2];
	parameter_init(&parameters[0], PARAMETER_TEXT, false);
	parameter_text(&parameters[0], runtime->worker->name);
	parameters_arrays(&parameters[1], "u");
	for (size_t i = 0; i < flight->incoming_count; i++) {
		struct incoming *incoming = &flight->incoming[i];
		if (incoming->is_parked)
			parameter_uuid(&parameters[1], incoming->message.message_id);
		if (incoming->is_parked || incoming->newness == CONFLICTING)
			flight_park(runtime, flight, incoming->delivery, 1, &incoming->why);
	}
	if (parameters[1].count > 0)
		database_send(runtime->database, &inbox_delete, parameters, 2);
	parameters_clear(parameters, 2);
}

static void fill_messages(struct flight *flight, struct batch *batch)
{
	const struct message **messages =
		arena_array(&flight->arena, flight->incoming_count, sizeof(struct message *));
	for (size_t i = 0; i < flight->incoming_count; i++) {
		flight->incoming[i].message.now = batch->now;
		messages[i] = &flight->incoming[i].message;
	}
	batch->messages = messages;
	batch->count = flight->incoming_count;
}

static enum outcome transact(struct runtime *runtime, struct flight *flight, struct why *why)
{
	struct batch batch = { .now = clock_now_us() };
	fill_messages(flight, &batch);
	database_begin(runtime->database);
	enum outcome outcome = load_and_decide(runtime, flight, &batch, why);
	if (outcome == DONE)
		outcome = runtime->worker->store(&batch, runtime->database, why);
	if (outcome != DONE) {
		database_rollback(runtime->database);
		return outcome;
	}
	forget_parked(runtime, flight);
	batch_end_attempt(runtime, flight);
	store_outputs(runtime, &flight->outbox);
	store_marks(runtime);
	return batch_commit(runtime, &batch, CRASH_AFTER_COMMIT, why);
}

/* The only message of the batch is at fault, or met a conflict too often: nothing of it stays but the parked copy. */
static void park_alone(struct runtime *runtime, struct flight *flight, const struct why *why)
{
	struct delivery *delivery = flight->deliveries[0];
	batch_forget_attempt(runtime, flight);
	outbox_init(&flight->outbox, &flight->round_arena, runtime->namespace_id, 0);
	outbox_rewind(&flight->extras, NULL, 0);
	flight_park(runtime, flight, delivery, delivery->tries == 0 ? 1 : delivery->tries, why);
	flight_launch(runtime, flight);
}

/* The batch was rolled back. Its messages run again: all of them when the database is gone, else one at a time. */
static void undo(struct runtime *runtime, struct flight *flight, enum outcome outcome, const struct why *why)
{
	size_t messages = flight->deliveries_count;
	log_line(&runtime->log, LOG_WARNING_LEVEL, "batch rolled back", "outcome", outcome_name(outcome),
		"reason", why->reason, "detail", why->text, NULL);
	if (outcome == STOP) {
		worker_fail(runtime, EXIT_OUR_FAULT, why);
	} else if (!database_is_open(runtime->database)) {
		links_lost(runtime, LINK_DATABASE, why);
	} else if (messages == 1 && (outcome == REJECT || ++flight->deliveries[0]->tries >= TRIES_ALONE)) {
		park_alone(runtime, flight, why);
		return;
	} else {
		count(runtime, METRIC_CONFLICTS, 1);
		runtime->alone = messages;
	}
	flight_drop(runtime, flight);
}

static void log_batch(struct runtime *runtime, const struct flight *flight)
{
	double seconds = (double)(clock_steady_us() - flight->started_us) / 1e6;
	metric_observe(&runtime->metrics[METRIC_BATCH_SECONDS], seconds);
	count(runtime, METRIC_BATCHES, 1);
	for (size_t i = 0; i < flight->incoming_count; i++) {
		const struct incoming *incoming = &flight->incoming[i];
		count(runtime, METRIC_SEEN, incoming->newness == SEEN);
		count(runtime, METRIC_DONE, incoming->newness == FRESH && !incoming->is_parked);
	}
	if (runtime->log.level > LOG_INFO_LEVEL)
		return;
	char messages[24], outputs[24], milliseconds[24];
	snprintf(messages, sizeof(messages), "%zu", flight->deliveries_count);
	snprintf(outputs, sizeof(outputs), "%zu", flight->outbox.count);
	snprintf(milliseconds, sizeof(milliseconds), "%.1f", seconds * 1e3);
	log_line(&runtime->log, LOG_INFO_LEVEL, "batch", "outcome", "done", "messages", messages, "outputs",
		outputs, "ms", milliseconds, "correlation",
		flight->incoming_count == 1 ? flight->incoming[0].message.correlation_id : NULL, NULL);
}

enum outcome batch_commit(struct runtime *runtime, const struct batch *batch, enum crash_point committed,
	struct why *why)
{
	enum outcome outcome = cache_before_commit(runtime, batch, why);
	if (outcome != DONE) {
		database_rollback(runtime->database);
		return outcome;
	}
	crash_point_pass(CRASH_BEFORE_COMMIT);
	outcome = database_commit(runtime->database, why);
	if (outcome != DONE)
		return outcome;
	crash_point_pass(committed);
	cache_after_commit(runtime);
	return DONE;
}

void batch_begin_round(const struct runtime *runtime, struct flight *flight, struct batch *batch)
{
	arena_reset(&flight->round_arena);
	outbox_init(&flight->outbox, &flight->round_arena, runtime->namespace_id, batch->now);
	batch->state = NULL;
	batch->wants_more = false;
	batch->arena = &flight->round_arena;
}

int64_t batch_due_ms(const struct runtime *runtime)
{
	return runtime->lanes[LANE_ROUTINE].count == 0 ? INT64_MAX
												   : runtime->gathering_ms + runtime->worker->gather_ms;
}

static bool is_batch_due(const struct runtime *runtime)
{
	size_t routine = runtime->lanes[LANE_ROUTINE].count;
	if (runtime->lanes[LANE_EMERGENCY].count > 0)
		return true;
	if (runtime->worker->gather_ms == 0 || runtime->is_stopping
		|| routine >= (size_t)runtime->settings.batch_max)
		return routine > 0;
	return clock_steady_ms() >= batch_due_ms(runtime);
}

bool batch_run(struct runtime *runtime)
{
	struct flight *flight =
		is_batch_due(runtime) && database_is_open(runtime->database) ? flight_new(runtime) : NULL;
	if (flight == NULL)
		return false;
	struct why why = { 0 };
	if (!batch_collect(runtime, flight)) {
		flight_drop(runtime, flight);
		return false;
	}
	if (flight->incoming_count == 0)
		batch_forget_attempt(runtime, flight);
	enum outcome outcome = flight->incoming_count == 0 ? DONE : transact(runtime, flight, &why);
	if (outcome != DONE) {
		undo(runtime, flight, outcome, &why);
		return true;
	}
	runtime->progress_ms = clock_steady_ms();
	if (flight->incoming_count > 0)
		marks_committed(runtime);
	log_batch(runtime, flight);
	flight_launch(runtime, flight);
	return true;
}
