/* The small HTTP server, spoken to over real sockets in one loop. */
#include "http.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "http_client.h"
#include "run.h"

enum {
	CONNECTIONS_MAX = 32,
	BODY_MAX = 1000,
	REQUEST_LIMIT_MS = 1000,
	SOCKETS_BYTES = 1 << 20, /* more than the kernel keeps for both ends of a stream */
};

static struct http *http;
static unsigned answer_count, over_count;
static struct http_exchange *kept; /* the one that waits for its answer */
static char large[50000];

static void answer_text(struct http_exchange *exchange, unsigned status, const char *text, size_t length)
{
	http_answer(exchange,
		&(struct http_answer){
			.status = status,
			.content_type = "text/plain",
			.body = text,
			.body_bytes = length,
			.headers = { { "X-Answer", "yes" } },
		});
}

/* /later and /stream are kept; everything else is answered at once. */
static void answer(void *owner, struct http_exchange *exchange)
{
	const char *path = http_path(exchange);
	size_t body_bytes;
	const char *body = http_body(exchange, &body_bytes);
	++*(unsigned *)owner;
	if (strcmp(path, "/later") == 0) {
		kept = exchange;
	} else if (strcmp(path, "/stream") == 0) {
		kept = exchange;
		http_stream(exchange, &(struct http_answer){ .status = 200, .content_type = "text/event-stream" });
	} else if (strcmp(path, "/large") == 0) {
		memset(large, 'x', sizeof(large));
		answer_text(exchange, 200, large, sizeof(large));
	} else if (strcmp(path, "/echo") == 0) {
		answer_text(exchange, 200, body, body_bytes);
	} else if (strcmp(path, "/healthz") == 0) {
		answer_text(exchange, 200, "ok\n", 3);
	} else {
		answer_text(exchange, 404, "not found\n", 10);
	}
}

static void note_end(void *owner, struct http_exchange *exchange)
{
	(void)owner;
	over_count++;
	if (kept == exchange)
		kept = NULL;
}

static struct http *open_server(uint16_t port, struct why *why)
{
	return http_open(
		&(struct http_options){
			.port = port,
			.connections_max = CONNECTIONS_MAX,
			.body_bytes_max = BODY_MAX,
			.request_limit_ms = REQUEST_LIMIT_MS,
			.request = answer,
			.over = note_end,
			.owner = &answer_count,
		},
		why);
}

static void set_up(void)
{
	struct why why = { 0 };
	signal(SIGPIPE, SIG_IGN);
	answer_count = over_count = 0;
	kept = NULL;
	http = open_server(0, &why);
	ck_assert_msg(http != NULL, "%s", why.text);
}

static void tear_down(void)
{
	http_close(http);
}

