/* The connections of the bridge: one to speak, one to hear, one to Redis; opened again with back-off. */
#include "bridge.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cache_bus.h"
#include "clock.h"

enum {
	PREFETCH = 200, /* also what is heard in one turn: acknowledgements travel after it */
	ACKNOWLEDGED_TOGETHER = PREFETCH / 4,
	SERVE_EVERY_MS = 1000, /* heartbeats want a call each second */
	UNSERVED_BYTES_MAX =
		64 * 1024, /* then streams hand on what they hold: it is not their readers who are slow */
};

static const char *const link_names[LINK_COUNT] = { "listener", "speaker", "redis", "cache" };
static const char *const contexts[] = { "hospital", "bloodbank", "appointment", "notification" };

enum { CONTEXTS = sizeof(contexts) / sizeof(contexts[0]) };

static void name_connections(struct bridge *bridge)
{
	char host[64] = "localhost";
	gethostname(host, sizeof(host) - 1);
	snprintf(bridge->speaker_name, sizeof(bridge->speaker_name), "bridge@%s:%d (publish)", host, getpid());
	snprintf(bridge->listener_name, sizeof(bridge->listener_name), "bridge@%s:%d (consume)", host, getpid());
	snprintf(bridge->tag, sizeof(bridge->tag), "bridge-%s", bridge->settings.instance);
	snprintf(bridge->asker, sizeof(bridge->asker), "bridge.%s", bridge->settings.instance);
	snprintf(bridge->queue_prefix, sizeof(bridge->queue_prefix), "bridge.%s", bridge->settings.instance);
}

static void bind(struct bridge *bridge, const char *exchange, const char *key)
{
	assert(bridge->bindings_count < BRIDGE_BINDINGS_MAX);
	bridge->bindings[bridge->bindings_count++] = (struct consumer_binding){ exchange, key };
}

/*
 * Events that people may watch, and the answers to our own questions. Never the commands: a queue of ours would take them, and a
 * command that no worker's queue takes could not be told from one that will be done.
 */
static void make_bindings(struct bridge *bridge)
{
	for (unsigned number = EVENT_NONE + 1; number < EVENT_COUNT; number++) {
		const struct event_type *type = event_type((enum event)number);
		bool is_question = strcmp(type->exchange, "questions") == 0;
		if (type->is_answer || is_question || route_is_command((enum event)number))
			continue;
		bind(bridge, "feed", type->name);
		if (type->has_emergency_lane)
			bind(bridge, "feed", arena_print(&bridge->names, "%s.emergency", type->name));
	}
	for (size_t i = 0; i < CONTEXTS; i++)
		bind(bridge, "answers", arena_print(&bridge->names, "%s.answer.%s", contexts[i], bridge->asker));
}

static void serve_http(struct bridge *bridge)
{
	bridge->unserved_bytes = 0;
	http_serve(bridge->http);
}

/*
 * What nobody waits for any more is acknowledged too: the feed is only told, never owed. Many at once: the broker has work with
 * each, and what stays unsaid while nothing comes is less than it may send ahead.
 */
static void acknowledge(struct bridge *bridge, const struct delivery *delivery)
{
	struct why why;
	if (++bridge->unacknowledged < ACKNOWLEDGED_TOGETHER)
		return;
	bridge->unacknowledged = 0;
	consumer_ack(bridge->listener, delivery->incarnation, delivery->tag, true, &why);
}

static void hear(void *owner, struct delivery *delivery)
{
	struct bridge *bridge = owner;
	bridge_count(bridge, METRIC_HEARD);
	bridge_hear(bridge, delivery);
	acknowledge(bridge, delivery);
	bridge->unserved_bytes += delivery->body_bytes;
	delivery_free(delivery);
	if (bridge->unserved_bytes > UNSERVED_BYTES_MAX)
		serve_http(bridge);
}

static bool open_speaker(void *connection, struct why *why)
{
	return publisher_open(connection, why);
}

static bool open_listener(void *connection, struct why *why)
{
	return consumer_open(connection, PREFETCH, why);
}

