/* What is due by the clock: the worker's timers, the sweeper of unsent outputs, the pruning of old rows. */
#include "worker_internal.h"

#include <string.h>

#include "machine_queries.h"
#include "schema.h"

enum {
	SWEEP_PERIOD_MS = 5000,
	SWEEP_SHORT_MS = 500, /* when the set age is short, as in tests */
	PRUNE_PERIOD_MS = 60000,
	PRUNE_AGAIN_MS = 100, /* when a run found PRUNE_ROWS of something: 10,000 rows a second at most */
	PRUNE_ROWS = 1000,    /* the limit in the statements */
	MARKS_IDLE_MS = 1000, /* marks that no batch takes along are written alone */
	CLAIM_EVENTS = 128,   /* rows of a full outbox_claim_events, */
	CLAIM_VIEWS = 32,     /* and of a full outbox_claim_views: more are due */
};

static void give_up(struct runtime *runtime, struct flight *flight, enum outcome outcome, const char *what,
	const struct why *why)
{
	log_line(&runtime->log, LOG_WARNING_LEVEL, what, "outcome", outcome_name(outcome), "reason", why->reason,
		"detail", why->text, NULL);
	if (flight != NULL)
		flight_drop(runtime, flight);
	if (outcome == STOP || outcome == REJECT)
		worker_fail(runtime, EXIT_OUR_FAULT, why);
	else if (!database_is_open(runtime->database))
		links_lost(runtime, LINK_DATABASE, why);
}

/* One process at a time. DONE and `*is_ours` false: another one runs this timer now. */
static enum outcome take_lock(struct runtime *runtime, const char *name, bool *is_ours, struct why *why)
{
	struct parameter parameter;
	parameter_init(&parameter, PARAMETER_TEXT, false);
	parameter_text(&parameter, name);
	int ticket = database_send(runtime->database, &timer_lock, &parameter, 1);
	parameter_clear(&parameter);
	const struct rows *rows = database_rows(runtime->database, ticket, why);
	if (rows == NULL)
		return database_failure(runtime->database, why);
	*is_ours = rows_bool(rows, 0, 0);
	return DONE;
}

static enum outcome decide_due(struct runtime *runtime, const struct timer *timer, struct flight *flight,
	struct batch *batch, struct why *why)
{
	char *cause_id = arena_new(&flight->arena, UUID_TEXT_BYTES);
	uuid_random(cause_id);
	for (batch->round = 0; batch->round < ROUNDS_MAX; batch->round++) {
		batch_begin_round(runtime, flight, batch);
		enum outcome outcome = timer->load(batch, runtime->database, why);
		if (outcome != DONE)
			return outcome;
		outbox_cause(&flight->outbox, NULL, cause_id, "", 0);
		timer->decide(batch, &flight->outbox);
		if (batch->wants_more)
			continue;
		if (runtime->worker->conclude != NULL)
			runtime->worker->conclude(batch, &flight->outbox);
		return DONE;
	}
	return stop(why, "load", "timer %s was not complete after %d loads", timer->name, ROUNDS_MAX);
}

static enum outcome transact_timer(struct runtime *runtime, const struct timer *timer, struct flight *flight,
	struct batch *batch, struct why *why)
{
	bool is_ours = false;
	database_begin(runtime->database);
	enum outcome outcome = take_lock(runtime, timer->name, &is_ours, why);
	if (outcome == DONE && is_ours)
		outcome = decide_due(runtime, timer, flight, batch, why);
	if (outcome == DONE && is_ours)
		outcome = runtime->worker->store(batch, runtime->database, why);
	if (outcome != DONE) {
		database_rollback(runtime->database);
		return outcome;
	}
	store_outputs(runtime, &flight->outbox);
	if (is_ours)
		return batch_commit(runtime, batch, CRASH_AFTER_TIMER_COMMIT, why);
	return database_commit(runtime->database, why);
}

