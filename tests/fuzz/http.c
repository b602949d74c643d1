/*
 * libFuzzer: what comes in at the HTTP door, as raw bytes over a connection to the whole bridge, whose links to broker and Redis
 * are down. Whatever comes: answers are HTTP and refusals are problem+json, nothing is left over when the client is gone, and
 * the next client is served.
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "bridge.h"

enum { REQUEST_MAX = 60 * 1024, ANSWER_MAX = 256 * 1024, IDLE_ROUNDS = 3, ROUNDS_MAX = 50, TRIES_MAX = 100 };

static const char good_request[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

static struct bridge *bridge;

/* A file of tokens: one for everything, one for a hospital. */
static void write_tokens(char path[])
{
	static const char *const lines[][2] = { { "cb_fuzz", "fuzz admin * 0 -" },
		{ "cb_mine", "mine hospital hospital-001 0 -" } };
	char hash[SHA256_TEXT_BYTES];
	int file = mkstemp(path);
	if (file < 0)
		abort();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		sha256_text(lines[i][0], strlen(lines[i][0]), hash);
		dprintf(file, "%s %s\n", hash, lines[i][1]);
	}
	close(file);
}

static void start(void)
{
	static char path[] = "/tmp/fuzz-http-tokens-XXXXXX";
	struct why why = { 0 };
	bridge = calloc(1, sizeof(*bridge));
	if (bridge == NULL)
		abort();
	write_tokens(path);
	bridge->settings = (struct bridge_settings){ .amqp_url = "amqp://127.0.0.1:1/none",
		.amqp_user = "bridge",
		.amqp_password = "",
		.listener_user = "bridge-listener",
		.listener_password = "",
		.redis_url = "redis://127.0.0.1:1",
		.redis_user = "bridge",
		.redis_password = "",
		.instance = "1",
		.connections_max = 64,
		.cache_entries = 16,
		.cache_bytes = 1024 * 1024 };
	bridge->log = (struct log){ .worker = "bridge", .level = LOG_ERROR_LEVEL };
	bridge->calls.next_ms = INT64_MAX;
	bridge_make_metrics(bridge);
	callers_init(&bridge->callers, path);
	must(callers_refresh(&bridge->callers, &why), "the tokens are read");
	unlink(path);
	links_make(bridge);
	struct http_options options = bridge_http_options(bridge);
	bridge->http = http_open(&options, &why);
	must(bridge->http != NULL, "it listens");
}

/* -1: the fuzzer's alarm came between, or no port is free for a moment. */
static int try_to_connect(void)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(http_port(bridge->http)),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	/* a reset at the end, so that no port stays in use */
	const struct linger at_once = { .l_onoff = 1 };
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client < 0 || setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) != 0)
		abort();
	if (connect(client, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return client;
	close(client);
	return -1;
}

static int connect_client(void)
{
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		int client = try_to_connect();
		if (client >= 0)
			return client;
		http_serve(bridge->http);
	}
	perror("connecting");
	abort();
}

/* Serves and reads until nothing more comes; gives the number of bytes. */
static size_t read_answer(int client, char answer[static ANSWER_MAX])
{
	size_t length = 0;
	for (int round = 0, idle = 0; round < ROUNDS_MAX && idle < IDLE_ROUNDS; round++) {
		http_serve(bridge->http);
		ssize_t got = recv(client, answer + length, ANSWER_MAX - 1 - length, MSG_DONTWAIT);
		if (got == 0)
			break;
		idle = got > 0 || http_has_pending(bridge->http) ? 0 : idle + 1;
		length += got > 0 ? (size_t)got : 0;
	}
	answer[length] = '\0';
	return length;
}

/* That a stream's client is gone shows at a write. */
static void check_left(void)
{
	for (int round = 0; round < ROUNDS_MAX && (bridge->calls.count > 0 || bridge->streams.count > 0);
		 round++) {
		bridge->streams.heartbeat_ms = 0;
		streams_beat(bridge);
		http_serve(bridge->http);
	}
	must(bridge->calls.count == 0, "no call is left when its client is gone");
	must(bridge->streams.count == 0, "no stream is left when its client is gone");
}

static size_t ask(const void *request, size_t length, char answer[static ANSWER_MAX])
{
	int client = connect_client();
	http_serve(bridge->http);
	if (send(client, request, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		abort();
	size_t answered = read_answer(client, answer);
	close(client);
	check_left();
	return answered;
}

static void check_problem(const char *body, size_t length)
{
	json_t *problem = json_loadb(body, length, JSON_DISABLE_EOF_CHECK, NULL);
	must(json_is_object(problem), "a problem is JSON");
	must(json_is_string(json_object_get(problem, "code")), "with a code");
	must(json_integer_value(json_object_get(problem, "status")) >= 400, "and a status");
	json_decref(problem);
}

/* The first answer; others may follow it. One to HEAD has no body. */
static void check_answer(const char *answer, size_t length, bool has_head)
{
	unsigned status;
	if (length == 0)
		return;
	must(sscanf(answer, "HTTP/1.%*1[01] %3u ", &status) == 1, "it is an HTTP answer");
	must(status >= 100 && status < 600, "with a status");
	must(status != 500, "that is no fault of the program");
	const char *body = strstr(answer, "\r\n\r\n");
	must(body != NULL, "its head ends");
	const char *type = strstr(answer, "application/problem+json");
	if (!has_head && type != NULL && type < body && body + 4 < answer + length)
		check_problem(body + 4, length - (size_t)(body + 4 - answer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char answer[ANSWER_MAX];
	if (bridge == NULL)
		start();
	if (size == 0)
		return 0;
	size_t length = ask(data, size < REQUEST_MAX ? size : REQUEST_MAX, answer);
	check_answer(answer, length, memmem(data, size, "HEAD", 4) != NULL);
	length = ask(good_request, sizeof(good_request) - 1, answer);
	must(length > 12 && strncmp(answer, "HTTP/1.1 200", 12) == 0, "the next client is served");
	return 0;
}