static bool open_views(void *connection, struct why *why)
{
	return keyvalue_open(connection, why);
}

void links_make(struct bridge *bridge)
{
	const struct bridge_settings *settings = &bridge->settings;
	arena_init(&bridge->names);
	name_connections(bridge);
	make_bindings(bridge);
	bridge->speaker_address = (struct broker_address){ settings->amqp_url, settings->amqp_user,
		settings->amqp_password, bridge->speaker_name };
	bridge->listener_address = (struct broker_address){ settings->amqp_url, settings->listener_user,
		settings->listener_password, bridge->listener_name };
	bridge->speaker = publisher_new(&bridge->speaker_address, call_settled, bridge);
	bridge->listener = consumer_new_own(&bridge->listener_address, bridge->tag, bridge->queue_prefix,
		bridge->bindings, hear, bridge);
	slots_make(bridge);
	bridge->cache_listener = slots_make_consumer(bridge);
	bridge->views = keyvalue_new(settings->redis_url, settings->redis_user, settings->redis_password);
	bridge->wake_socket = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (bridge->wake_socket < 0)
		abort();
	int wake_socket = bridge->wake_socket;
	opening_init(&bridge->openings[LINK_SPEAKER], open_speaker, bridge->speaker, wake_socket);
	opening_init(&bridge->openings[LINK_LISTENER], open_listener, bridge->listener, wake_socket);
	opening_init(&bridge->openings[LINK_VIEWS], open_views, bridge->views, wake_socket);
	opening_init(&bridge->openings[LINK_CACHE], open_listener, bridge->cache_listener, wake_socket);
}

void links_free(struct bridge *bridge)
{
	for (size_t i = 0; i < LINK_COUNT; i++)
		opening_end(&bridge->openings[i]);
	consumer_close(bridge->cache_listener);
	consumer_free(bridge->cache_listener);
	consumer_close(bridge->listener);
	consumer_free(bridge->listener);
	publisher_close(bridge->speaker);
	publisher_free(bridge->speaker);
	keyvalue_close(bridge->views);
	struct why why;
	keyvalue_serve(bridge->views, call_view_stored, call_view_read, bridge,
		&why); /* reports what is unanswered */
	keyvalue_free(bridge->views);
	slots_free(bridge);
	close(bridge->wake_socket);
	arena_clear(&bridge->names);
}

static void failed(struct bridge *bridge, enum bridge_link link, const struct why *why)
{
	backoff_failed(&bridge->backoffs[link], BACKOFF_MAX_MS);
	bridge_count(bridge, METRIC_CONNECTION_FAILURES);
	log_line(&bridge->log, LOG_WARNING_LEVEL, "connection lost or refused", "link", link_names[link],
		"reason", why->reason, "detail", why->text, NULL);
}

static void opened(struct bridge *bridge, enum bridge_link link)
{
	bridge->views_incarnation += link == LINK_VIEWS;
	backoff_succeeded(&bridge->backoffs[link]);
	log_line(&bridge->log, LOG_INFO_LEVEL, "connected", "link", link_names[link], NULL);
}

/* A connection that is being opened is its thread's: nobody else may even ask it. */
static bool is_ours(const struct bridge *bridge, enum bridge_link link)
{
	return !bridge->openings[link].is_running;
}

static bool has_speaker(const struct bridge *bridge)
{
	return is_ours(bridge, LINK_SPEAKER) && publisher_is_open(bridge->speaker);
}

static bool has_listener(const struct bridge *bridge)
{
	return is_ours(bridge, LINK_LISTENER) && consumer_is_open(bridge->listener);
}

static bool has_cache(const struct bridge *bridge)
{
	return is_ours(bridge, LINK_CACHE) && consumer_is_open(bridge->cache_listener);
}

static bool has_views(const struct bridge *bridge)
{
	return is_ours(bridge, LINK_VIEWS) && keyvalue_is_open(bridge->views);
}

static void start_opening(struct bridge *bridge, enum bridge_link link)
{
	if (is_ours(bridge, link) && backoff_is_due(&bridge->backoffs[link]) && !bridge->is_stopping)
		opening_start(&bridge->openings[link]);
}