static bool run_timer(struct runtime *runtime, size_t number)
{
	const struct timer *timer = &runtime->worker->timers[number];
	struct flight *flight = flight_new(runtime);
	struct why why = { 0 };
	if (flight == NULL)
		return false;
	struct batch batch = { .now = clock_now_us() };
	runtime->timers_due_ms[number] = clock_steady_ms() + timer->period_ms;
	enum outcome outcome = transact_timer(runtime, timer, flight, &batch, &why);
	if (outcome != DONE) {
		give_up(runtime, flight, outcome, timer->name, &why);
		return true;
	}
	if (batch.state != NULL && timer->is_full != NULL && timer->is_full(&batch))
		runtime->timers_due_ms[number] = 0;
	flight_launch(runtime, flight);
	return true;
}

/* Several versions of one view wait as several rows: one reading serves them all. */
static bool copy_refreshed(struct output *output, const struct outbox *refreshed)
{
	for (const struct output *other = refreshed->first; other != NULL; other = other->next) {
		if (!other->is_view || strcmp(other->type, output->type) != 0
			|| strcmp(other->routing_key, output->routing_key) != 0)
			continue;
		output->version = other->version;
		output->body = other->body;
		output->body_bytes = other->body_bytes;
		return true;
	}
	return false;
}

/* A view that was not stored in time is read again: an old body must not become the current one. */
static enum outcome refresh_view(struct runtime *runtime, struct output *output, struct arena *arena,
	struct why *why)
{
	for (const struct view *view = runtime->worker->views; view->name != NULL; view++) {
		if (strcmp(view->name, output->type) != 0)
			continue;
		const void *body = view->read(output->routing_key, runtime->database, &output->version, arena, why);
		struct buffer buffer = { 0 };
		if (body == NULL)
			return database_failure(runtime->database, why);
		if (!schema_write(event_type(view->event)->schema, body, &buffer))
			return stop(why, "view", "view %s of %s does not fit its schema", view->name,
				output->routing_key);
		output->body = arena_bytes(arena, buffer.data, buffer.length_bytes);
		output->body_bytes = buffer.length_bytes;
		buffer_clear(&buffer);
		return DONE;
	}
	return DONE;
}

static enum outcome take_claimed(struct runtime *runtime, struct flight *flight, int ticket, size_t *claimed,
	struct why *why)
{
	const struct rows *rows = database_rows(runtime->database, ticket, why);
	enum outcome outcome = rows == NULL ? database_failure(runtime->database, why) : DONE;
	if (rows != NULL)
		*claimed = rows_count(rows);
	for (size_t row = 0; outcome == DONE && row < *claimed; row++) {
		struct output *output = output_from_row(rows, row, &flight->arena);
		if (output->is_view && !copy_refreshed(output, &flight->extras))
			outcome = refresh_view(runtime, output, &flight->arena, why);
		outbox_append(&flight->extras, output);
	}
	return outcome;
}

static enum outcome claim_unsent(struct runtime *runtime, struct flight *flight, bool *is_more_due,
	struct why *why)
{
	struct parameter age;
	size_t events_count = 0, views_count = 0;
	bool has_keyvalue = keyvalue_is_open(runtime->keyvalue);
	parameter_init(&age, PARAMETER_INT, false);
	parameter_int(&age, runtime->settings.sweep_after_ms);
	database_begin(runtime->database);
	int events = database_send(runtime->database, &outbox_claim_events, &age, 1);
	int views = has_keyvalue ? database_send(runtime->database, &outbox_claim_views, &age, 1) : events;
	parameter_clear(&age);
	enum outcome outcome = take_claimed(runtime, flight, events, &events_count, why);
	if (outcome == DONE && has_keyvalue)
		outcome = take_claimed(runtime, flight, views, &views_count, why);
	*is_more_due = events_count == CLAIM_EVENTS || views_count == CLAIM_VIEWS;
	if (outcome == DONE)
		return database_commit(runtime->database, why);
	database_rollback(runtime->database);
	return outcome;
}

