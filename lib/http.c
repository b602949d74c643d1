/*
 * A small HTTP server over libmicrohttpd, driven by the caller's loop through one epoll descriptor. GET
 * and HEAD only; requests with a body are refused before it is read, so nothing of a body is ever parsed.
 */
#include "http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECTIONS_MAX = 32,
	CONNECTION_TIMEOUT_S = 10,
	CONNECTION_MEMORY_BYTES = 8 * 1024,
	ROUNDS_MAX = 64, /* of one http_serve, so that a busy client cannot hold the worker */
};

struct http {
	struct MHD_Daemon *daemon;
	http_answer_fn *answer;
	void *owner;
	int epoll_socket;
	uint16_t port;
};

static const char *status_text(unsigned status)
{
	switch (status) {
	case MHD_HTTP_BAD_REQUEST:
		return "bad request\n";
	case MHD_HTTP_NOT_FOUND:
		return "not found\n";
	case MHD_HTTP_METHOD_NOT_ALLOWED:
		return "method not allowed, use GET\n";
	default:
		return "";
	}
}

/* Queues a response with a copy of the text. */
static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, const char *text,
	size_t length)
{
	/* the library copies, though its prototype says void *; memory is only read */
	union {
		const char *text;
		void *memory;
	} source = { .text = text };
	struct MHD_Response *response =
		MHD_create_response_from_buffer(length, source.memory, MHD_RESPMEM_MUST_COPY);
	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
		"text/plain; version=0.0.4; charset=utf-8");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	enum MHD_Result result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status)
{
	const char *text = status_text(status);
	return respond(connection, status, text, strlen(text));
}

static bool has_body(struct MHD_Connection *connection)
{
	const char *length =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	return (length != NULL && strcmp(length, "0") != 0)
		|| MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING)
		!= NULL;
}

static enum MHD_Result respond_with_answer(const struct http *http, struct MHD_Connection *connection,
	const char *path)
{
	struct buffer body;
	buffer_init(&body);
	unsigned status = http->answer(http->owner, path, &body);
	if (status == 0)
		status = MHD_HTTP_NOT_FOUND;
	if (body.length_bytes == 0)
		buffer_add_text(&body, status_text(status));
	enum MHD_Result result = respond(connection, status, buffer_text(&body), body.length_bytes);
	buffer_clear(&body);
	return result;
}

/*
 * Called once when the headers are there, and once more to be answered. A response queued in the first
 * call makes the library close the connection: wanted for refusals, wrong for answers.
 */
static enum MHD_Result handle(void *owner, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_bytes, void **request)
{
	static int seen;
	(void)version;
	(void)upload;
	(void)upload_bytes;
	if (*request == &seen)
		return respond_with_answer(owner, connection, path);
	*request = &seen;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED);
	if (has_body(connection))
		return refuse(connection, MHD_HTTP_BAD_REQUEST);
	return MHD_YES;
}

static struct MHD_Daemon *start(struct http *http, uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	return MHD_start_daemon(MHD_USE_EPOLL, port, NULL, NULL, handle, http, MHD_OPTION_SOCK_ADDR, &address,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
		MHD_OPTION_END);
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

struct http *http_open(uint16_t port, http_answer_fn *answer, void *owner, struct why *why)
{
	struct http *http = calloc(1, sizeof(*http));
	if (http == NULL)
		abort();
	http->answer = answer;
	http->owner = owner;
	errno = 0;
	http->daemon = start(http, port);
	if (http->daemon != NULL && learn_sockets(http))
		return http;
	because(why, "http", "cannot listen on 127.0.0.1:%u: %s", port, strerror(errno));
	http_close(http);
	return NULL;
}

void http_close(struct http *http)
{
	if (http == NULL)
		return;
	if (http->daemon != NULL)
		MHD_stop_daemon(http->daemon);
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

/* The library's epoll is edge-triggered: what one round leaves over is not signalled again. */
void http_serve(struct http *http)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
		if (MHD_run(http->daemon) != MHD_YES)
			return;
		if (MHD_get_timeout(http->daemon, &timeout_ms) != MHD_YES || timeout_ms > 0)
			return;
	}
}
