/* The small HTTP server, spoken to over real sockets in one loop. */
#include "http.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "run.h"

enum { CONNECTIONS_MAX = 32, IDLE_TIMEOUT_S = 10 };

static struct http *http;
static unsigned answer_count;

/* A connection to the server and what came back over it. */
struct client {
	int socket;
	char response[64 * 1024];
	size_t length;
	bool is_closed; /* by the server */
};

static unsigned answer(void *owner, const char *path, struct buffer *body)
{
	++*(unsigned *)owner;
	if (strcmp(path, "/healthz") == 0) {
		buffer_add_text(body, "ok\n");
		return 200;
	}
	if (strcmp(path, "/readyz") == 0) {
		buffer_add_text(body, "database\n");
		return 503;
	}
	if (strcmp(path, "/large") == 0) {
		buffer_print(body, "%*d", 50000, 1);
		return 200;
	}
	return 0;
}

static void set_up(void)
{
	struct why why = { 0 };
	signal(SIGPIPE, SIG_IGN);
	answer_count = 0;
	http = http_open(0, answer, &answer_count, &why);
	ck_assert_msg(http != NULL, "%s", why.text);
}

static void tear_down(void)
{
	http_close(http);
}

static void connect_client(struct client *client)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(http_port(http)),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	*client = (struct client){ .socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	ck_assert_int_ge(client->socket, 0);
	ck_assert_int_eq(connect(client->socket, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void send_text(const struct client *client, const char *text)
{
	ck_assert_int_eq(send(client->socket, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* One turn of the loop: serves the server, takes what has come. */
static void turn(struct client *client)
{
	struct pollfd descriptors[] = {
		{ .fd = http_socket(http), .events = POLLIN },
		{ .fd = client->is_closed ? -1 : client->socket, .events = POLLIN },
	};
	poll(descriptors, 2, 100);
	http_serve(http);
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

static void wait_for_answer(struct client *client, bool has_body)
{
	int64_t deadline_ms = clock_steady_ms() + SECONDS(5);
	client->length = 0;
	client->response[0] = '\0';
	while (!client->is_closed && !is_complete(client, has_body)) {
		ck_assert_msg(clock_steady_ms() < deadline_ms, "no answer: %s", client->response);
		turn(client);
	}
}

static void wait_for_close(struct client *client, int64_t patience_ms)
{
	int64_t deadline_ms = clock_steady_ms() + patience_ms;
	while (!client->is_closed) {
		ck_assert_msg(clock_steady_ms() < deadline_ms, "still open after %s", client->response);
		turn(client);
	}
}

/* One request on a connection of its own; the response stays in `client`. */
static void ask(struct client *client, const char *request)
{
	connect_client(client);
	send_text(client, request);
	wait_for_answer(client, true);
	close(client->socket);
}

static void assert_alive(void)
{
	struct client client;
	ask(&client, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(client.response, "200 OK"));
}

START_TEST(paths_are_answered)
{
	struct client client;
	ask(&client, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_ptr_eq(strstr(client.response, "HTTP/1.1 200 OK\r\n"), client.response);
	ck_assert_ptr_nonnull(strstr(client.response, "Content-Type: text/plain"));
	ck_assert_ptr_nonnull(strstr(client.response, "\r\n\r\nok\n"));
	ask(&client, "GET /readyz?verbose=1 HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_ptr_eq(strstr(client.response, "HTTP/1.1 503 "), client.response);
	ck_assert_ptr_nonnull(strstr(client.response, "\r\n\r\ndatabase\n"));
	ask(&client, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_ptr_eq(strstr(client.response, "HTTP/1.1 404 "), client.response);
	ck_assert_ptr_nonnull(strstr(client.response, "\r\n\r\nnot found\n"));
	ck_assert_uint_eq(answer_count, 3);
}
END_TEST

START_TEST(a_connection_serves_many_requests)
{
	struct client client;
	connect_client(&client);
	for (int i = 0; i < 100; i++) {
		send_text(&client, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
		wait_for_answer(&client, true);
		ck_assert_ptr_nonnull(strstr(client.response, "200 OK"));
		ck_assert_ptr_null(strcasestr(client.response, "Connection: close"));
		ck_assert(!client.is_closed);
	}
	close(client.socket);
}
END_TEST

START_TEST(requests_sent_at_once_are_all_answered)
{
	struct client client;
	connect_client(&client);
	for (int i = 0; i < 20; i++)
		send_text(&client, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	int64_t deadline_ms = clock_steady_ms() + SECONDS(5);
	while (answer_count < 20) {
		ck_assert_int_lt(clock_steady_ms(), deadline_ms);
		turn(&client);
	}
	close(client.socket);
}
END_TEST

START_TEST(head_has_no_body)
{
	struct client client;
	connect_client(&client);
	send_text(&client, "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for_answer(&client, false);
	ck_assert_ptr_nonnull(strstr(client.response, "200 OK"));
	ck_assert_ptr_nonnull(strstr(client.response, "Content-Length: 3\r\n"));
	ck_assert_str_eq(client.response + client.length - 4, "\r\n\r\n");
	close(client.socket);
}
END_TEST

START_TEST(a_body_larger_than_the_connection_memory)
{
	struct client client;
	ask(&client, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_uint_gt(client.length, 50000);
	ck_assert_int_eq(client.response[client.length - 1], '1');
}
END_TEST

START_TEST(other_methods_are_refused)
{
	static const char *const requests[] = {
		"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi",
		"DELETE /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
		"get /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct client client;
		ask(&client, requests[i]);
		ck_assert_msg(strstr(client.response, "HTTP/1.1 405 ") == client.response, "%s", client.response);
		ck_assert_ptr_nonnull(strstr(client.response, "Allow: GET, HEAD\r\n"));
	}
	ck_assert_uint_eq(answer_count, 0);
}
END_TEST

START_TEST(requests_with_a_body_are_refused)
{
	static const char *const requests[] = {
		"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
		"GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
		"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\nhello",
	};
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct client client;
		ask(&client, requests[i]);
		ck_assert_msg(strstr(client.response, "HTTP/1.1 400 ") == client.response, "%zu: %s", i,
			client.response);
	}
	ck_assert_uint_eq(answer_count, 0);
}
END_TEST

START_TEST(nonsense_does_not_stop_the_server)
{
	static const char *const requests[] = { "nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
		"\x16\x03\x01\x02\r\n\r\n", "GET /%00%zz HTTP/1.1\r\nHost\r\n\r\n" };
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct client client;
		connect_client(&client);
		send_text(&client, requests[i]);
		shutdown(client.socket, SHUT_WR);
		wait_for_close(&client, SECONDS(5));
		close(client.socket);
		assert_alive();
	}
}
END_TEST

START_TEST(a_head_that_is_too_long_is_refused)
{
	struct client client;
	char request[20000];
	memset(request, 'x', sizeof(request) - 1);
	memcpy(request, "GET /healthz HTTP/1.1\r\nA: ", 26);
	request[sizeof(request) - 1] = '\0';
	connect_client(&client);
	send_text(&client, request);
	wait_for_close(&client, SECONDS(5));
	ck_assert_uint_eq(answer_count, 0);
	close(client.socket);
	assert_alive();
}
END_TEST

START_TEST(connections_are_limited)
{
	static struct client clients[CONNECTIONS_MAX + 1];
	for (int i = 0; i < CONNECTIONS_MAX; i++) {
		connect_client(&clients[i]);
		send_text(&clients[i], "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
		wait_for_answer(&clients[i], true);
		ck_assert(!clients[i].is_closed);
	}
	struct client *last = &clients[CONNECTIONS_MAX];
	connect_client(last);
	send_text(last, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	for (int i = 0; i < 10; i++)
		turn(last);
	ck_assert_uint_eq(answer_count, CONNECTIONS_MAX);
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		close(clients[i].socket);
	if (last->is_closed) {
		close(last->socket);
		connect_client(last);
		send_text(last, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	wait_for_answer(last, true);
	ck_assert_ptr_nonnull(strstr(last->response, "200 OK"));
	close(last->socket);
}
END_TEST

START_TEST(an_idle_connection_is_closed)
{
	struct client client;
	connect_client(&client);
	send_text(&client, "GET /healthz HT");
	wait_for_close(&client, SECONDS(IDLE_TIMEOUT_S + 5));
	close(client.socket);
}
END_TEST

START_TEST(serving_never_waits)
{
	struct client client;
	connect_client(&client);
	send_text(&client, "GET /heal");
	int64_t before_ms = clock_steady_ms();
	for (int i = 0; i < 1000; i++)
		http_serve(http);
	ck_assert_int_lt(clock_steady_ms() - before_ms, 1000);
	close(client.socket);
}
END_TEST

START_TEST(a_port_that_is_taken)
{
	struct why why = { 0 };
	char wanted[64];
	ck_assert_ptr_null(http_open(http_port(http), answer, &answer_count, &why));
	snprintf(wanted, sizeof(wanted), "cannot listen on 127.0.0.1:%u: Address already in use",
		http_port(http));
	ck_assert_str_eq(why.text, wanted);
	ck_assert_str_eq(why.reason, "http");
	http_close(NULL);
}
END_TEST

START_TEST(a_restart_gets_the_same_port)
{
	struct why why = { 0 };
	struct client client;
	uint16_t port = http_port(http);
	connect_client(&client);
	send_text(&client, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for_answer(&client, true);
	http_close(http);
	http = http_open(port, answer, &answer_count, &why);
	ck_assert_msg(http != NULL, "%s", why.text);
	close(client.socket);
	assert_alive();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http");
	TCase *test_case = tcase_create("http");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_set_timeout(test_case, 30);
	tcase_add_test(test_case, paths_are_answered);
	tcase_add_test(test_case, a_connection_serves_many_requests);
	tcase_add_test(test_case, requests_sent_at_once_are_all_answered);
	tcase_add_test(test_case, head_has_no_body);
	tcase_add_test(test_case, a_body_larger_than_the_connection_memory);
	tcase_add_test(test_case, other_methods_are_refused);
	tcase_add_test(test_case, requests_with_a_body_are_refused);
	tcase_add_test(test_case, nonsense_does_not_stop_the_server);
	tcase_add_test(test_case, a_head_that_is_too_long_is_refused);
	tcase_add_test(test_case, connections_are_limited);
	tcase_add_test(test_case, an_idle_connection_is_closed);
	tcase_add_test(test_case, serving_never_waits);
	tcase_add_test(test_case, a_port_that_is_taken);
	tcase_add_test(test_case, a_restart_gets_the_same_port);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
