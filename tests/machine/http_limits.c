/* What many or greedy clients can take from the HTTP server: time, memory, places. */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "http_client.h"
#include "run.h"

enum {
	CONNECTIONS_MAX = 8,
	BODY_MAX = 4000,
	BODIES_MAX = 10000,
	STREAMS_MAX = 300000,
	REQUEST_LIMIT_MS = 5000,
	PIPELINED = 50000,
	LARGE = 64 * 1024,
};

#define GET(target) "GET " target " HTTP/1.1\r\nHost: x\r\n\r\n"

static struct http *http;
static unsigned answer_count, over_count, stream_count, admitted_count;
static struct http_exchange *kept, *streams[CONNECTIONS_MAX];
static char large[LARGE];

static void answer_text(struct http_exchange *exchange, unsigned status, const char *text)
{
	http_answer(exchange,
		&(struct http_answer){
			.status = status, .content_type = "text/plain", .body = text, .body_bytes = strlen(text) });
}

static void admit(void *owner, struct http_exchange *exchange)
{
	(void)owner;
	admitted_count++;
	if (http_header(exchange, "Authorization") == NULL)
		answer_text(exchange, 401, "who are you?");
}

static void answer(void *owner, struct http_exchange *exchange)
{
	(void)owner;
	answer_count++;
	if (strcmp(http_path(exchange), "/later") == 0) {
		kept = exchange;
	} else if (strcmp(http_path(exchange), "/stream") == 0) {
		streams[stream_count++ % CONNECTIONS_MAX] = exchange;
		http_stream(exchange, &(struct http_answer){ .status = 200, .content_type = "text/event-stream" });
	} else if (strcmp(http_path(exchange), "/static") == 0) {
		http_answer(exchange,
			&(struct http_answer){ .status = 200,
				.content_type = "text/plain",
				.body = large,
				.body_bytes = LARGE,
				.is_static = true });
	} else {
		answer_text(exchange, 200, "ok");
	}
}

static void note_end(void *owner, struct http_exchange *exchange)
{
	(void)owner;
	over_count++;
	if (kept == exchange)
		kept = NULL;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (streams[i] == exchange)
			streams[i] = NULL;
}

static void set_up(void)
{
	struct why why = { 0 };
	signal(SIGPIPE, SIG_IGN);
	answer_count = over_count = stream_count = admitted_count = 0;
	kept = NULL;
	memset(large, 'x', sizeof(large));
	http = http_open(
		&(struct http_options){
			.connections_max = CONNECTIONS_MAX,
			.body_bytes_max = BODY_MAX,
			.bodies_bytes_max = BODIES_MAX,
			.streams_bytes_max = STREAMS_MAX,
			.request_limit_ms = REQUEST_LIMIT_MS,
			.admit = admit,
			.request = answer,
			.over = note_end,
		},
		&why);
	ck_assert_msg(http != NULL, "%s", why.text);
}

static void tear_down(void)
{
	http_close(http);
}

