/* Which of the deliveries that wait form the next batch. A suspect, redelivered and unknown to the inbox, runs alone and counted. */
#include "worker_internal.h"

#include <string.h>

#include "machine_queries.h"

/* How the collecting of a batch goes on. */
enum collecting { GO_ON, ENOUGH, FAILED };

static size_t batch_limit(const struct runtime *runtime, enum lane_number lane)
{
	if (runtime->alone > 0)
		return 1;
	size_t limit = (size_t)runtime->settings.batch_max;
	bool is_near_emergency = clock_steady_ms() - runtime->emergency_ms < EMERGENCY_CALM_MS;
	if (lane == LANE_ROUTINE && is_near_emergency && limit > BATCH_NEAR_EMERGENCY)
		return BATCH_NEAR_EMERGENCY;
	return limit;
}

static bool is_double(const struct flight *flight, const struct incoming *incoming)
{
	for (size_t i = 0; i < flight->incoming_count; i++)
		if (strcmp(flight->incoming[i].message.message_id, incoming->message.message_id) == 0)
			return true;
	return false;
}

/* A message's key among the attempts must be known before its body is looked at. */
static void attempt_key(const struct runtime *runtime, const struct delivery *delivery,
	char key[UUID_TEXT_BYTES])
{
	if (delivery->message_id != NULL && uuid_canonical(delivery->message_id, key))
		return;
	char digest[SHA256_TEXT_BYTES];
	sha256_text(delivery->body, delivery->body_bytes, digest);
	const char *const names[] = { "attempt", digest, NULL };
	uuid_from_names(runtime->namespace_id, names, key);
}

static void attempt_parameters(const struct runtime *runtime, const struct delivery *delivery,
	struct parameter parameters[2])
{
	char key[UUID_TEXT_BYTES];
	attempt_key(runtime, delivery, key);
	parameter_init(&parameters[0], PARAMETER_TEXT, false);
	parameter_init(&parameters[1], PARAMETER_UUID, false);
	parameter_text(&parameters[0], runtime->worker->name);
	parameter_uuid(&parameters[1], key);
}

/* Counts, committed, that this delivery is started once more. 0 attempts: the inbox knows it. */
static enum outcome start_attempt(struct runtime *runtime, struct delivery *delivery, int64_t *attempts,
	struct why *why)
{
	struct parameter parameters[2];
	attempt_parameters(runtime, delivery, parameters);
	database_begin(runtime->database);
	int ticket = database_send(runtime->database, &attempt_start, parameters, 2);
	parameters_clear(parameters, 2);
	const struct rows *rows = database_rows(runtime->database, ticket, why);
	if (rows != NULL)
		*attempts = rows_count(rows) == 0 ? 0 : rows_int(rows, 0, 0);
	enum outcome outcome = database_commit(runtime->database, why);
	delivery->is_started = outcome == DONE;
	crash_point_pass(CRASH_AFTER_ATTEMPT);
	return outcome;
}

static void send_attempt_delete(struct runtime *runtime, const struct delivery *delivery)
{
	struct parameter parameters[2];
	attempt_parameters(runtime, delivery, parameters);
	database_send(runtime->database, &attempt_delete, parameters, 2);
	parameters_clear(parameters, 2);
}

static void add_delivery(struct flight *flight, struct delivery *delivery)
{
	flight->deliveries[flight->deliveries_count++] = delivery;
}

/* A redelivered message may be the one that killed us: it runs alone, and not for ever. It is the first of its lane. */
static enum collecting take_suspect(struct runtime *runtime, struct flight *flight, struct lane *lane)
{
	struct why why = { 0 };
	int64_t attempts = 0;
	enum outcome outcome = start_attempt(runtime, lane->first, &attempts, &why);
	if (outcome == STOP)
		worker_fail(runtime, EXIT_OUR_FAULT, &why);
	if (outcome != DONE) {
		if (!database_is_open(runtime->database))
			links_lost(runtime, LINK_DATABASE, &why);
		return FAILED;
	}
	if (attempts <= STARTS_MAX)
		return GO_ON;
	reject(&why, "poison", "started %d times and never finished", STARTS_MAX);
	add_delivery(flight, lane_take(lane));
	flight_park(runtime, flight, flight->deliveries[0], attempts - 1, &why);
	return ENOUGH;
}

static bool is_own(const struct runtime *runtime, const struct incoming *incoming)
{
	const char *user_id = incoming->message.user_id;
	return incoming->message.event == runtime->worker->skips_own && user_id != NULL
		&& strcmp(user_id, runtime->settings.amqp_user) == 0;
}

/* Moves the first delivery of the lane into the batch. A double of one that is in it already waits for the next batch. */
static enum collecting take_one(struct runtime *runtime, struct flight *flight, struct lane *lane)
{
	struct delivery *delivery = lane->first;
	bool is_suspect = delivery->is_redelivered;
	if (is_suspect && flight->deliveries_count > 0)
		return ENOUGH;
	if (is_suspect && !delivery->is_started) {
		enum collecting next = take_suspect(runtime, flight, lane);
		if (next != GO_ON)
			return next;
	}
	struct incoming *incoming = &flight->incoming[flight->incoming_count];
	struct why why = { 0 };
	bool is_readable = incoming_read(runtime, delivery, &flight->arena, incoming, &why);
	if (is_readable && is_double(flight, incoming))
		return ENOUGH;
	add_delivery(flight, lane_take(lane));
	if (!is_readable)
		flight_park(runtime, flight, delivery, 1, &why);
	else if (is_own(runtime, incoming))
		count(runtime, METRIC_SEEN, 1);
	else
		flight->incoming_count++;
	return is_suspect ? ENOUGH : GO_ON;
}

bool batch_collect(struct runtime *runtime, struct flight *flight)
{
	enum lane_number number = runtime->lanes[LANE_EMERGENCY].count > 0 ? LANE_EMERGENCY : LANE_ROUTINE;
	if (number == LANE_EMERGENCY)
		runtime->emergency_ms = clock_steady_ms();
	size_t limit = batch_limit(runtime, number);
	flight->deliveries = arena_array(&flight->arena, limit, sizeof(*flight->deliveries));
	flight->incoming = arena_array(&flight->arena, limit, sizeof(*flight->incoming));
	enum collecting next = GO_ON;
	while (next == GO_ON && runtime->lanes[number].count > 0 && flight->deliveries_count < limit)
		next = take_one(runtime, flight, &runtime->lanes[number]);
	if (runtime->alone > 0)
		runtime->alone--;
	crash_point_pass(CRASH_AFTER_READ);
	return next != FAILED && flight->deliveries_count > 0;
}

void batch_end_attempt(struct runtime *runtime, const struct flight *flight)
{
	if (flight->incoming_count == 1 && flight->incoming[0].delivery->is_started)
		send_attempt_delete(runtime, flight->incoming[0].delivery);
}

void batch_forget_attempt(struct runtime *runtime, const struct flight *flight)
{
	struct why why = { 0 };
	if (!flight->deliveries[0]->is_started)
		return;
	database_begin(runtime->database);
	send_attempt_delete(runtime, flight->deliveries[0]);
	if (database_commit(runtime->database, &why) != DONE && !database_is_open(runtime->database))
		links_lost(runtime, LINK_DATABASE, &why);
}