START_TEST(paths_are_answered)
{
	struct client client;
	ask(&client, http, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_ptr_eq(strstr(client.response, "HTTP/1.1 200 OK\r\n"), client.response);
	ck_assert_ptr_nonnull(strstr(client.response, "Content-Type: text/plain"));
	ck_assert_ptr_nonnull(strstr(client.response, "\r\n\r\nok\n"));
	ck_assert_ptr_nonnull(strstr(client.response, "X-Answer: yes\r\n"));
	ask(&client, http, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_ptr_eq(strstr(client.response, "HTTP/1.1 404 "), client.response);
	ck_assert_ptr_nonnull(strstr(client.response, "\r\n\r\nnot found\n"));
	ck_assert_uint_eq(answer_count, 2);
	ck_assert_uint_eq(over_count, 2);
}
END_TEST

START_TEST(a_connection_serves_many_requests)
{
	struct client client;
	connect_client(&client, http);
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
	connect_client(&client, http);
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
	connect_client(&client, http);
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
	ask(&client, http, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_uint_gt(client.length, 50000);
	ck_assert_int_eq(client.response[client.length - 1], 'x');
}
END_TEST

START_TEST(a_body_is_gathered)
{
	struct client client;
	ask(&client, http, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
	ck_assert_ptr_nonnull(strstr(client.response, "\r\n\r\nhello"));
	ask(&client, http,
		"PUT /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(client.response, "\r\n\r\nhello"));
	ck_assert_uint_eq(answer_count, 2);
}
END_TEST

/* Each would be one request to us and another to somebody in between. */
START_TEST(doubtful_framing_is_refused)
{
	static const struct {
		const char *head;
		const char *status;
	} rows[] = {
		{ "Host: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "400" },
		{ "Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400" },
		{ "Host: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400" },
		{ "Host: x\r\nHost: y\r\nContent-Length: 0\r\n\r\n", "400" },
		{ "Host: x\r\nContent-Length: +5\r\n\r\nhello", "400" },
		{ "Host: x\r\nContent-Length: 5,5\r\n\r\nhello", "400" },
		{ "Host: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "4" },
		{ "Host: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501" },
		{ "Host: x\r\nTransfer-Encoding: identity\r\n\r\n", "501" },
		{ "Host: x\r\nExpect: miracles\r\nContent-Length: 5\r\n\r\nhello", "417" },
		{ "Host: x\r\nContent-Length: 1001\r\n\r\n", "413" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct client client;
		char request[400], wanted[32];
		snprintf(request, sizeof(request), "POST /echo HTTP/1.1\r\n%s", rows[i].head);
		snprintf(wanted, sizeof(wanted), "HTTP/1.1 %s", rows[i].status);
		connect_client(&client, http);
		send_text(&client, request);
		wait_for_answer(&client, true);
		ck_assert_msg(strstr(client.response, wanted) == client.response, "%zu: %s", i, client.response);
		wait_for_close(&client, SECONDS(5)); /* what follows is no request */
		close(client.socket);
	}
	ck_assert_uint_eq(answer_count, 0);
	assert_alive(http);
}
END_TEST

START_TEST(a_chunked_body_that_is_too_large_is_refused)
{
	struct client client;
	char request[1400] = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n";
	size_t head = strlen(request);
	memset(request + head, 'x', 1001);
	memcpy(request + head + 1001, "\r\n0\r\n\r\n", 8);
	ask(&client, http, request);
	ck_assert_msg(strstr(client.response, "HTTP/1.1 413 ") == client.response, "%s", client.response);
	assert_alive(http);
}
END_TEST

START_TEST(bad_chunks_end_the_connection)
{
	static const char *const bodies[] = { "zz\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n",
		"fffffffffffffffff\r\nx", "5\r\nhelloworld\r\n0\r\n\r\n" };
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct client client;
		char request[200];
		snprintf(request, sizeof(request),
			"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%s", bodies[i]);
		connect_client(&client, http);
		send_text(&client, request);
		wait_for_close(&client, SECONDS(5));
		ck_assert_msg(strstr(client.response, "200 OK") == NULL, "%zu: %s", i, client.response);
		close(client.socket);
		assert_alive(http);
	}
}
END_TEST

START_TEST(an_answer_may_come_later)
{
	struct client client, other;
	connect_client(&client, http);
	send_text(&client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	while (kept == NULL)
		turn(&client);
	ask(&other, http, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(other.response, "200 OK"));
	answer_text(kept, 201, "late", 4);
	wait_for_answer(&client, true);
	ck_assert_ptr_nonnull(strstr(client.response, "HTTP/1.1 201 "));
	ck_assert_ptr_nonnull(strstr(client.response, "\r\n\r\nlate"));
	ck_assert_ptr_null(strcasestr(client.response, "Connection: close"));
	ck_assert_ptr_null(kept);
	close(client.socket);
}
END_TEST

START_TEST(a_waiting_exchange_does_not_hold_up_the_end)
{
	struct client client;
	connect_client(&client, http);
	send_text(&client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	while (kept == NULL)
		turn(&client);
	http_close(http);
	ck_assert_ptr_null(kept);
	ck_assert_uint_eq(over_count, 1);
	close(client.socket);
	struct why why = { 0 };
	http = open_server(0, &why);
}
END_TEST

START_TEST(a_stream_goes_on)
{
	struct client client;
	connect_client(&client, http);
	send_text(&client, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	int64_t deadline_ms = clock_steady_ms() + SECONDS(5);
	for (int i = 0; i < 100; i++) {
		char event[32];
		while (kept == NULL)
			turn(&client);
		snprintf(event, sizeof(event), "data: %d\n\n", i);
		ck_assert(http_stream_add(kept, event, strlen(event)));
		while (strstr(client.response, event) == NULL) {
			ck_assert_int_lt(clock_steady_ms(), deadline_ms);
			turn(&client);
		}
	}
	http_stream_end(kept);
	while (kept != NULL)
		turn(&client);
	ck_assert_ptr_nonnull(strstr(client.response, "text/event-stream"));
	close(client.socket);
}
END_TEST

START_TEST(a_slow_reader_loses_his_stream)
{
	struct client client;
	int receive_bytes = 4096;
	connect_client(&client, http);
	setsockopt(client.socket, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
	send_text(&client, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	while (kept == NULL)
		turn(&client);
	int64_t deadline_ms = clock_steady_ms() + SECONDS(10);
	size_t added_bytes = 0;
	while (kept != NULL) { /* nobody reads: the sockets' buffers fill, then ours */
		ck_assert_int_lt(clock_steady_ms(), deadline_ms);
		added_bytes += http_stream_add(kept, large, sizeof(large)) ? sizeof(large) : 0;
		http_serve(http);
	}
	ck_assert_uint_lt(added_bytes, SOCKETS_BYTES + HTTP_STREAM_BYTES_MAX);
	close(client.socket);
	assert_alive(http);
}
END_TEST

START_TEST(a_client_that_leaves_ends_his_stream)
{
	struct client client, other;
	connect_client(&client, http);
	send_text(&client, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	while (kept == NULL)
		turn(&client);
	close(client.socket);
	int64_t deadline_ms = clock_steady_ms() + SECONDS(5);
	while (kept != NULL) {
		ck_assert_int_lt(clock_steady_ms(), deadline_ms);
		http_stream_add(kept, ":\n\n", 3);
		ask(&other, http, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	}
}
END_TEST

START_TEST(parameters_are_decoded)
{
	struct client client;
	connect_client(&client, http);
	send_text(&client, "GET /later?group=O%2B&empty=&other=1 HTTP/1.1\r\nHost: x\r\nPrefer: wait=5\r\n\r\n");
	while (kept == NULL)
		turn(&client);
	ck_assert_str_eq(http_parameter(kept, "group"), "O+");
	ck_assert_ptr_null(http_parameter(kept, "absent"));
	ck_assert_str_eq(http_header(kept, "prefer"), "wait=5");
	ck_assert_str_eq(http_unknown_parameter(kept, (const char *const[]){ "group", "empty", NULL }), "other");
	ck_assert_ptr_null(http_unknown_parameter(kept,
		(const char *const[]){ "other", "group", "empty", NULL }));
	answer_text(kept, 200, "", 0);
	wait_for_answer(&client, true);
	close(client.socket);
}
END_TEST

START_TEST(nonsense_does_not_stop_the_server)
{
	static const char *const requests[] = { "nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
		"\x16\x03\x01\x02\r\n\r\n", "GET /%00%zz HTTP/1.1\r\nHost\r\n\r\n" };
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct client client;
		connect_client(&client, http);
		send_text(&client, requests[i]);
		shutdown(client.socket, SHUT_WR);
		wait_for_close(&client, SECONDS(5));
		close(client.socket);
		assert_alive(http);
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
	connect_client(&client, http);
	send_text(&client, request);
	wait_for_close(&client, SECONDS(5));
	ck_assert_uint_eq(answer_count, 0);
	close(client.socket);
	assert_alive(http);
}
END_TEST

START_TEST(connections_are_limited)
{
	static struct client clients[CONNECTIONS_MAX + 1];
	for (int i = 0; i < CONNECTIONS_MAX; i++) {
		connect_client(&clients[i], http);
		send_text(&clients[i], "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
		wait_for_answer(&clients[i], true);
		ck_assert(!clients[i].is_closed);
	}
	struct client *last = &clients[CONNECTIONS_MAX];
	connect_client(last, http);
	send_text(last, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	for (int i = 0; i < 10; i++)
		turn(last);
	ck_assert_uint_eq(answer_count, CONNECTIONS_MAX);
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		close(clients[i].socket);
	if (last->is_closed) {
		close(last->socket);
		connect_client(last, http);
		send_text(last, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	wait_for_answer(last, true);
	ck_assert_ptr_nonnull(strstr(last->response, "200 OK"));
	close(last->socket);
}
END_TEST

START_TEST(an_unfinished_request_is_closed)
{
	struct client client;
	connect_client(&client, http);
	send_text(&client, "GET /healthz HT");
	wait_for_close(&client, SECONDS(5));
	close(client.socket);
}
END_TEST

/* A byte now and then keeps no connection open. */
START_TEST(a_request_that_never_ends_is_closed)
{
	static const char *const heads[] = { "GET /healthz HTTP/1.1\r\nHost: x\r\nX: ",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n" };
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct client client;
		connect_client(&client, http);
		send_text(&client, heads[i]);
		int64_t deadline_ms = clock_steady_ms() + SECONDS(8);
		while (!client.is_closed) {
			ck_assert_int_lt(clock_steady_ms(), deadline_ms);
			send(client.socket, "x", 1, MSG_NOSIGNAL);
			struct pollfd nothing = { .fd = -1 };
			poll(&nothing, 1, 20); /* far fewer bytes than the body wants */
			turn(&client);
		}
		close(client.socket);
		assert_alive(http);
	}
	ck_assert_uint_eq(answer_count, 2); /* both are assert_alive's */
}
END_TEST

START_TEST(serving_never_waits)
{
	struct client client;
	connect_client(&client, http);
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
	ck_assert_ptr_null(open_server(http_port(http), &why));
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
	connect_client(&client, http);
	send_text(&client, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for_answer(&client, true);
	http_close(http);
	http = open_server(port, &why);
	ck_assert_msg(http != NULL, "%s", why.text);
	close(client.socket);
	assert_alive(http);
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
	tcase_add_test(test_case, a_body_is_gathered);
	tcase_add_test(test_case, doubtful_framing_is_refused);
	tcase_add_test(test_case, a_chunked_body_that_is_too_large_is_refused);
	tcase_add_test(test_case, bad_chunks_end_the_connection);
	tcase_add_test(test_case, an_answer_may_come_later);
	tcase_add_test(test_case, a_waiting_exchange_does_not_hold_up_the_end);
	tcase_add_test(test_case, a_stream_goes_on);
	tcase_add_test(test_case, a_slow_reader_loses_his_stream);
	tcase_add_test(test_case, a_client_that_leaves_ends_his_stream);
	tcase_add_test(test_case, parameters_are_decoded);
	tcase_add_test(test_case, nonsense_does_not_stop_the_server);
	tcase_add_test(test_case, a_head_that_is_too_long_is_refused);
	tcase_add_test(test_case, connections_are_limited);
	tcase_add_test(test_case, an_unfinished_request_is_closed);
	tcase_add_test(test_case, a_request_that_never_ends_is_closed);
	tcase_add_test(test_case, serving_never_waits);
	tcase_add_test(test_case, a_port_that_is_taken);
	tcase_add_test(test_case, a_restart_gets_the_same_port);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