static void open_links(struct bridge *bridge)
{
	if (!has_speaker(bridge))
		start_opening(bridge, LINK_SPEAKER);
	if (!has_listener(bridge) && has_speaker(bridge))
		start_opening(bridge, LINK_LISTENER);
	if (!has_cache(bridge) && has_speaker(bridge) && bridge->slots.is_wanted)
		start_opening(bridge, LINK_CACHE);
	if (!has_views(bridge))
		start_opening(bridge, LINK_VIEWS);
}

static void take_openings(struct bridge *bridge)
{
	uint64_t ignored;
	bool is_open;
	struct why why;
	if (read(bridge->wake_socket, &ignored, sizeof(ignored)) < 0)
		ignored = 0; /* only a hint: the openings themselves tell */
	for (enum bridge_link link = 0; link < LINK_COUNT; link++) {
		if (!opening_take(&bridge->openings[link], &is_open, &why))
			continue;
		if (is_open)
			opened(bridge, link);
		else
			failed(bridge, link, &why);
	}
}

static void serve_views(struct bridge *bridge)
{
	struct why why = { 0 };
	if (is_ours(bridge, LINK_VIEWS)
		&& !keyvalue_serve(bridge->views, call_view_stored, call_view_read, bridge, &why))
		failed(bridge, LINK_VIEWS, &why);
}

static void serve_listener(struct bridge *bridge)
{
	struct why why = { 0 };
	if (has_listener(bridge) && !consumer_serve(bridge->listener, &why))
		failed(bridge, LINK_LISTENER, &why);
}

static void serve_speaker(struct bridge *bridge)
{
	struct why why = { 0 };
	if (has_speaker(bridge) && !publisher_serve(bridge->speaker, &why))
		failed(bridge, LINK_SPEAKER, &why);
}

/* Writers wait for this one's word: it goes out before anything else is done. */
static void serve_cache(struct bridge *bridge)
{
	struct why why = { 0 };
	if (bridge->is_due[LINK_CACHE] && has_cache(bridge) && !consumer_serve(bridge->cache_listener, &why))
		failed(bridge, LINK_CACHE, &why);
	slots_renew(bridge);
	if (has_speaker(bridge) && publisher_wants_write(bridge->speaker))
		serve_speaker(bridge);
}

void links_serve(struct bridge *bridge)
{
	take_openings(bridge);
	serve_cache(bridge);
	if (bridge->is_due[LINK_LISTENER])
		serve_listener(bridge);
	if (bridge->is_due[LINK_SPEAKER])
		serve_speaker(bridge);
	calls_send(&bridge->calls);
	serve_views(bridge);
	serve_http(bridge);
	/* what these requests sent goes out now, in one write each */
	if (has_speaker(bridge) && publisher_wants_write(bridge->speaker))
		serve_speaker(bridge);
	if (has_views(bridge) && keyvalue_wants_write(bridge->views))
		serve_views(bridge);
	open_links(bridge);
}

static struct pollfd polled(int socket, bool wants_write)
{
	return (struct pollfd){ .fd = socket, .events = wants_write ? POLLIN | POLLOUT : POLLIN };
}

/* The next time that something is due. */
static int64_t due_ms(const struct bridge *bridge, int64_t deadline_ms)
{
	int64_t next_ms = clock_steady_ms() + SERVE_EVERY_MS;
	int64_t views_ms = has_views(bridge) ? keyvalue_deadline_ms(bridge->views) : INT64_MAX;
	int64_t lease_ms = slots_due_ms(bridge);
	if (deadline_ms < next_ms)
		next_ms = deadline_ms;
	if (lease_ms < next_ms)
		next_ms = lease_ms;
	return views_ms < next_ms ? views_ms : next_ms;
}

