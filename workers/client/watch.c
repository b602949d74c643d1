/*
 * carebus watch: what happens on the bus, as it happens. The queue lives a minute without a listener, so a short interruption loses
 * nothing; after a longer one, or when the broker forgot the queue, a new one is made, and what happened in between is missed.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "connections.h"
#include "feed.h"
#include "graph.h"
#include "pattern.h"
#include "print.h"
#include "session.h"
#include "tail.h"

enum { KEYS_MAX = 2 * EVENT_COUNT, DELAY_MIN_MS = 200, DELAY_MAX_MS = 10000, DOUBLINGS_MAX = 6 };

struct watch_values {
	struct common_values common;
	struct option_texts events;
	const char *facility, *correlation;
	bool is_emergency;
	long count, timeout_s;
};

#define AT(member) offsetof(struct watch_values, member)

static const struct option_row options[] = {
	{ .name = "event",
		.argument = "EVENT",
		.kind = OPTION_TEXTS,
		.offset = AT(events),
		.help = "a name or a pattern: hospital.*, *.blood.approved, bloodbank.#; may be repeated" },
	{ .name = "facility",
		.argument = "ID",
		.kind = OPTION_TEXT,
		.offset = AT(facility),
		.help = "only what names this hospital, bank or clinic" },
	{ .name = "correlation",
		.argument = "ID",
		.kind = OPTION_TEXT,
		.offset = AT(correlation),
		.help = "only this workflow; its first characters are enough" },
	{ .name = "emergency", .kind = OPTION_FLAG, .offset = AT(is_emergency), .help = "only emergencies" },
	{ .name = "count",
		.argument = "EVENTS",
		.kind = OPTION_NUMBER,
		.offset = AT(count),
		.minimum = 1,
		.maximum = 1000000000,
		.help = "end after so many" },
	{ .name = "timeout",
		.argument = "SECONDS",
		.kind = OPTION_NUMBER,
		.offset = AT(timeout_s),
		.minimum = 1,
		.maximum = 86400,
		.help = "end after this time" },
	{ 0 },
};

static volatile sig_atomic_t is_ended; /* by Ctrl-C or SIGTERM */

static void end(int number)
{
	(void)number;
	is_ended = 1;
}

/* One run of the command. */
struct watch {
	const struct watch_values *values;
	struct connections connections;
	struct feed feed;
	struct session session;
	struct tail tail;
	json_t *graph;
	const char *keys[KEYS_MAX + 1]; /* borrowed from `graph`; ends with NULL */
	int64_t deadline_ms;
	unsigned failures; /* in a row */
	bool has_missed;   /* events, since the connection was lost */
};

static bool is_wanted(const struct watch *watch, const char *name, const char *key)
{
	const struct option_texts *patterns = &watch->values->events;
	for (size_t i = 0; i < patterns->count; i++)
		if (pattern_matches(patterns->items[i], name) || pattern_matches(patterns->items[i], key))
			return true;
	return patterns->count == 0;
}

/* The routing keys of those events of the feed that are wanted. */
static size_t choose_keys(struct watch *watch)
{
	const json_t *events = json_object_get(watch->graph, "events");
	size_t count = 0;
	for (size_t i = 0; i < json_array_size(events); i++) {
		const json_t *event = json_array_get(events, i), *keys = json_object_get(event, "keys");
		for (size_t k = 0;
			 graph_has(event, "consumers", "feed") && k < json_array_size(keys) && count < KEYS_MAX; k++)
			if (is_wanted(watch, graph_name(event), json_string_value(json_array_get(keys, k))))
				watch->keys[count++] = json_string_value(json_array_get(keys, k));
	}
	watch->keys[count] = NULL;
	return count;
}

static bool listen_to_queue(struct watch *watch, struct why *why)
{
	return session_open(&watch->session, NULL, &watch->connections.watcher, watch->feed.name, tail_hear,
		&watch->tail, why);
}

/* A new queue, and its listener. */
static bool open_anew(struct watch *watch, struct why *why)
{
	feed_close(&watch->feed);
	return feed_open_keys(&watch->feed, &watch->connections.management, &watch->connections.watcher,
			   watch->keys, why)
		&& listen_to_queue(watch, why);
}

/* The queue of before if it is still there. */
static bool open_again(struct watch *watch, struct why *why)
{
	if (watch->feed.management != NULL && listen_to_queue(watch, why))
		return true;
	if (watch->feed.management != NULL && strcmp(why->reason, "refused") != 0)
		return false;
	watch->has_missed = true;
	return open_anew(watch, why);
}

static bool is_over(const struct watch *watch)
{
	return is_ended || watch->tail.is_over || clock_steady_ms() >= watch->deadline_ms;
}

