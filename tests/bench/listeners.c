/*
 * Clients of the bridge's stream of events, and the sender of what they hear.
 *
 *	bench-listeners CLIENTS PER_SECOND COUNT  publishes COUNT events at a fixed rate; each of CLIENTS connections hears them all
 *
 * Prints one line for each event and client: the microseconds from the moment at which the event was due to be published. An event
 * says by its message id when that was. It goes to an exchange from which only the feed hears it.
 * Environment: AMQP_URL, SEND_USER, SEND_PASSWORD, HTTP_PORT, TOKEN.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker.h"
#include "clock.h"
#include "setting.h"
#include "uuid.h"

/* The ids are uuids, whose last twelve digits are the moment at which the event was due: microseconds of the steady clock. */
#define ID_BEGIN "00000000-0000-4000-8000-"

enum {
	LINE_BYTES = 48, /* what is longer is cut: only the ids are read */
	READ_BYTES = 64 * 1024,
	READY_AT_ONCE = 256,
	SILENCE_MS = 30000,
	EXIT_USAGE = 64
};

/* Where in the answer a client is: its head, then chunks of a size, their data, and the line end behind it. */
enum part { PART_HEAD, PART_SIZE, PART_DATA, PART_END };

struct client {
	int socket;
	enum part part;
	size_t left; /* of the chunk */
	char line[LINE_BYTES];
	size_t line_length;
};

struct load {
	struct publisher *publisher;
	struct client *clients;
	long clients_count, ready_count;
	long count, sent;
	int64_t start_us, interval_us, heard_ms;
	int64_t *latency_us; /* as they come */
	long heard;
	int epoll;
};

static const char event[] = "notification.message.delivered";
static const char body[] =
	"{\"notification_id\":\"5f0e6bd4-3a52-5d0c-8f5b-0d9f5ad0a001\",\"facility_id\":\"hospital-001\",\"role\":\"ward\","
	"\"channel\":\"inbox\",\"kind\":\"request_approved\",\"entity\":\"request:2c5ea4c0-4067-4fe9-8bad-9b1deb4d3b7d\","
	"\"transition\":\"approved 2\",\"text\":\"bank-001 has reserved 2 of 2 units of red cells A+ until 08:00.\","
	"\"at\":\"2026-01-01T08:00:00Z\"}";

static void settled(void *owner, void *token, enum settlement settlement)
{
	(void)owner;
	(void)token;
	if (settlement != SETTLED_CONFIRMED)
		fail("publishing: an event was not confirmed");
}

static void open_publisher(struct load *load)
{
	static struct broker_address address;
	struct why why = { 0 };
	address = (struct broker_address){ setting("AMQP_URL"), setting("SEND_USER"), setting("SEND_PASSWORD"),
		"bench-listeners (send)" };
	load->publisher = publisher_new(&address, settled, load);
	if (!publisher_open(load->publisher, &why))
		fail("connecting: %s", why.text);
}

static void send_one(struct load *load)
{
	char due_us[UUID_TEXT_BYTES];
	struct why why = { 0 };
	snprintf(due_us, sizeof(due_us), ID_BEGIN "%012" PRIx64,
		(uint64_t)(load->start_us + load->sent * load->interval_us));
	const struct publication publication = {
		.exchange = "notification",
		.routing_key = event,
		.message_id = due_us,
		.type = event,
		.app_id = "bench-listeners",
		.schema_version = 1,
		.timestamp_s = clock_now_us() / MICROSECONDS_PER_SECOND,
		.body = body,
		.body_bytes = sizeof(body) - 1,
		.is_mandatory = true,
	};
	if (!publisher_send(load->publisher, &publication, NULL, &why))
		fail("publishing: %s", why.text);
	load->sent++;
}

/* A line of the stream: the first is "retry: ...", and then each event has its id. Those of others begin otherwise. */
static void take_line(struct load *load, const char *line, int64_t now_us)
{
	static const char begin[] = "id: " ID_BEGIN;
	if (strncmp(line, "retry: ", 7) == 0)
		load->ready_count++;
	if (strncmp(line, begin, sizeof(begin) - 1) != 0)
		return;
	int64_t due_us = strtoll(line + sizeof(begin) - 1, NULL, 16);
	if (load->heard == load->count * load->clients_count)
		fail("hearing: more events than were sent");
	load->latency_us[load->heard++] = now_us - due_us;
	load->heard_ms = now_us / 1000;
}

/* Whether the byte ended a line, which is then in client->line. */
static bool gather(struct client *client, char byte)
{
	if (byte == '\n') {
		client->line[client->line_length] = '\0';
		client->line_length = 0;
		return true;
	}
	if (byte != '\r' && client->line_length < LINE_BYTES - 1)
		client->line[client->line_length++] = byte;
	return false;
}

static void take_byte(struct load *load, struct client *client, char byte, int64_t now_us)
{
	switch (client->part) {
	case PART_HEAD: /* ends with an empty line */
		if (gather(client, byte) && client->line[0] == '\0')
			client->part = PART_SIZE;
		break;
	case PART_SIZE:
		if (gather(client, byte)) {
			client->left = strtoul(client->line, NULL, 16);
			client->part = PART_DATA;
		}
		break;
	case PART_DATA:
		if (gather(client, byte))
			take_line(load, client->line, now_us);
		if (--client->left == 0)
			client->part = PART_END;
		break;
	case PART_END:
		if (byte == '\n')
			client->part = PART_SIZE;
		break;
	}
}

