/* The server itself, over libmicrohttpd: one epoll descriptor, its connections and their deadlines. */
#include "http.h"
#include "http_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

enum {
	CONNECTION_MEMORY_BYTES = 16 * 1024, /* head of a request; the library refuses what is longer */
	BACKLOG = 1024,
	IDLE_TIMEOUT_S = 60, /* the library's own, behind ours */
	SERVE_LIMIT_MS = 20, /* of one http_serve, so that busy clients cannot hold the loop */
	LOOK_EVERY_MS = 500,
	CROWDED_LIMIT_MS = 2000, /* for a whole request, while all places are taken */
};

static void add_connection(struct http *http, struct MHD_Connection *connection, void **context)
{
	struct http_connection *added = calloc(1, sizeof(*added));
	if (added == NULL)
		abort();
	added->socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	added->deadline_ms = clock_steady_ms() + http->options.request_limit_ms;
	added->part_ms = INT64_MAX;
	added->next = http->connections;
	if (added->next != NULL)
		added->next->previous = added;
	http->connections = added;
	http->connections_count++;
	*context = added;
}

static void remove_connection(struct http *http, struct http_connection *connection)
{
	if (connection->previous != NULL)
		connection->previous->next = connection->next;
	else
		http->connections = connection->next;
	if (connection->next != NULL)
		connection->next->previous = connection->previous;
	http->connections_count--;
	free(connection);
}

static void note_connection(void *owner, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		add_connection(owner, connection, context);
	else
		remove_connection(owner, *context);
}

/*
 * The library's timeout begins anew with each byte; a client that sends one now and then would stay for ever. While all places are
 * taken those that do nothing are closed soon, so that others get in.
 */
static void close_late(const struct http *http, int64_t now_ms)
{
	int64_t hurry_ms = 0;
	bool is_crowded = http->connections_count >= http->options.connections_max;
	if (is_crowded && http->options.request_limit_ms > CROWDED_LIMIT_MS)
		hurry_ms = http->options.request_limit_ms - CROWDED_LIMIT_MS;
	for (const struct http_connection *next = http->connections; next != NULL; next = next->next)
		if (now_ms > next->deadline_ms - hurry_ms || now_ms > next->part_ms)
			shutdown(next->socket, SHUT_RDWR);
}

/* The library does not look at the sockets of streams that wait: who left would stay until the next bytes for him. */
static void end_left_streams(const struct http *http)
{
	for (struct http_exchange *next = http->exchanges; next != NULL; next = next->next) {
		struct pollfd poller = { .fd = next->socket->socket, .events = POLLRDHUP };
		if (next->is_stream && next->is_suspended && poll(&poller, 1, 0) > 0)
			http_stream_cut(next);
	}
}

static void look_around(struct http *http)
{
	int64_t now_ms = clock_steady_ms();
	if (now_ms < http->look_ms)
		return;
	http->look_ms = now_ms + LOOK_EVERY_MS;
	close_late(http, now_ms);
	end_left_streams(http);
}

static struct MHD_Daemon *start(struct http *http, uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, port, NULL, NULL, http_handle, http,
		MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT, http->options.connections_max,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)BACKLOG,
		MHD_OPTION_URI_LOG_CALLBACK, http_begin, http, MHD_OPTION_NOTIFY_CONNECTION, note_connection, http,
		MHD_OPTION_NOTIFY_COMPLETED, http_completed, http, MHD_OPTION_END);
}

static bool learn_sockets(struct http *http)
{
	const union MHD_DaemonInfo *listening = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_LISTEN_FD);
	struct sockaddr_in address = { 0 };
	socklen_t address_bytes = sizeof(address);
	if (listening == NULL
		|| getsockname(listening->listen_fd, (struct sockaddr *)&address, &address_bytes) != 0)
		return false;
	http->port = ntohs(address.sin_port);
	const union MHD_DaemonInfo *epoll = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (epoll == NULL)
		return false;
	http->epoll_socket = epoll->epoll_fd;
	return true;
}

/*
 * The library ends the process when it is stopped with suspended connections: they are woken, and find themselves closed. Those
 * that are closed are not read any more, so no request comes in that would be suspended again.
 */
static void wake_all(struct http *http)
{
	for (struct http_connection *next = http->connections; next != NULL; next = next->next)
		shutdown(next->socket, SHUT_RDWR);
	for (struct http_exchange *next = http->exchanges; next != NULL; next = next->next) {
		next->is_ended = true;
		if (next->is_suspended)
			MHD_resume_connection(next->connection);
		next->is_suspended = false;
	}
	MHD_run(http->daemon);
}

static void set_defaults(struct http_options *options)
{
	if (options->request_limit_ms == 0)
		options->request_limit_ms = HTTP_REQUEST_LIMIT_MS;
	if (options->bodies_bytes_max == 0)
		options->bodies_bytes_max = HTTP_BODIES_BYTES_MAX;
	if (options->streams_bytes_max == 0)
		options->streams_bytes_max = HTTP_STREAMS_BYTES_MAX;
}

struct http *http_open(const struct http_options *options, struct why *why)
{
	struct http *http = calloc(1, sizeof(*http));
	if (http == NULL)
		abort();
	http->options = *options;
	set_defaults(&http->options);
	errno = 0;
	http->daemon = start(http, options->port);
	if (http->daemon != NULL && learn_sockets(http))
		return http;
	because(why, "http", "cannot listen on 127.0.0.1:%u: %s", options->port, strerror(errno));
	http_close(http);
	return NULL;
}

void http_close(struct http *http)
{
	if (http == NULL)
		return;
	if (http->daemon != NULL) {
		wake_all(http);
		MHD_stop_daemon(http->daemon);
	}
	free(http);
}

int http_socket(const struct http *http)
{
	return http->epoll_socket;
}

uint16_t http_port(const struct http *http)
{
	return http->port;
}

bool http_has_pending(const struct http *http)
{
	return http->has_pending;
}

void http_quiesce(struct http *http)
{
	int listening = MHD_quiesce_daemon(http->daemon);
	if (listening >= 0)
		close(listening);
}

/* The library's epoll is edge-triggered: what one round leaves over is not signalled again, so the rest is pending. */
static void run(struct http *http)
{
	int64_t end_ms = clock_steady_ms() + SERVE_LIMIT_MS;
	do {
		MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
		if (MHD_run(http->daemon) != MHD_YES)
			return;
		if (MHD_get_timeout(http->daemon, &timeout_ms) != MHD_YES || timeout_ms > 0)
			return;
	} while (clock_steady_ms() < end_ms);
	http->has_pending = true;
}

/* Nobody is late whose bytes wait to be read: they are read first. */
void http_serve(struct http *http)
{
	http->has_pending = false;
	run(http);
	look_around(http);
}
