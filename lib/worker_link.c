/* The connections of a worker: opened again with back-off when they fail, served while the worker waits. */
#include "worker_cache.h"

#include <poll.h>

enum {
	DELAY_MALFORMED_MS = 500,
	POLL_FDS_MAX = 8,
	HEARTBEAT_CALL_MS = 1000, /* the broker library sends heartbeats only when it is called */
};

static const char *const link_names[LINK_COUNT] = { "consumer", "publisher", "database", "redis", "listener",
	"registry" };

/* Waiting for a dead dependency is no standstill; but Redis and the cache hold nothing up, so they excuse nothing. */
static void note_progress(struct runtime *runtime, enum link_number link)
{
	if (link < LINK_KEYVALUE)
		runtime->progress_ms = clock_steady_ms();
}

static void link_failed(struct runtime *runtime, enum link_number link, const struct why *why,
	int64_t most_ms)
{
	backoff_failed(&runtime->backoffs[link], most_ms);
	count(runtime, METRIC_RECONNECTS, 1);
	note_progress(runtime, link);
	log_line(&runtime->log, LOG_WARNING_LEVEL, "connection lost or refused", "link", link_names[link],
		"reason", why->reason, "detail", why->text, NULL);
}

bool links_are_due(const struct runtime *runtime, enum link_number link)
{
	return backoff_is_due(&runtime->backoffs[link]);
}

void links_opened(struct runtime *runtime, enum link_number link)
{
	backoff_succeeded(&runtime->backoffs[link]);
	note_progress(runtime, link);
	log_line(&runtime->log, LOG_INFO_LEVEL, "connected", "link", link_names[link], NULL);
}

/* Nothing may run on a database that was not checked: opened and checked anew. */
static void drop_unchecked(struct runtime *runtime, const struct why *why)
{
	database_close(runtime->database);
	link_failed(runtime, LINK_DATABASE, why, BACKOFF_MAX_MS);
}

static void open_database(struct runtime *runtime)
{
	struct why why = { 0 };
	if (database_is_open(runtime->database) || !links_are_due(runtime, LINK_DATABASE))
		return;
	enum outcome outcome = database_open(runtime->database, &why);
	if (outcome == STOP)
		worker_fail(runtime, EXIT_CONFIGURATION, &why);
	else if (outcome != DONE)
		link_failed(runtime, LINK_DATABASE, &why, BACKOFF_MAX_MS);
	else if (runtime->was_started || worker_check_database(runtime, &why))
		links_opened(runtime, LINK_DATABASE);
	else
		drop_unchecked(runtime, &why);
}

static void open_publisher(struct runtime *runtime)
{
	struct why why = { 0 };
	if (publisher_is_open(runtime->publisher) || !links_are_due(runtime, LINK_PUBLISHER))
		return;
	if (publisher_open(runtime->publisher, &why))
		links_opened(runtime, LINK_PUBLISHER);
	else
		link_failed(runtime, LINK_PUBLISHER, &why, BACKOFF_MAX_MS);
}

/* What waited in memory belongs to the old channel: the broker delivers it again. */
static void clear_lanes(struct runtime *runtime)
{
	for (size_t i = 0; i < LANE_COUNT; i++) {
		while (runtime->lanes[i].first != NULL)
			delivery_free(lane_take(&runtime->lanes[i]));
	}
	runtime->alone = 0;
}

/* A writer that does not hear the caches would take all of them for dead. */
static bool can_write(const struct runtime *runtime)
{
	return runtime->was_started && publisher_is_open(runtime->publisher)
		&& (runtime->cache == NULL || consumer_is_open(runtime->cache->listener));
}

/* With prefetch 1 until the first acknowledgement: if a message kills the connection or us, its neighbours are not blamed. */
static void open_consumer(struct runtime *runtime)
{
	struct why why = { 0 };
	if (consumer_is_open(runtime->consumer) || runtime->is_stopping)
		return;
	clear_lanes(runtime);
	if (!links_are_due(runtime, LINK_CONSUMER) || !can_write(runtime))
		return;
	runtime->is_full_prefetch = false;
	if (consumer_open(runtime->consumer, 1, &why))
		links_opened(runtime, LINK_CONSUMER);
	else
		link_failed(runtime, LINK_CONSUMER, &why, BACKOFF_MAX_MS);
}