static bool sweep(struct runtime *runtime)
{
	struct why why = { 0 };
	int64_t period_ms = runtime->settings.sweep_after_ms < SWEEP_PERIOD_MS ? SWEEP_SHORT_MS : SWEEP_PERIOD_MS;
	runtime->sweep_due_ms = clock_steady_ms() + period_ms;
	bool can_send = publisher_is_open(runtime->publisher) && !publisher_is_blocked(runtime->publisher)
		&& clock_steady_ms() >= runtime->sending_pause_until_ms;
	struct flight *flight = can_send ? flight_new(runtime) : NULL;
	bool is_more_due = false;
	if (flight == NULL)
		return false;
	enum outcome outcome = claim_unsent(runtime, flight, &is_more_due, &why);
	if (outcome != DONE) {
		give_up(runtime, flight, outcome, "sweep", &why);
		return true;
	}
	if (is_more_due)
		runtime->sweep_due_ms = 0;
	if (flight->extras.count > 0) {
		crash_point_pass(CRASH_AFTER_SWEEP_CLAIM);
		count(runtime, METRIC_SWEPT, (double)flight->extras.count);
		log_line(&runtime->log, LOG_WARNING_LEVEL, "outputs were unsent for too long and are sent again",
			NULL);
	}
	flight_launch(runtime, flight);
	return true;
}

/* Rows older than the horizon go in small parts: a run that found as many as it takes is soon followed by the next. */
static void prune(struct runtime *runtime)
{
	static const struct query *const prunings[] = { &inbox_prune, &outbox_prune, &attempt_prune };
	struct why why = { 0 };
	bool is_more_due = false;
	database_begin(runtime->database);
	for (size_t i = 0; i < sizeof(prunings) / sizeof(prunings[0]); i++) {
		int ticket = database_send(runtime->database, prunings[i], NULL, 0);
		const struct rows *rows = database_rows(runtime->database, ticket, &why);
		is_more_due |= rows != NULL && rows_int(rows, 0, 0) == PRUNE_ROWS;
	}
	runtime->prune_due_ms = clock_steady_ms() + (is_more_due ? PRUNE_AGAIN_MS : PRUNE_PERIOD_MS);
	enum outcome outcome = database_commit(runtime->database, &why);
	if (outcome != DONE)
		give_up(runtime, NULL, outcome, "prune", &why);
}

static size_t marks_count(const struct runtime *runtime)
{
	return runtime->marks[0].count + runtime->marks[1].count;
}

/* Well before the sweeper would take for unsent what is only unmarked. */
static int64_t marks_idle_ms(const struct runtime *runtime)
{
	int64_t half_ms = runtime->settings.sweep_after_ms / 2;
	return half_ms < MARKS_IDLE_MS ? half_ms : MARKS_IDLE_MS;
}

bool timers_run(struct runtime *runtime)
{
	int64_t now_ms = clock_steady_ms();
	if (!database_is_open(runtime->database) || runtime->is_stopping || !flight_is_free(runtime))
		return false;
	for (size_t i = 0; runtime->worker->timers[i].name != NULL; i++)
		if (now_ms >= runtime->timers_due_ms[i] && run_timer(runtime, i))
			return true;
	if (now_ms >= runtime->sweep_due_ms && sweep(runtime))
		return true;
	if (marks_count(runtime) > 0 && now_ms - runtime->marks_since_ms >= marks_idle_ms(runtime))
		return marks_flush(runtime);
	if (now_ms < runtime->prune_due_ms)
		return false;
	prune(runtime);
	return true;
}

int64_t timers_next_ms(const struct runtime *runtime)
{
	int64_t next_ms =
		runtime->sweep_due_ms < runtime->prune_due_ms ? runtime->sweep_due_ms : runtime->prune_due_ms;
	for (size_t i = 0; runtime->worker->timers[i].name != NULL; i++)
		if (runtime->timers_due_ms[i] < next_ms)
			next_ms = runtime->timers_due_ms[i];
	if (marks_count(runtime) > 0 && runtime->marks_since_ms + marks_idle_ms(runtime) < next_ms)
		next_ms = runtime->marks_since_ms + marks_idle_ms(runtime);
	return next_ms;
}
