/* The connections of the bridge: one to speak, one to hear, one to Redis; opened again with back-off. */
#include "bridge.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

enum { PREFETCH = 1000, SERVE_EVERY_MS = 1000 /* heartbeats want a call each second */ };

static const char *const link_names[LINK_COUNT] = { "listener", "speaker", "redis" };
static const char *const contexts[] = { "hospital", "bloodbank", "notification" };

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

/* All that people may watch, and the answers to our own questions. */
static void make_bindings(struct bridge *bridge)
{
	bridge->bindings[0] = (struct consumer_binding){ "feed", "#" };
	for (size_t i = 0; i < CONTEXTS; i++) {
		snprintf(bridge->answer_keys[i], sizeof(bridge->answer_keys[i]), "%s.answer.%s", contexts[i],
			bridge->asker);
		bridge->bindings[i + 1] = (struct consumer_binding){ "answers", bridge->answer_keys[i] };
	}
}

static void hear(void *owner, struct delivery *delivery)
{
	struct bridge *bridge = owner;
	struct why why;
	bridge_count(bridge, METRIC_HEARD);
	bridge_hear(bridge, delivery);
	/* what nobody waits for any more is acknowledged too: the feed is only told, never owed */
	consumer_ack(bridge->listener, delivery->incarnation, delivery->tag, false, &why);
	delivery_free(delivery);
}

void links_make(struct bridge *bridge)
{
	const struct bridge_settings *settings = &bridge->settings;
	name_connections(bridge);
	make_bindings(bridge);
	bridge->speaker_address = (struct broker_address){ settings->amqp_url, settings->amqp_user,
		settings->amqp_password, bridge->speaker_name };
	bridge->listener_address = (struct broker_address){ settings->amqp_url, settings->listener_user,
		settings->listener_password, bridge->listener_name };
	bridge->speaker = publisher_new(&bridge->speaker_address, call_settled, bridge);
	bridge->listener = consumer_new_own(&bridge->listener_address, bridge->tag, bridge->queue_prefix,
		bridge->bindings, hear, bridge);
	bridge->views = keyvalue_new(settings->redis_url, settings->redis_user, settings->redis_password);
}

void links_free(struct bridge *bridge)
{
	consumer_close(bridge->listener);
	consumer_free(bridge->listener);
	publisher_close(bridge->speaker);
	publisher_free(bridge->speaker);
	keyvalue_close(bridge->views);
	struct why why;
	keyvalue_serve(bridge->views, call_view_stored, call_view_read, bridge,
		&why); /* reports what is unanswered */
	keyvalue_free(bridge->views);
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
	backoff_succeeded(&bridge->backoffs[link]);
	log_line(&bridge->log, LOG_INFO_LEVEL, "connected", "link", link_names[link], NULL);
}

static void note_opening(struct bridge *bridge, enum bridge_link link, bool is_open, const struct why *why)
{
	if (is_open)
		opened(bridge, link);
	else
		failed(bridge, link, why);
}

static void open_links(struct bridge *bridge)
{
	struct why why = { 0 };
	if (!publisher_is_open(bridge->speaker) && backoff_is_due(&bridge->backoffs[LINK_SPEAKER]))
		note_opening(bridge, LINK_SPEAKER, publisher_open(bridge->speaker, &why), &why);
	if (!consumer_is_open(bridge->listener) && publisher_is_open(bridge->speaker)
		&& backoff_is_due(&bridge->backoffs[LINK_LISTENER]))
		note_opening(bridge, LINK_LISTENER, consumer_open(bridge->listener, PREFETCH, &why), &why);
	if (!keyvalue_is_open(bridge->views) && backoff_is_due(&bridge->backoffs[LINK_VIEWS])) {
		bridge->views_incarnation++;
		note_opening(bridge, LINK_VIEWS, keyvalue_open(bridge->views, &why), &why);
	}
}

static void serve_views(struct bridge *bridge)
{
	struct why why = { 0 };
	if (!keyvalue_serve(bridge->views, call_view_stored, call_view_read, bridge, &why))
		failed(bridge, LINK_VIEWS, &why);
}

static void serve_listener(struct bridge *bridge)
{
	struct why why = { 0 };
	if (consumer_is_open(bridge->listener) && !consumer_serve(bridge->listener, &why))
		failed(bridge, LINK_LISTENER, &why);
}

static void serve_speaker(struct bridge *bridge)
{
	struct why why = { 0 };
	if (publisher_is_open(bridge->speaker) && !publisher_serve(bridge->speaker, &why))
		failed(bridge, LINK_SPEAKER, &why);
}

void links_serve(struct bridge *bridge)
{
	open_links(bridge);
	if (bridge->is_due[LINK_LISTENER])
		serve_listener(bridge);
	if (bridge->is_due[LINK_SPEAKER])
		serve_speaker(bridge);
	serve_views(bridge);
	http_serve(bridge->http);
	/* what these requests sent goes out now, in one write each */
	if (publisher_wants_write(bridge->speaker))
		serve_speaker(bridge);
	if (keyvalue_wants_write(bridge->views))
		serve_views(bridge);
}

static short events_of(bool wants_write)
{
	return wants_write ? POLLIN | POLLOUT : POLLIN;
}

/* Those to the broker are looked at when something came or can go, and now and then: a look costs three calls of the system. */
static void note_due(struct bridge *bridge, bool is_listener_ready, bool is_speaker_ready)
{
	int64_t now_ms = clock_steady_ms();
	bool are_all_due = now_ms >= bridge->serve_ms;
	if (are_all_due)
		bridge->serve_ms = now_ms + SERVE_EVERY_MS;
	bridge->is_due[LINK_LISTENER] =
		are_all_due || is_listener_ready || consumer_has_pending(bridge->listener);
	bridge->is_due[LINK_SPEAKER] = are_all_due || is_speaker_ready || publisher_has_pending(bridge->speaker);
}

void links_wait(struct bridge *bridge, int64_t deadline_ms)
{
	enum { SIGNALS, HTTP, SPEAKER, LISTENER, VIEWS, FDS };
	struct pollfd fds[FDS] = {
		[SIGNALS] = { .fd = bridge->signal_fd, .events = POLLIN },
		[HTTP] = { .fd = http_socket(bridge->http), .events = POLLIN },
		[SPEAKER] = { .fd = publisher_socket(bridge->speaker),
			.events = events_of(publisher_wants_write(bridge->speaker)) },
		/* acknowledgements can wait: they go out before the next event is read, or within SERVE_EVERY_MS */
		[LISTENER] = { .fd = consumer_socket(bridge->listener), .events = POLLIN },
		[VIEWS] = { .fd = keyvalue_socket(bridge->views),
			.events = events_of(keyvalue_wants_write(bridge->views)) },
	};
	int64_t left_ms = deadline_ms - clock_steady_ms();
	bool has_pending = http_has_pending(bridge->http) || consumer_has_pending(bridge->listener)
		|| publisher_has_pending(bridge->speaker);
	if (left_ms > SERVE_EVERY_MS)
		left_ms = SERVE_EVERY_MS;
	poll(fds, FDS, has_pending || left_ms < 0 ? 0 : (int)left_ms);
	note_due(bridge, fds[LISTENER].revents != 0, fds[SPEAKER].revents != 0);
}

bool links_are_open(const struct bridge *bridge)
{
	return consumer_is_open(bridge->listener) && publisher_is_open(bridge->speaker);
}