static void open_keyvalue(struct runtime *runtime)
{
	struct why why = { 0 };
	if (keyvalue_is_open(runtime->keyvalue) || !links_are_due(runtime, LINK_KEYVALUE))
		return;
	if (keyvalue_open(runtime->keyvalue, &why))
		links_opened(runtime, LINK_KEYVALUE);
	else
		link_failed(runtime, LINK_KEYVALUE, &why, BACKOFF_MAX_MS);
}

void links_serve_publisher(struct runtime *runtime)
{
	struct why why = { 0 };
	if (publisher_is_open(runtime->publisher) && !publisher_serve(runtime->publisher, &why))
		link_failed(runtime, LINK_PUBLISHER, &why, BACKOFF_MAX_MS);
}

static void serve_open(struct runtime *runtime)
{
	struct why why = { 0 };
	if (consumer_is_open(runtime->consumer) && !consumer_serve(runtime->consumer, &why)) {
		bool is_malformed = why.reason[0] == 'm';
		link_failed(runtime, LINK_CONSUMER, &why, is_malformed ? DELAY_MALFORMED_MS : BACKOFF_MAX_MS);
	}
	links_serve_publisher(runtime);
	if (keyvalue_is_open(runtime->keyvalue)
		&& !keyvalue_serve(runtime->keyvalue, send_view_stored, cache_take_shared, runtime, &why))
		link_failed(runtime, LINK_KEYVALUE, &why, BACKOFF_MAX_MS);
	if (runtime->http != NULL)
		http_serve(runtime->http);
	send_waiting(runtime);
	acks_send(runtime);
	cache_serve(runtime);
}

static bool has_pending(const struct runtime *runtime)
{
	return consumer_has_pending(runtime->consumer) || publisher_has_pending(runtime->publisher)
		|| (runtime->cache != NULL && consumer_has_pending(runtime->cache->listener));
}

static void add_fd(struct pollfd fds[POLL_FDS_MAX], nfds_t *fds_count, int fd, short events)
{
	if (fd >= 0)
		fds[(*fds_count)++] = (struct pollfd){ .fd = fd, .events = events };
}

static nfds_t fill_fds(const struct runtime *runtime, struct pollfd fds[POLL_FDS_MAX])
{
	nfds_t fds_count = 0;
	short publisher_events = publisher_wants_write(runtime->publisher) ? POLLIN | POLLOUT : POLLIN;
	short consumer_events = consumer_wants_write(runtime->consumer) ? POLLIN | POLLOUT : POLLIN;
	add_fd(fds, &fds_count, consumer_socket(runtime->consumer), consumer_events);
	add_fd(fds, &fds_count, publisher_socket(runtime->publisher), publisher_events);
	add_fd(fds, &fds_count, keyvalue_socket(runtime->keyvalue),
		keyvalue_wants_write(runtime->keyvalue) ? POLLIN | POLLOUT : POLLIN);
	if (runtime->http != NULL)
		add_fd(fds, &fds_count, http_socket(runtime->http), POLLIN);
	if (runtime->cache != NULL)
		add_fd(fds, &fds_count, consumer_socket(runtime->cache->listener),
			consumer_wants_write(runtime->cache->listener) ? POLLIN | POLLOUT : POLLIN);
	return fds_count;
}

static int poll_until(const struct runtime *runtime, struct pollfd fds[], nfds_t fds_count,
	int64_t deadline_ms)
{
	if (cache_due_ms(runtime) < deadline_ms)
		deadline_ms = cache_due_ms(runtime);
	if (acks_due_ms(runtime) < deadline_ms)
		deadline_ms = acks_due_ms(runtime);
	int64_t left_ms = deadline_ms - clock_steady_ms();
	if (left_ms > HEARTBEAT_CALL_MS)
		left_ms = HEARTBEAT_CALL_MS;
	return poll(fds, fds_count, left_ms < 0 ? 0 : (int)left_ms);
}

void lane_push(struct lane *lane, struct delivery *delivery)
{
	delivery->next = NULL;
	if (lane->last == NULL)
		lane->first = delivery;
	else
		lane->last->next = delivery;
	lane->last = delivery;
	lane->count++;
}

