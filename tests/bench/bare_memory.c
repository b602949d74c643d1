/*
 * What a GET costs at least whose answer lies in memory: libmicrohttpd in one loop, and the same bytes to everybody. The bridge's cache of
 * slot lists is measured against it.
 * Environment: HTTP_PORT; ANSWER = a file: header lines, an empty line, the body. Says "ready" on stdout; ends with SIGTERM.
 */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "setting.h"

enum {
	CONNECTIONS_MAX = 1024,
	CONNECTION_MEMORY_BYTES = 16 * 1024,
	ANSWER_BYTES = 64 * 1024,
	IDLE_MS = 1000,
};

static volatile sig_atomic_t is_over;

static void end(int number)
{
	(void)number;
	is_over = 1;
}

static void add_header(struct MHD_Response *response, char *line)
{
	char *colon = strstr(line, ": ");
	if (colon == NULL)
		fail("no header: %s", line);
	*colon = '\0';
	if (MHD_add_response_header(response, line, colon + 2) != MHD_YES)
		fail("the library refuses the header %s", line);
}

static struct MHD_Response *read_answer(const char *path)
{
	static char text[ANSWER_BYTES];
	FILE *file = fopen(path, "r");
	size_t length = file == NULL ? 0 : fread(text, 1, sizeof(text) - 1, file);
	char *line = text, *body = strstr(text, "\n\n");
	if (file == NULL || length == 0 || body == NULL)
		fail("no answer in %s", path);
	fclose(file);
	body += 2;
	struct MHD_Response *response =
		MHD_create_response_from_buffer(length - (size_t)(body - text), body, MHD_RESPMEM_PERSISTENT);
	for (char *next; line < body - 1; line = next) {
		next = strchr(line, '\n') + 1;
		next[-1] = '\0';
		add_header(response, line);
	}
	return response;
}

/* Never answered in the first call: the library would then close the connection. */
static enum MHD_Result handle(void *owner, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_bytes, void **request)
{
	(void)path;
	(void)method;
	(void)version;
	(void)upload;
	(void)upload_bytes;
	if (*request != NULL)
		return MHD_queue_response(connection, MHD_HTTP_OK, owner);
	*request = owner;
	return MHD_YES;
}

static struct MHD_Daemon *start_http(struct MHD_Response *answer)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtol(setting("HTTP_PORT"), NULL, 10)),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	struct MHD_Daemon *http = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle, answer,
		MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_END);
	if (http == NULL)
		fail("cannot listen on port %s", setting("HTTP_PORT"));
	return http;
}

int main(void)
{
	struct sigaction action = { .sa_handler = end };
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	struct MHD_Response *answer = read_answer(setting("ANSWER"));
	struct MHD_Daemon *http = start_http(answer);
	struct pollfd ready = { .fd = MHD_get_daemon_info(http, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
		.events = POLLIN };
	puts("ready");
	fflush(stdout);
	while (!is_over) {
		MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
		poll(&ready, 1, IDLE_MS);
		do
			if (MHD_run(http) != MHD_YES)
				fail("the HTTP server failed");
		while (MHD_get_timeout(http, &timeout_ms) == MHD_YES && timeout_ms == 0);
	}
	MHD_stop_daemon(http);
	MHD_destroy_response(answer);
	return 0;
}