/* Those to the broker are served when something came or can go, and now and then: a look costs three calls of the system. */
void links_wait(struct bridge *bridge, int64_t deadline_ms)
{
	enum { SIGNALS, OPENINGS, HTTP, SPEAKER, LISTENER, VIEWS, CACHE, FDS };
	bool speaks = has_speaker(bridge), listens = has_listener(bridge), views = has_views(bridge);
	bool caches = has_cache(bridge);
	struct pollfd fds[FDS] = {
		[SIGNALS] = polled(bridge->signal_fd, false),
		[OPENINGS] = polled(bridge->wake_socket, false),
		[HTTP] = polled(http_socket(bridge->http), false),
		[SPEAKER] = polled(speaks ? publisher_socket(bridge->speaker) : -1,
			speaks && publisher_wants_write(bridge->speaker)),
		[LISTENER] = polled(listens ? consumer_socket(bridge->listener) : -1,
			listens && consumer_wants_write(bridge->listener)),
		[VIEWS] =
			polled(views ? keyvalue_socket(bridge->views) : -1, views && keyvalue_wants_write(bridge->views)),
		[CACHE] = polled(caches ? consumer_socket(bridge->cache_listener) : -1,
			caches && consumer_wants_write(bridge->cache_listener)),
	};
	int64_t left_ms = due_ms(bridge, deadline_ms) - clock_steady_ms();
	bool listener_pends = listens && consumer_has_pending(bridge->listener);
	bool speaker_pends = speaks && publisher_has_pending(bridge->speaker);
	bool cache_pends = caches && consumer_has_pending(bridge->cache_listener);
	bool has_pending = http_has_pending(bridge->http) || listener_pends || speaker_pends || cache_pends;
	poll(fds, FDS, has_pending || left_ms < 0 ? 0 : (int)left_ms);
	bool are_all_due = clock_steady_ms() >= bridge->serve_ms;
	if (are_all_due)
		bridge->serve_ms = clock_steady_ms() + SERVE_EVERY_MS;
	bridge->is_due[LINK_LISTENER] = are_all_due || listener_pends || fds[LISTENER].revents != 0;
	bridge->is_due[LINK_SPEAKER] = are_all_due || speaker_pends || fds[SPEAKER].revents != 0;
	bridge->is_due[LINK_CACHE] = are_all_due || cache_pends || fds[CACHE].revents != 0;
}

bool links_are_open(const struct bridge *bridge)
{
	return has_listener(bridge) && has_speaker(bridge);
}

enum room links_room(const struct bridge *bridge)
{
	if (!links_are_open(bridge) || publisher_is_blocked(bridge->speaker))
		return ROOM_NEVER;
	return publisher_room(bridge->speaker) > 0 ? ROOM_NOW : ROOM_LATER;
}

bool links_send(struct bridge *bridge, const struct publication *publication, void *token)
{
	struct why why = { 0 };
	bool is_sent = publisher_send(bridge->speaker, publication, token, &why);
	if (!is_sent)
		failed(bridge, LINK_SPEAKER, &why);
	return is_sent;
}

bool links_read_view(struct bridge *bridge, const char *key, void *token)
{
	return has_views(bridge) && keyvalue_get(bridge->views, key, token);
}

void links_put_view(struct bridge *bridge, const char *key, int64_t version, const char *body,
	size_t body_bytes)
{
	if (has_views(bridge))
		keyvalue_put(bridge->views, key, version, body, body_bytes, NULL);
}

bool links_hear_cache(const struct bridge *bridge)
{
	return has_cache(bridge);
}

bool links_tell(struct bridge *bridge, enum event event, const char *name, const void *body)
{
	struct why why = { 0 };
	bool is_sent = has_speaker(bridge) && cache_bus_tell(bridge->speaker, "bridge", event, name, body, &why);
	if (why.reason[0] != '\0')
		failed(bridge, LINK_SPEAKER, &why);
	return is_sent;
}

bool links_ask_lease(struct bridge *bridge, const char *name, const struct coherence_request *request)
{
	struct why why = { 0 };
	bool is_sent = has_speaker(bridge) && cache_bus_ask(bridge->speaker, "bridge", name, request, &why);
	if (why.reason[0] != '\0')
		failed(bridge, LINK_SPEAKER, &why);
	return is_sent;
}