void lane_push_front(struct lane *lane, struct delivery *delivery)
{
	delivery->next = lane->first;
	lane->first = delivery;
	if (lane->last == NULL)
		lane->last = delivery;
	lane->count++;
}

struct delivery *lane_take(struct lane *lane)
{
	struct delivery *delivery = lane->first;
	lane->first = delivery->next;
	if (lane->first == NULL)
		lane->last = NULL;
	lane->count--;
	delivery->next = NULL;
	return delivery;
}

void links_serve(struct runtime *runtime)
{
	serve_open(runtime);
	open_database(runtime);
	open_publisher(runtime);
	open_consumer(runtime);
	open_keyvalue(runtime);
	cache_open(runtime);
}

void links_turn(struct runtime *runtime, int64_t deadline_ms)
{
	struct pollfd fds[POLL_FDS_MAX];
	if (!has_pending(runtime))
		poll_until(runtime, fds, fill_fds(runtime, fds), deadline_ms);
	serve_open(runtime);
}

void links_wait(struct runtime *runtime, int64_t deadline_ms)
{
	struct pollfd fds[POLL_FDS_MAX];
	if (has_pending(runtime))
		return;
	nfds_t fds_count = fill_fds(runtime, fds);
	add_fd(fds, &fds_count, runtime->signal_fd, POLLIN);
	bool is_paused = runtime->sending_count > 0 && runtime->sending_pause_until_ms > clock_steady_ms();
	if (is_paused && runtime->sending_pause_until_ms < deadline_ms)
		deadline_ms = runtime->sending_pause_until_ms;
	poll_until(runtime, fds, fds_count, deadline_ms);
}

/* A stop that is asked for while the database hangs must not wait for it: what is unfinished is delivered again. */
static bool is_overdue(struct runtime *runtime)
{
	struct pollfd signals = { .fd = runtime->signal_fd, .events = POLLIN };
	int64_t now_ms = clock_steady_ms();
	if (runtime->stop_deadline_ms == 0 && poll(&signals, 1, 0) > 0)
		runtime->stop_deadline_ms = now_ms + STOP_LIMIT_MS;
	return runtime->stop_deadline_ms != 0 && now_ms >= runtime->stop_deadline_ms;
}

bool links_wait_for(void *owner, int fd, short events, int64_t deadline_ms)
{
	struct runtime *runtime = owner;
	while (fd >= 0 && clock_steady_ms() < deadline_ms && !is_overdue(runtime)) {
		struct pollfd fds[POLL_FDS_MAX];
		nfds_t fds_count = fill_fds(runtime, fds);
		bool is_stop_asked = runtime->stop_deadline_ms != 0;
		if (is_stop_asked && runtime->stop_deadline_ms < deadline_ms)
			deadline_ms = runtime->stop_deadline_ms;
		add_fd(fds, &fds_count, is_stop_asked ? -1 : runtime->signal_fd, POLLIN);
		add_fd(fds, &fds_count, fd, events);
		if (poll_until(runtime, fds, fds_count, deadline_ms) > 0 && fds[fds_count - 1].revents != 0)
			return true;
		serve_open(runtime);
	}
	return false;
}

void links_lost(struct runtime *runtime, enum link_number link, const struct why *why)
{
	link_failed(runtime, link, why, BACKOFF_MAX_MS);
}

void links_first_ack(struct runtime *runtime)
{
	struct why why = { 0 };
	if (runtime->is_full_prefetch || runtime->is_stopping)
		return;
	runtime->is_full_prefetch = true;
	if (!consumer_set_prefetch(runtime->consumer, (uint16_t)runtime->settings.prefetch, &why))
		link_failed(runtime, LINK_CONSUMER, &why, BACKOFF_MAX_MS);
}

void links_close(struct runtime *runtime)
{
	consumer_close(runtime->consumer);
	clear_lanes(runtime);
	publisher_close(runtime->publisher);
	keyvalue_close(runtime->keyvalue);
	cache_close(runtime);
	database_close(runtime->database);
	http_close(runtime->http);
	runtime->http = NULL;
}