/* Sends what the socket takes. */
static size_t send_some(const struct client *client, const char *bytes, size_t length)
{
	ssize_t sent = send(client->socket, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sent < 0 ? 0 : (size_t)sent;
}

/* Whether the server's descriptor told of something, or something is pending: else the requests it still has would wait. */
static bool is_told(const struct client *client)
{
	struct pollfd poller = { .fd = http_socket(client->http), .events = POLLIN };
	return http_has_pending(client->http) || poll(&poller, 1, 200) > 0;
}

/* All are answered without a pause, and nobody else waits for it. */
START_TEST(many_requests_at_once)
{
	static struct client greedy, other;
	static const char request[] = GET("/a");
	size_t length = strlen(request) * PIPELINED, sent = 0;
	char *requests = malloc(length + 1);
	ck_assert_ptr_nonnull(requests);
	for (size_t i = 0; i < PIPELINED; i++)
		memcpy(requests + i * strlen(request), request, strlen(request) + 1);
	connect_client(&greedy, http);
	connect_client(&other, http);
	int64_t longest_ms = 0;
	bool was_pending = false;
	while (answer_count < PIPELINED) {
		sent += send_some(&greedy, requests + sent, length - sent);
		ck_assert_msg(is_told(&greedy), "%u answered, and it pauses", answer_count);
		int64_t before_ms = clock_steady_ms();
		http_serve(http);
		was_pending |= http_has_pending(http);
		if (clock_steady_ms() - before_ms > longest_ms)
			longest_ms = clock_steady_ms() - before_ms;
		while (recv(greedy.socket, greedy.response, sizeof(greedy.response), MSG_DONTWAIT) > 0)
			;
	}
	ck_assert_int_lt(longest_ms, 500);
	ck_assert(was_pending);
	send_text(&other, request);
	wait_for_answer(&other, true);
	ck_assert_ptr_nonnull(strstr(other.response, "200 OK"));
	free(requests);
	close(greedy.socket);
	close(other.socket);
}
END_TEST

static void begin_upload(struct client *client, size_t announced, size_t sent)
{
	char request[300 + BODY_MAX];
	int head = snprintf(request, sizeof(request),
		"POST /a HTTP/1.1\r\nHost: x\r\nAuthorization: me\r\nContent-Length: %zu\r\n\r\n", announced);
	memset(request + head, 'x', sent);
	connect_client(client, http);
	send_bytes(client, request, (size_t)head + sent);
	for (int i = 0; i < 3; i++)
		turn(client);
}

/* Bodies that are not whole yet are held in memory: all together no more than so much. */
START_TEST(bodies_have_a_limit_together)
{
	static struct client clients[4];
	for (int i = 0; i < 4; i++)
		begin_upload(&clients[i], BODY_MAX, BODY_MAX - 1);
	for (int i = 0; i < 4; i++) {
		bool is_refused = BODY_MAX * (i + 1) > BODIES_MAX;
		send_text(&clients[i], "x");
		wait_for_answer(&clients[i], true);
		ck_assert_msg(strstr(clients[i].response, is_refused ? " 503 " : " 200 ") != NULL, "%d: %s", i,
			clients[i].response);
	}
	send_text(&clients[3],
		"POST /a HTTP/1.1\r\nHost: x\r\nAuthorization: me\r\nContent-Length: 3\r\n\r\nabc");
	wait_for_answer(&clients[3], true);
	ck_assert_ptr_nonnull(strstr(clients[3].response, " 200 "));
	for (int i = 0; i < 4; i++)
		close(clients[i].socket);
}
END_TEST

/* Left unfinished, they give their room back. */
START_TEST(unfinished_bodies_give_their_room_back)
{
	struct client client;
	for (int i = 0; i < 12; i++) {
		begin_upload(&client, BODY_MAX, BODY_MAX - 1);
		close(client.socket);
	}
	for (int i = 0; i < 5; i++)
		http_serve(http);
	begin_upload(&client, BODY_MAX, BODY_MAX - 1);
	send_text(&client, "x");
	wait_for_answer(&client, true);
	ck_assert_ptr_nonnull(strstr(client.response, " 200 "));
	close(client.socket);
}
END_TEST

/* Who may not come in has no body kept; his connection goes on, so that the answer can be read. */
START_TEST(a_stranger_sends_in_vain)
{
	struct client client;
	static char request[200 + BODY_MAX];
	int head = snprintf(request, sizeof(request), "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
		BODY_MAX);
	memset(request + head, 'x', BODY_MAX);
	connect_client(&client, http);
	for (int i = 0; i < 3; i++) {
		send_bytes(&client, request, (size_t)head + BODY_MAX);
		wait_for_answer(&client, true);
		ck_assert_ptr_nonnull(strstr(client.response, "HTTP/1.1 401 "));
		ck_assert_ptr_null(strcasestr(client.response, "Connection: close"));
	}
	ck_assert_uint_eq(admitted_count, 3);
	ck_assert_uint_eq(answer_count + over_count, 0);
	send_text(&client, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
	wait_for_answer(&client, true);
	ck_assert_ptr_eq(strstr(client.response, "HTTP/1.1 401 "), client.response); /* no 100 before it */
	wait_for_close(&client, SECONDS(5));
	close(client.socket);
	connect_client(&client, http);
	send_text(&client, "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
	memmove(request, "fa0\r\n", 5); /* 4000 bytes */
	memset(request + 5, 'x', BODY_MAX);
	memcpy(request + 5 + BODY_MAX, "\r\n", 2);
	for (int i = 0; i < 6 && !client.is_closed; i++) { /* without end: until it is too much */
		send_some(&client, request, BODY_MAX + 7);
		turn(&client);
	}
	wait_for_close(&client, SECONDS(2));
	ck_assert_uint_eq(answer_count, 0);
	close(client.socket);
}
END_TEST

/* Of a chunk's line, or of what follows the last one, the end never comes: no time is wasted on it, also not for a stranger. */
START_TEST(lines_of_chunks_that_do_not_end)
{
	static const char *const heads[] = { "Authorization: me\r\n\r\n5;",
		"Authorization: me\r\n\r\n2\r\nab\r\n5;", "Authorization: me\r\n\r\n2\r\nab\r\n0\r\nX: ", "\r\n5;" };
	enum { HEADS = sizeof(heads) / sizeof(heads[0]) };
	static struct client clients[HEADS];
	for (size_t i = 0; i < HEADS; i++) {
		connect_client(&clients[i], http);
		send_text(&clients[i], "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n");
		send_text(&clients[i], heads[i]);
		send_some(&clients[i], large, sizeof(large));
	}
	for (size_t i = 0; i < HEADS; i++) {
		wait_for_close(&clients[i], REQUEST_LIMIT_MS - 1000);
		ck_assert_ptr_null(strstr(clients[i].response, "200 OK"));
		close(clients[i].socket);
	}
	ck_assert_uint_eq(answer_count, 0);
}
END_TEST

/* Each part has its time: a body that comes slowly, but comes, is taken. */
START_TEST(slow_chunks_are_taken)
{
	static struct client client;
	struct pollfd nothing = { .fd = -1 };
	connect_client(&client, http);
	send_text(&client,
		"POST /a HTTP/1.1\r\nHost: x\r\nAuthorization: me\r\nTransfer-Encoding: chunked\r\n\r\n");
	int64_t begun_ms = clock_steady_ms();
	while (clock_steady_ms() - begun_ms < HTTP_PART_LIMIT_MS + 1000) {
		send_text(&client, "1\r\nx\r\n");
		poll(&nothing, 1, 200);
		turn(&client);
	}
	send_text(&client, "0\r\n\r\n");
	wait_for_answer(&client, true);
	ck_assert_ptr_nonnull(strstr(client.response, "200 OK"));
	close(client.socket);
}
END_TEST

START_TEST(strangers_take_no_room)
{
	static struct client strangers[4], client;
	static char request[200 + BODY_MAX];
	int head = snprintf(request, sizeof(request), "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
		BODY_MAX);
	memset(request + head, 'x', BODY_MAX);
	for (int i = 0; i < 4; i++) {
		connect_client(&strangers[i], http);
		send_bytes(&strangers[i], request, (size_t)head + BODY_MAX - 1);
		for (int turns = 0; turns < 3; turns++)
			turn(&strangers[i]);
	}
	begin_upload(&client, BODY_MAX, BODY_MAX - 1);
	send_text(&client, "x");
	wait_for_answer(&client, true);
	ck_assert_ptr_nonnull(strstr(client.response, " 200 "));
	for (int i = 0; i < 4; i++)
		close(strangers[i].socket);
	close(client.socket);
}
END_TEST

/* While all places are taken, who does nothing goes long before his time, and who works or listens stays. */
START_TEST(idle_clients_make_room)
{
	static struct client idle[CONNECTIONS_MAX - 2], waiting, listening, next;
	connect_client(&waiting, http);
	send_text(&waiting, GET("/later"));
	connect_client(&listening, http);
	send_text(&listening, GET("/stream"));
	while (kept == NULL || stream_count == 0)
		turn(&waiting);
	for (int i = 0; i < CONNECTIONS_MAX - 2; i++)
		connect_client(&idle[i], http);
	connect_client(&next, http);
	send_text(&next, GET("/a"));
	int64_t begun_ms = clock_steady_ms();
	wait_for_answer(&next, true);
	ck_assert_ptr_nonnull(strstr(next.response, "200 OK"));
	ck_assert_int_lt(clock_steady_ms() - begun_ms, REQUEST_LIMIT_MS - 1000);
	ck_assert_ptr_nonnull(kept);
	ck_assert_ptr_nonnull(streams[0]);
	for (int i = 0; i < CONNECTIONS_MAX - 2; i++)
		close(idle[i].socket);
	close(waiting.socket);
	close(listening.socket);
	close(next.socket);
}
END_TEST

/* Nothing is written to the stream: its end is seen all the same. */
START_TEST(a_reader_that_left_is_noticed)
{
	struct client client, other;
	for (int is_reset = 0; is_reset < 2; is_reset++) {
		connect_client(&client, http);
		send_text(&client, GET("/stream"));
		wait_for_answer(&client, false);
		if (is_reset) {
			struct linger at_once = { .l_onoff = 1 };
			setsockopt(client.socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		}
		close(client.socket);
		connect_client(&other, http);
		int64_t deadline_ms = clock_steady_ms() + SECONDS(5);
		while (over_count == (unsigned)is_reset) {
			ck_assert_int_lt(clock_steady_ms(), deadline_ms);
			turn(&other);
		}
		close(other.socket);
	}
}
END_TEST

/* All together hold no more than so much: of those that have something waiting, the next that gets more has to go. */
START_TEST(streams_have_a_limit_together)
{
	static struct client clients[6];
	for (unsigned i = 0; i < 6; i++) {
		connect_client(&clients[i], http);
		send_text(&clients[i], GET("/stream"));
		while (stream_count <= i)
			turn(&clients[i]);
	}
	for (int i = 0; i < 5; i++) /* the fifth is above the limit, but has nothing waiting */
		ck_assert(http_stream_add(streams[i], large, LARGE));
	ck_assert(!http_stream_add(streams[0], large, LARGE));
	ck_assert(http_stream_add(streams[5], large, LARGE));
	wait_for_close(&clients[0], SECONDS(5));
	ck_assert_ptr_null(streams[0]);
	for (int i = 1; i < 6; i++) {
		int64_t deadline_ms = clock_steady_ms() + SECONDS(5);
		for (size_t got = 0; got < LARGE; got += clients[i].length) {
			ck_assert_int_lt(clock_steady_ms(), deadline_ms);
			clients[i].length = 0;
			turn(&clients[i]);
		}
		ck_assert(http_stream_add(streams[i], "x", 1));
		ck_assert(http_stream_add(streams[i], "x", 1));
	}
	for (int i = 0; i < 6; i++)
		close(clients[i].socket);
}
END_TEST

/* The library ends the process when it is stopped while a connection is suspended: a request that came just now must not be. */
START_TEST(a_request_comes_in_at_the_end)
{
	struct client waiting, late[3];
	connect_client(&waiting, http);
	send_text(&waiting, GET("/later"));
	while (kept == NULL)
		turn(&waiting);
	connect_client(&late[0], http);
	http_serve(http);
	for (int i = 0; i < 3; i++) {
		if (i > 0) /* not even accepted yet */
			connect_client(&late[i], http);
		send_text(&late[i], GET("/later"));
	}
	http_close(http);
	ck_assert_uint_eq(over_count, answer_count);
	for (int i = 0; i < 3; i++)
		close(late[i].socket);
	close(waiting.socket);
	set_up();
}
END_TEST

START_TEST(a_static_answer)
{
	struct client client;
	ask(&client, http, GET("/static"));
	ck_assert_uint_gt(client.length, LARGE - 1000);
	ck_assert_ptr_nonnull(strstr(client.response, "\r\n\r\nxxxx"));
}
END_TEST

/* Time for a request begins with it: who was silent for long is not cut in the middle of one. */
START_TEST(silence_is_not_counted)
{
	struct client client;
	struct pollfd nothing = { .fd = -1 };
	connect_client(&client, http);
	int64_t begun_ms = clock_steady_ms();
	while (clock_steady_ms() - begun_ms < REQUEST_LIMIT_MS - 1000) {
		poll(&nothing, 1, 50);
		http_serve(http);
	}
	send_text(&client, "POST /a HTTP/1.1\r\nHost: x\r\nAuthorization: me\r\nContent-Length: 3\r\n\r\nab");
	while (clock_steady_ms() - begun_ms < REQUEST_LIMIT_MS + 1500)
		turn(&client);
	ck_assert(!client.is_closed);
	send_text(&client, "c");
	wait_for_answer(&client, true);
	ck_assert_ptr_nonnull(strstr(client.response, "200 OK"));
	close(client.socket);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_limits");
	TCase *test_case = tcase_create("http_limits");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_set_timeout(test_case, 60);
	tcase_add_test(test_case, many_requests_at_once);
	tcase_add_test(test_case, bodies_have_a_limit_together);
	tcase_add_test(test_case, unfinished_bodies_give_their_room_back);
	tcase_add_test(test_case, a_stranger_sends_in_vain);
	tcase_add_test(test_case, lines_of_chunks_that_do_not_end);
	tcase_add_test(test_case, slow_chunks_are_taken);
	tcase_add_test(test_case, strangers_take_no_room);
	tcase_add_test(test_case, idle_clients_make_room);
	tcase_add_test(test_case, a_reader_that_left_is_noticed);
	tcase_add_test(test_case, streams_have_a_limit_together);
	tcase_add_test(test_case, a_request_comes_in_at_the_end);
	tcase_add_test(test_case, a_static_answer);
	tcase_add_test(test_case, silence_is_not_counted);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