static void hear(struct load *load, struct client *client)
{
	static char bytes[READ_BYTES];
	ssize_t got = recv(client->socket, bytes, sizeof(bytes), MSG_DONTWAIT);
	int64_t now_us = clock_steady_us();
	if (got == 0 || (got < 0 && errno != EAGAIN))
		fail("hearing: %s", got == 0 ? "the bridge ended a stream" : strerror(errno));
	for (ssize_t i = 0; i < got; i++)
		take_byte(load, client, bytes[i], now_us);
}

static void serve(struct load *load)
{
	struct epoll_event ready[READY_AT_ONCE];
	struct why why = { 0 };
	if (!publisher_serve(load->publisher, &why))
		fail("publishing: %s", why.text);
	int count = epoll_wait(load->epoll, ready, READY_AT_ONCE, 0);
	for (int i = 0; i < count; i++)
		hear(load, ready[i].data.ptr);
	if (clock_steady_ms() - load->heard_ms > SILENCE_MS)
		fail("hearing: nothing for 30 s");
}

static void wait_for_sockets(const struct load *load, int64_t wait_us)
{
	short events = publisher_wants_write(load->publisher) ? POLLIN | POLLOUT : POLLIN;
	struct pollfd sockets[] = { { .fd = load->epoll, .events = POLLIN },
		{ .fd = publisher_socket(load->publisher), .events = events } };
	int64_t left_us = publisher_has_pending(load->publisher) || wait_us < 0 ? 0 : wait_us;
	const struct timespec left = { .tv_sec = left_us / MICROSECONDS_PER_SECOND,
		.tv_nsec = left_us % MICROSECONDS_PER_SECOND * 1000 };
	ppoll(sockets, 2, &left, NULL);
}

static void connect_client(struct load *load, struct client *client, const struct sockaddr_in *address)
{
	static char request[512];
	int length = snprintf(request, sizeof(request),
		"GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", setting("TOKEN"));
	client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->socket < 0 || connect(client->socket, (const struct sockaddr *)address, sizeof(*address)) != 0
		|| send(client->socket, request, (size_t)length, MSG_NOSIGNAL) != length)
		fail("connecting: %s", strerror(errno));
	struct epoll_event wanted = { .events = EPOLLIN, .data.ptr = client };
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->socket, &wanted) != 0)
		fail("epoll: %s", strerror(errno));
}

/* All of them, each until its stream has begun. */
static void connect_clients(struct load *load)
{
	struct rlimit files;
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtol(setting("HTTP_PORT"), NULL, 10)),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->heard_ms = clock_steady_ms();
	for (long i = 0; i < load->clients_count; i++)
		connect_client(load, &load->clients[i], &address);
	while (load->ready_count < load->clients_count) {
		serve(load);
		wait_for_sockets(load, MICROSECONDS_PER_SECOND);
	}
}

/* How long until the next event is due, sending those that are. */
static int64_t send_due(struct load *load)
{
	int64_t wait_us = MICROSECONDS_PER_SECOND;
	while (load->sent < load->count) {
		wait_us = load->start_us + load->sent * load->interval_us - clock_steady_us();
		if (wait_us > 0 || publisher_room(load->publisher) == 0)
			break;
		send_one(load);
	}
	return wait_us > 0 ? wait_us : 1000;
}

static void send_at_rate(struct load *load, long per_second)
{
	load->interval_us = MICROSECONDS_PER_SECOND / per_second;
	load->start_us = clock_steady_us() + MICROSECONDS_PER_SECOND / 10;
	while (load->heard < load->count * load->clients_count) {
		int64_t wait_us = send_due(load);
		serve(load);
		wait_for_sockets(load, wait_us);
		serve(load);
	}
}

static long number_argument(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);
	if (end == text || *end != '\0' || value < 1)
		fail("%s: not a positive number", text);
	return value;
}

int main(int argc, char **argv)
{
	struct load load = { .sent = 0 };
	if (argc != 4) {
		fputs("usage: bench-listeners CLIENTS PER_SECOND COUNT\n", stderr);
		return EXIT_USAGE;
	}
	load.clients_count = number_argument(argv[1]);
	load.count = number_argument(argv[3]);
	load.clients = calloc((size_t)load.clients_count, sizeof(*load.clients));
	load.latency_us = calloc((size_t)(load.count * load.clients_count), sizeof(*load.latency_us));
	if (load.clients == NULL || load.latency_us == NULL)
		abort();
	open_publisher(&load);
	connect_clients(&load);
	send_at_rate(&load, number_argument(argv[2]));
	for (long i = 0; i < load.heard; i++)
		printf("%" PRId64 "\n", load.latency_us[i]);
	publisher_close(load.publisher);
	publisher_free(load.publisher);
	free(load.latency_us);
	free(load.clients);
	return 0;
}
