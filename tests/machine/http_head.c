/* Heads of requests that somebody between might read otherwise than we: each is refused, and what follows is not read. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "http_client.h"
#include "run.h"

enum { BODY_MAX = 1000 };

#define GET(target) "GET " target " HTTP/1.1\r\nHost: x\r\n\r\n"
#define WITH(headers) "POST /a HTTP/1.1\r\nHost: x\r\n" headers "\r\n"

static struct http *http;
static unsigned answer_count;
static char headers_seen[100];

/* Says what it was asked. */
static void answer(void *owner, struct http_exchange *exchange)
{
	char text[300];
	size_t body_bytes;
	const char *body = http_body(exchange, &body_bytes), *parameter = http_parameter(exchange, "q");
	(void)owner;
	answer_count++;
	headers_seen[0] = '\0';
	for (unsigned i = 0; http_nth_header(exchange, "Prefer", i) != NULL; i++)
		strncat(headers_seen, http_nth_header(exchange, "Prefer", i), 30);
	snprintf(text, sizeof(text), "[%s %.100s q=%.50s %.*s]", http_method(exchange), http_path(exchange),
		parameter == NULL ? "" : parameter, (int)body_bytes, body);
	http_answer(exchange,
		&(struct http_answer){
			.status = 200, .content_type = "text/plain", .body = text, .body_bytes = strlen(text) });
}

static void set_up(void)
{
	struct why why = { 0 };
	signal(SIGPIPE, SIG_IGN);
	answer_count = 0;
	http = http_open(&(struct http_options){ .connections_max = 8,
						 .body_bytes_max = BODY_MAX,
						 .request = answer },
		&why);
	ck_assert_msg(http != NULL, "%s", why.text);
}

static void tear_down(void)
{
	http_close(http);
}

static void assert_refused(const char *request, const char *status)
{
	struct client client;
	char wanted[32];
	unsigned before = answer_count;
	snprintf(wanted, sizeof(wanted), "HTTP/1.1 %s ", status);
	connect_client(&client, http);
	send_text(&client, request);
	send_text(&client, GET("/smuggled"));
	wait_for_answer(&client, true);
	ck_assert_msg(strstr(client.response, wanted) == client.response, "%s gets %s", request, client.response);
	wait_for_close(&client, SECONDS(5));
	ck_assert_msg(answer_count == before, "%s was taken", request);
	close(client.socket);
}

static void assert_taken(const char *request, const char *answer_wanted)
{
	struct client client;
	ask(&client, http, request);
	ck_assert_msg(strstr(client.response, answer_wanted) != NULL, "%s gets %s", request, client.response);
}

