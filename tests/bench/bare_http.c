/*
 * What a GET of a view costs at least: libmicrohttpd in one loop, and one HMGET for each request, pipelined over hiredis. It answers
 * the bytes that the bridge answers, to anybody, and ends at the first surprise. The bridge is measured against it.
 * Environment: HTTP_PORT, REDIS_URL, REDIS_USER, REDIS_PASSWORD. Says "ready" on stdout; ends with SIGTERM.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <hiredis/hiredis.h>
#include <microhttpd.h>

#include "setting.h"

enum {
	CONNECTIONS_MAX = 1024,
	CONNECTION_MEMORY_BYTES = 16 * 1024,
	INPUT_BYTES = 64 * 1024,
	SLICE_BYTES = 4 * 1024,
	KEY_BYTES = 160,
	IDLE_MS = 1000
};

static const char prefix[] = "/v1/blood-requests/";

/* A request: its view is asked for, it waits, it is answered. */
struct exchange {
	struct MHD_Connection *connection;
	struct MHD_Response *response; /* NULL until Redis answered */
	struct exchange *next;         /* in the order of the questions */
};

static volatile sig_atomic_t is_over;
static redisContext *store;
static struct MHD_Daemon *http;
static struct exchange *first, **last = &first; /* that wait for Redis */
static bool has_unsent;

static void end(int number)
{
	(void)number;
	is_over = 1;
}

static void connect_store(void)
{
	const char *port = strrchr(setting("REDIS_URL"), ':');
	store = redisConnect("127.0.0.1", port == NULL ? 0 : (int)strtol(port + 1, NULL, 10));
	if (store == NULL || store->err != 0)
		fail("redis: %s", store == NULL ? "out of memory" : store->errstr);
	redisReply *reply = redisCommand(store, "AUTH %s %s", setting("REDIS_USER"), setting("REDIS_PASSWORD"));
	if (reply == NULL || reply->type != REDIS_REPLY_STATUS)
		fail("redis: %s", reply == NULL ? store->errstr : reply->str);
	freeReplyObject(reply);
}

static void ask(struct exchange *exchange, const char *path)
{
	char key[KEY_BYTES];
	if (strncmp(path, prefix, sizeof(prefix) - 1) != 0)
		fail("there is no %s", path);
	snprintf(key, sizeof(key), "view:request:%s", path + sizeof(prefix) - 1);
	const char *words[] = { "HMGET", key, "version", "body" };
	if (redisAppendCommandArgv(store, 4, words, NULL) != REDIS_OK)
		fail("redis: %s", store->errstr);
	has_unsent = true;
	*last = exchange;
	last = &exchange->next;
}

/* Never answered in the first call: the library would then close the connection. */
static enum MHD_Result handle(void *owner, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_bytes, void **request)
{
	struct exchange *exchange = *request;
	(void)owner;
	(void)method;
	(void)version;
	(void)upload;
	(void)upload_bytes;
	if (exchange == NULL) {
		*request = exchange = calloc(1, sizeof(*exchange));
		if (exchange == NULL)
			fail("out of memory");
		exchange->connection = connection;
		return MHD_YES;
	}
	if (exchange->response != NULL)
		return MHD_queue_response(connection, MHD_HTTP_OK, exchange->response);
	ask(exchange, path);
	MHD_suspend_connection(connection);
	return MHD_YES;
}

static void complete(void *owner, struct MHD_Connection *connection, void **request,
	enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *request;
	(void)owner;
	(void)connection;
	(void)code;
	if (exchange != NULL && exchange->response != NULL)
		MHD_destroy_response(exchange->response);
	free(exchange);
	*request = NULL;
}

static void print_now(char out[40])
{
	struct timespec now;
	struct tm parts;
	clock_gettime(CLOCK_REALTIME, &now);
	size_t length = strftime(out, 40, "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &parts));
	snprintf(out + length, 40 - length, ".%06ldZ", now.tv_nsec / 1000);
}

static struct MHD_Response *make_response(const redisReply *version, const redisReply *body)
{
	char etag[32], as_of[40], tail[64];
	print_now(as_of);
	size_t kept = body->len - 1;
	size_t tail_bytes = (size_t)snprintf(tail, sizeof(tail), ",\"as_of\":\"%s\"}", as_of);
	char *text = malloc(kept + tail_bytes);
	if (text == NULL)
		fail("out of memory");
	memcpy(text, body->str, kept);
	memcpy(text + kept, tail, tail_bytes);
	snprintf(etag, sizeof(etag), "\"%s\"", version->str);
	struct MHD_Response *response =
		MHD_create_response_from_buffer(kept + tail_bytes, text, MHD_RESPMEM_MUST_FREE);
	MHD_add_response_header(response, "Content-Type", "application/json");
	MHD_add_response_header(response, "ETag", etag);
	MHD_add_response_header(response, "Cache-Control", "private, no-cache");
	return response;
}

static void answer_first(const redisReply *reply)
{
	struct exchange *exchange = first;
	if (exchange == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2
		|| reply->element[1]->type != REDIS_REPLY_STRING)
		fail("redis: an answer of type %d", reply->type);
	first = exchange->next;
	if (first == NULL)
		last = &first;
	exchange->response = make_response(reply->element[0], reply->element[1]);
	MHD_resume_connection(exchange->connection);
}

static void send_questions(void)
{
	int is_sent = 0;
	while (has_unsent) {
		if (redisBufferWrite(store, &is_sent) != REDIS_OK)
			fail("redis: %s", store->errstr);
		has_unsent = !is_sent;
	}
}

/* By the slice: for each answer that hiredis takes out it moves all that it was fed and that is left. */
static void take_answers(void)
{
	static char input[INPUT_BYTES];
	ssize_t got = recv(store->fd, input, sizeof(input), MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0)
		fail("redis: the connection is gone");
	for (ssize_t at = 0; at < got; at += SLICE_BYTES) {
		void *reply = NULL;
		redisReaderFeed(store->reader, input + at, (size_t)(got - at < SLICE_BYTES ? got - at : SLICE_BYTES));
		while (redisGetReplyFromReader(store, &reply) == REDIS_OK && reply != NULL) {
			answer_first(reply);
			freeReplyObject(reply);
		}
		if (store->err != 0)
			fail("redis: %s", store->errstr);
	}
}

static void run_http(void)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
	do
		if (MHD_run(http) != MHD_YES)
			fail("the HTTP server failed");
	while (MHD_get_timeout(http, &timeout_ms) == MHD_YES && timeout_ms == 0);
}

static int start_http(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtol(setting("HTTP_PORT"), NULL, 10)),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	http = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, NULL,
		MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_NOTIFY_COMPLETED,
		complete, NULL, MHD_OPTION_END);
	if (http == NULL)
		fail("cannot listen on port %s", setting("HTTP_PORT"));
	return MHD_get_daemon_info(http, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int main(void)
{
	struct sigaction action = { .sa_handler = end };
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	connect_store();
	struct pollfd fds[] = { { .fd = start_http(), .events = POLLIN }, { .fd = store->fd, .events = POLLIN } };
	puts("ready");
	fflush(stdout);
	while (!is_over) {
		poll(fds, 2, IDLE_MS);
		take_answers();
		run_http();
		send_questions();
	}
	MHD_stop_daemon(http);
	redisFree(store);
	return 0;
}