/* Full jitter, doubled with each failure. */
static void pause_before_trying(struct watch *watch)
{
	unsigned doublings = watch->failures < DOUBLINGS_MAX ? watch->failures : DOUBLINGS_MAX;
	int64_t limit_ms = (int64_t)DELAY_MIN_MS << doublings, left_ms = watch->deadline_ms - clock_steady_ms();
	if (limit_ms > DELAY_MAX_MS)
		limit_ms = DELAY_MAX_MS;
	int64_t delay_ms = DELAY_MIN_MS + arc4random_uniform((uint32_t)(limit_ms - DELAY_MIN_MS + 1));
	watch->failures++;
	poll(NULL, 0, (int)(delay_ms < left_ms ? delay_ms : left_ms));
}

static void come_back(struct watch *watch, struct why *why)
{
	int64_t lost_ms = clock_steady_ms();
	fprintf(stderr, "connection lost: %s; trying again\n", why->text);
	session_close(&watch->session);
	watch->failures = 0;
	watch->has_missed = false;
	bool is_open = false;
	while (!is_open && !is_over(watch)) {
		pause_before_trying(watch);
		is_open = !is_over(watch) && open_again(watch, why);
	}
	if (is_open)
		fprintf(stderr, "connected again after %.1f s; %s\n", (double)(clock_steady_ms() - lost_ms) / 1000,
			watch->has_missed ? "events in between were missed"
							  : "the queue was kept, events in between follow");
}

static enum ending follow(struct watch *watch, struct why *why)
{
	if (!open_anew(watch, why)) {
		fprintf(stderr, "%s\n", why->text);
		return ENDING_FAULT;
	}
	fprintf(stderr, "watching; Ctrl-C ends it\n");
	while (!is_over(watch))
		if (!session_serve(&watch->session, watch->deadline_ms, why))
			come_back(watch, why);
	bool is_enough = watch->tail.is_over || is_ended || (watch->values->count == 0 && watch->tail.seen > 0);
	return is_enough ? ENDING_DONE : ENDING_NO_ANSWER;
}

static bool prepare(struct watch *watch)
{
	watch->graph = graph_load();
	if (choose_keys(watch) == 0) {
		fprintf(stderr, "--event: no event of the feed is called so; `carebus flow` shows them all\n");
		return false;
	}
	return connections_read(&watch->connections, CONNECTIONS_WATCHER | CONNECTIONS_MANAGEMENT);
}

static void heed_signals(void)
{
	const struct sigaction action = { .sa_handler = end };
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static struct watch watch_of(const struct watch_values *values)
{
	return (struct watch){
		.values = values,
		.deadline_ms = values->timeout_s == 0 ? INT64_MAX : clock_steady_ms() + SECONDS(values->timeout_s),
		.tail = {
			.sieve = { values->facility, values->correlation, values->is_emergency },
			.is_json = strcmp(values->common.format, "json") == 0,
			.has_color = print_has_color(),
			.wanted = (size_t)values->count,
		},
	};
}

static enum ending run_watch(const void *values, const struct positionals *positionals)
{
	struct why why = { .text = "" };
	struct watch watch = watch_of(values);
	if (positionals->count > 0) {
		fprintf(stderr, "%s: watch takes options alone; write --event %s\n", positionals->items[0],
			positionals->items[0]);
		return ENDING_FAULT;
	}
	heed_signals();
	enum ending ending = prepare(&watch) ? follow(&watch, &why) : ENDING_FAULT;
	session_close(&watch.session);
	feed_close(&watch.feed);
	connections_clear(&watch.connections);
	json_decref(watch.graph);
	return ending;
}

const struct command command_watch = {
	.name = "watch",
	.summary = "follow the events on the bus",
	.arguments = "",
	.details =
		"Prints each event as it passes: time (UTC), `!` for an emergency, event, the first characters of the workflow's\n"
		"correlation id, what it says. With -o json each is an object on a line of its own. Filters are cumulative. It needs\n"
		"CAREBUS_AMQP_ADMIN and CAREBUS_MANAGEMENT. When the connection is lost it says so, comes back by itself, and tells\n"
		"whether events were missed. Colours on a terminal, unless NO_COLOR is set.\n"
		"Exit: 0 ended by --count, by Ctrl-C, or by --timeout after at least one event, 2 a fault, 3 --timeout came first.\n",
	.examples = "  eval \"$(compose/status --env)\"; export ${!CAREBUS_*}\n"
				"  carebus watch\n"
				"  carebus watch --event 'bloodbank.blood.*' --facility hospital-001\n"
				"  carebus watch --emergency --count 1 --timeout 60 && echo 'an emergency'\n"
				"  carebus watch --correlation 1a2b3c4d -o json | jq .body\n",
	.options = options,
	.values_bytes = sizeof(struct watch_values),
	.run = run_watch,
};