START_TEST(targets)
{
	static const struct {
		const char *request, *answer;
	} taken[] = {
		{ GET("/a/b"), "[GET /a/b q= ]" },
		{ GET("/a%20b"), "[GET /a b q= ]" },
		{ GET("/a?q=x%2Fy"), "[GET /a q=x/y ]" },
		{ GET("/a?q=x%5cy"), "[GET /a q=x\\y ]" },
		{ GET("/a?q=O%2B"), "[GET /a q=O+ ]" },
		{ GET("/a?q"), "[GET /a q= ]" },
		{ GET("http://host:80/a/b?q=1"), "[GET /a/b q=1 ]" },
		{ GET("HTTP://host"), "[GET / q= ]" },
		{ "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "[OPTIONS * q= ]" },
		{ "CONNECT host:80 HTTP/1.1\r\nHost: x\r\n\r\n", "[CONNECT host:80 q= ]" },
		{ "GET /a HTTP/1.0\r\n\r\n", "[GET /a q= ]" },
	};
	static const char *const refused[] = { GET("/a%00b"), GET("/a%2Fb"), GET("/a%2fb"), GET("/a%5Cb"),
		GET("/a\\b"), GET("/a?q=%00"), GET("/a%"), GET("/a%4"), GET("/a%zz"), GET("/a b"), GET("/a#b"),
		GET("/a\x01"), GET("/\x7f"), GET("/\xc3\xa4"), GET("/a?q=1&q=2"), GET("/a?q=1&Q=2") };
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		assert_taken(taken[i].request, taken[i].answer);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_refused(refused[i], "400");
}
END_TEST

START_TEST(headers)
{
	static const struct {
		const char *request, *status;
	} refused[] = {
		{ "GET /a HTTP/1.1\r\n\r\n", "400" }, /* no Host */
		{ WITH("Authorization: Bearer a\r\nauthorization: Bearer b\r\n"), "400" },
		{ WITH("Idempotency-Key: a\r\nIdempotency-Key: a\r\n"), "400" },
		{ WITH("Content-Type: a/b\r\nContent-Type: c/d\r\n"), "400" },
		{ WITH("Expect: 100-continue\r\nExpect: 100-continue\r\n"), "400" },
		{ WITH("Content-Length : 5\r\n"), "400" },
		{ WITH(" Content-Length: 5\r\n"), "400" }, /* a continued line */
		{ WITH("A: b\r\n\tContent-Length: 5\r\n"), "400" },
		{ WITH("A(b): c\r\n"), "400" },
		{ WITH("Transfer-Encoding: \x0b"
			   "chunked\r\n"),
			"501" },
		{ WITH("Transfer-Encoding: chunked, chunked\r\n"), "501" },
		{ "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400" },
		{ "POST /a HTTP/2.0\r\nHost: x\r\n\r\n", "505" },
	};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_refused(refused[i].request, refused[i].status);
	assert_taken(WITH("Content-Length: 5\r\nX: a\r\nX: b\r\n") "hello", "[POST /a q= hello]");
	assert_taken(WITH("Content-Length:\t5\r\n") "hello", "[POST /a q= hello]");
	assert_taken(WITH("Prefer: one\r\nX: y\r\nprefer: two\r\n"), "[POST /a q= ]");
	ck_assert_str_eq(headers_seen, "onetwo");
}
END_TEST

/* What is behind a body is the next request, and only what is behind it. */
START_TEST(bodies_end_where_they_say)
{
	struct client client;
	connect_client(&client, http);
	send_text(&client,
		WITH("Transfer-Encoding: chunked\r\n") "5\r\nhello\r\n0\r\nAuthorization: Bearer a\r\n\r\n");
	wait_for_answer(&client, true);
	ck_assert_ptr_nonnull(strstr(client.response, "[POST /a q= hello]"));
	send_text(&client, "GET /b HTTP/1.1\r\nHost: x\r\nContent-Length: 18\r\n\r\nGET /c HTTP/1.1\r\n\r\n");
	wait_for_answer(&client, true);
	ck_assert_ptr_nonnull(strstr(client.response, "[GET /b q= GET /c"));
	send_text(&client, GET("/d"));
	wait_for_answer(&client, true);
	ck_assert_ptr_nonnull(strstr(client.response, "[GET /d q= ]"));
	ck_assert_uint_eq(answer_count, 3);
	close(client.socket);
}
END_TEST

START_TEST(too_many_parameters)
{
	char request[1000] = "GET /a?q=1";
	for (int i = 0; i < 31; i++)
		snprintf(request + strlen(request), sizeof(request) - strlen(request), "&p%d=", i);
	snprintf(request + strlen(request), sizeof(request) - strlen(request), " HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_taken(request, "[GET /a q=1 ]");
	request[9] = '&'; /* "q&": one more */
	memmove(request + 11, request + 10, strlen(request) - 9);
	memcpy(request + 7, "q&r=", 4);
	assert_refused(request, "400");
}
END_TEST

/* Near the limit of the library's memory it could not write an answer any more: the request would be done, and nobody told. */
START_TEST(long_heads_are_answered)
{
	static char request[20000];
	for (size_t length = 7000; length < 15000; length += 500) {
		struct client client;
		int head = snprintf(request, sizeof(request), "GET /a HTTP/1.1\r\nHost: x\r\nA: ");
		memset(request + head, 'x', length - (size_t)head - 4);
		memcpy(request + length - 4, "\r\n\r\n", 5);
		ask(&client, http, request);
		const char *wanted = length <= HTTP_HEAD_BYTES_MAX ? "HTTP/1.1 200 " : "HTTP/1.1 431 ";
		ck_assert_msg(strstr(client.response, wanted) == client.response, "%zu bytes: %s", length,
			client.response);
	}
}
END_TEST

START_TEST(a_client_that_waits_is_told_to_go_on)
{
	struct client client;
	connect_client(&client, http);
	send_text(&client, WITH("Content-Length: 5\r\nExpect: 100-continue\r\n"));
	wait_for_answer(&client, false);
	ck_assert_str_eq(client.response, "HTTP/1.1 100 Continue\r\n\r\n");
	send_text(&client, "hello");
	wait_for_answer(&client, true);
	ck_assert_ptr_nonnull(strstr(client.response, "[POST /a q= hello]"));
	close(client.socket);
	assert_refused(WITH("Content-Length: 1001\r\nExpect: 100-continue\r\n"), "413");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_head");
	TCase *test_case = tcase_create("http_head");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_set_timeout(test_case, 60);
	tcase_add_test(test_case, targets);
	tcase_add_test(test_case, headers);
	tcase_add_test(test_case, bodies_end_where_they_say);
	tcase_add_test(test_case, too_many_parameters);
	tcase_add_test(test_case, long_heads_are_answered);
	tcase_add_test(test_case, a_client_that_waits_is_told_to_go_on);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
