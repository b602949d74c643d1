/* The client's side of a connection to the server under test. */
#include "http_client.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "run.h"

void connect_client(struct client *client, struct http *http)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(http_port(http)),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	*client = (struct client){ .http = http, .socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	ck_assert_int_ge(client->socket, 0);
	ck_assert_int_eq(connect(client->socket, (struct sockaddr *)&address, sizeof(address)), 0);
}

void send_bytes(const struct client *client, const void *bytes, size_t length)
{
	ck_assert_int_eq(send(client->socket, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

void send_text(const struct client *client, const char *text)
{
	send_bytes(client, text, strlen(text));
}

void turn(struct client *client)
{
	struct pollfd descriptors[] = {
		{ .fd = http_socket(client->http), .events = POLLIN },
		{ .fd = client->is_closed ? -1 : client->socket, .events = POLLIN },
	};
	poll(descriptors, 2, http_has_pending(client->http) ? 0 : 100);
	http_serve(client->http);
	if (client->is_closed)
		return;
	ssize_t received = recv(client->socket, client->response + client->length,
		sizeof(client->response) - 1 - client->length, MSG_DONTWAIT);
	if (received > 0)
		client->length += (size_t)received;
	client->is_closed =
		received == 0 || (received < 0 && (descriptors[1].revents & (POLLHUP | POLLERR)) != 0);
	client->response[client->length] = '\0';
}

/* Whether head and announced body are complete; `has_body` is false for answers to HEAD. */
static bool is_complete(const struct client *client, bool has_body)
{
	const char *end = strstr(client->response, "\r\n\r\n");
	const char *length = strcasestr(client->response, "Content-Length: ");
	if (end == NULL)
		return false;
	size_t body_bytes = has_body && length != NULL ? strtoul(length + 16, NULL, 10) : 0;
	return client->length >= (size_t)(end + 4 - client->response) + body_bytes;
}

void wait_for_answer(struct client *client, bool has_body)
{
	int64_t deadline_ms = clock_steady_ms() + SECONDS(5);
	client->length = 0;
	client->response[0] = '\0';
	while (!client->is_closed && !is_complete(client, has_body)) {
		ck_assert_msg(clock_steady_ms() < deadline_ms, "no answer: %s", client->response);
		turn(client);
	}
}

void wait_for_close(struct client *client, int64_t patience_ms)
{
	int64_t deadline_ms = clock_steady_ms() + patience_ms;
	while (!client->is_closed) {
		ck_assert_msg(clock_steady_ms() < deadline_ms, "still open after %s", client->response);
		turn(client);
	}
}

void ask(struct client *client, struct http *http, const char *request)
{
	connect_client(client, http);
	send_text(client, request);
	wait_for_answer(client, true);
	close(client->socket);
}

void assert_alive(struct http *http)
{
	struct client client;
	ask(&client, http, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(client.response, "200 OK"));
}
