/*
 * The load of the benchmark.
 *
 *	bench-load fill COUNT             publishes that many requests as fast as the broker confirms them
 *	bench-load rate PER_SECOND COUNT  publishes at a fixed rate, whatever comes back, and hears the answers
 *	bench-load drain COUNT            hears that many answers
 *
 * The same COUNT gives the same requests. `rate` prints one line for each answer: the microseconds from the
 * moment at which its request was due to be sent. `drain` prints each decided request with its units.
 * Environment: AMQP_URL, SEND_USER, SEND_PASSWORD; for the answers HEAR_USER, HEAR_PASSWORD, HEAR_QUEUE; FIRST =
 * number of the first request.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker.h"
#include "buffer.h"
#include "clock.h"
#include "setting.h"
#include "uuid.h"

enum { PREFETCH = 1000, BODY_MAX = 512, NAME_MAX_BYTES = 32, SILENCE_MS = 30000, EXIT_USAGE = 64 };

static const int64_t REQUESTED_FROM_US = INT64_C(1767225600000000); /* 2026-01-01 */

static const unsigned char namespace_id[UUID_BYTES] = "bench load names";

struct load {
	struct publisher *publisher;
	struct consumer *consumer; /* NULL: answers are not heard */
	long first, count, sent, confirmed, heard;
	int64_t start_us, interval_us; /* of a fixed rate */
	int64_t heard_ms;              /* when the last answer came */
	int64_t *latency_us;           /* by request; NULL: not measured */
	uint64_t random;
};

/* xorshift64*: the same requests in every run. */
static unsigned next_random(struct load *load, unsigned below)
{
	load->random ^= load->random >> 12;
	load->random ^= load->random << 25;
	load->random ^= load->random >> 27;
	return (unsigned)((load->random * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % below;
}

/* As frequent as in central Europe, in percent. */
static const char *pick_group(struct load *load)
{
	static const struct {
		const char *name;
		unsigned percent;
	} groups[] = { { "A+", 37 }, { "O+", 35 }, { "B+", 9 }, { "A-", 6 }, { "O-", 6 }, { "AB+", 4 },
		{ "B-", 2 }, { "AB-", 1 } };
	unsigned ticket = next_random(load, 100);
	size_t i = 0;
	while (ticket >= groups[i].percent)
		ticket -= groups[i++].percent;
	return groups[i].name;
}

static void write_body(struct load *load, long number, const char *request_id, char body[BODY_MAX])
{
	char requested_at[TIME_TEXT_BYTES];
	time_print(REQUESTED_FROM_US + number * MICROSECONDS_PER_SECOND, requested_at);
	snprintf(body, BODY_MAX,
		"{\"request_id\":\"%s\",\"hospital_id\":\"hospital-%03u\",\"component\":\"red_cells\",\"group\":\"%s\","
		"\"quantity\":%u,\"urgency\":\"routine\",\"patient\":{\"ref\":\"patient-%06ld\",\"sex\":\"%s\",\"age_years\":%u},"
		"\"signed_by\":\"doctor-%03u\",\"accept_partial\":true,\"requested_by\":\"ward-%02u\",\"requested_at\":\"%s\","
		"\"version\":1}",
		request_id, 1 + next_random(load, 3), pick_group(load), 1 + next_random(load, 2), number,
		next_random(load, 2) ? "female" : "male", 18 + next_random(load, 70), next_random(load, 40),
		next_random(load, 20), requested_at);
}

static void send_one(struct load *load)
{
	char name[NAME_MAX_BYTES], body[BODY_MAX], request_id[UUID_TEXT_BYTES], message_id[UUID_TEXT_BYTES];
	long number = load->first + load->sent;
	snprintf(name, sizeof(name), "request-%08ld", number);
	const char *const request_names[] = { "request", name, NULL };
	const char *const message_names[] = { "message", name, NULL };
	uuid_from_names(namespace_id, request_names, request_id);
	uuid_from_names(namespace_id, message_names, message_id);
	write_body(load, number, request_id, body);
	const struct publication publication = {
		.exchange = "hospital",
		.routing_key = "hospital.blood.requested",
		.message_id = message_id,
		.correlation_id = name,
		.type = "hospital.blood.requested",
		.app_id = "bench-load",
		.schema_version = 1,
		.timestamp_s = clock_now_us() / MICROSECONDS_PER_SECOND,
		.body = body,
		.body_bytes = strlen(body),
		.is_mandatory = true,
	};
	struct why why = { 0 };
	if (!publisher_send(load->publisher, &publication, NULL, &why))
		fail("publishing: %s", why.text);
	load->sent++;
}

static void settled(void *owner, void *token, enum settlement settlement)
{
	struct load *load = owner;
	(void)token;
	if (settlement != SETTLED_CONFIRMED)
		fail("publishing: a request was not confirmed");
	load->confirmed++;
}

static void print_units(const struct delivery *delivery)
{
	printf("%s", delivery->correlation_id);
	const char *at = delivery->body;
	while ((at = strstr(at, "\"unit_id\":\"")) != NULL) {
		at += strlen("\"unit_id\":\"");
		printf(" %.*s", (int)strcspn(at, "\""), at);
	}
	putchar('\n');
}

/* An answer bears its request's name as its correlation. What is told of stock in between is only acknowledged. */
static void heard(void *owner, struct delivery *delivery)
{
	struct load *load = owner;
	struct why why = { 0 };
	bool is_answer = delivery->type != NULL && strncmp(delivery->type, "bloodbank.blood.", 16) == 0;
	if (is_answer && load->latency_us == NULL) {
		print_units(delivery);
	} else if (is_answer) {
		long place = strtol(delivery->correlation_id + strlen("request-"), NULL, 10) - load->first;
		if (place >= 0 && place < load->count)
			load->latency_us[place] = clock_steady_us() - (load->start_us + place * load->interval_us);
	}
	load->heard += is_answer;
	load->heard_ms = clock_steady_ms();
	if (!consumer_ack(load->consumer, delivery->incarnation, delivery->tag, false, &why))
		fail("acknowledging: %s", why.text);
	delivery_free(delivery);
}

static void open_publisher(struct load *load)
{
	static struct broker_address address;
	struct why why = { 0 };
	address = (struct broker_address){ setting("AMQP_URL"), setting("SEND_USER"), setting("SEND_PASSWORD"),
		"bench-load (send)" };
	load->publisher = publisher_new(&address, settled, load);
	if (!publisher_open(load->publisher, &why))
		fail("connecting: %s", why.text);
}

static void open_consumer(struct load *load)
{
	static struct broker_address address;
	static const char *queue;
	struct why why = { 0 };
	queue = setting("HEAR_QUEUE");
	address = (struct broker_address){ setting("AMQP_URL"), setting("HEAR_USER"), setting("HEAR_PASSWORD"),
		"bench-load (hear)" };
	load->consumer = consumer_new(&address, "bench-load", &queue, 1, heard, load);
	if (!consumer_open(load->consumer, PREFETCH, &why))
		fail("consuming: %s", why.text);
	load->heard_ms = clock_steady_ms();
}

static void serve(struct load *load)
{
	struct why why = { 0 };
	if (load->publisher != NULL && !publisher_serve(load->publisher, &why))
		fail("publishing: %s", why.text);
	if (load->consumer != NULL && !consumer_serve(load->consumer, &why))
		fail("consuming: %s", why.text);
	if (load->consumer != NULL && clock_steady_ms() - load->heard_ms > SILENCE_MS)
		fail("consuming: no answer for 30 s");
}

static bool has_pending(const struct load *load)
{
	return (load->publisher != NULL && publisher_has_pending(load->publisher))
		|| (load->consumer != NULL && consumer_has_pending(load->consumer));
}

/* Until something can be read or written, or `wait_us` are over. */
static void wait_for_sockets(const struct load *load, int64_t wait_us)
{
	struct pollfd sockets[2];
	nfds_t count = 0;
	if (load->publisher != NULL) {
		short events = publisher_wants_write(load->publisher) ? POLLIN | POLLOUT : POLLIN;
		sockets[count++] = (struct pollfd){ .fd = publisher_socket(load->publisher), .events = events };
	}
	if (load->consumer != NULL) {
		short events = consumer_wants_write(load->consumer) ? POLLIN | POLLOUT : POLLIN;
		sockets[count++] = (struct pollfd){ .fd = consumer_socket(load->consumer), .events = events };
	}
	int64_t left_us = has_pending(load) || wait_us < 0 ? 0 : wait_us;
	struct timespec left = { .tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000 };
	ppoll(sockets, count, &left, NULL);
}

static void fill(struct load *load)
{
	open_publisher(load);
	while (load->confirmed < load->count) {
		while (load->sent < load->count && publisher_room(load->publisher) > 0)
			send_one(load);
		serve(load);
		wait_for_sockets(load, MICROSECONDS_PER_SECOND);
		serve(load);
	}
}

/* How long until the next request is due, sending those that are. */
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
	load->latency_us = calloc((size_t)load->count, sizeof(*load->latency_us));
	if (load->latency_us == NULL)
		abort();
	open_publisher(load);
	open_consumer(load);
	load->interval_us = MICROSECONDS_PER_SECOND / per_second;
	load->start_us = clock_steady_us() + MICROSECONDS_PER_SECOND / 10;
	while (load->heard < load->count) {
		int64_t wait_us = send_due(load);
		serve(load);
		wait_for_sockets(load, wait_us);
		serve(load);
	}
	for (long i = 0; i < load->count; i++)
		printf("%" PRId64 "\n", load->latency_us[i]);
}

static void drain(struct load *load)
{
	open_consumer(load);
	while (load->heard < load->count) {
		serve(load);
		wait_for_sockets(load, MICROSECONDS_PER_SECOND);
	}
	serve(load);
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
	const char *first = getenv("FIRST");
	struct load load = { .random = UINT64_C(0x9e3779b97f4a7c15),
		.first = first == NULL ? 0 : strtol(first, NULL, 10) };
	load.random += (uint64_t)load.first;
	if (argc < 3) {
		fputs("usage: bench-load fill|drain COUNT, or bench-load rate PER_SECOND COUNT\n", stderr);
		return EXIT_USAGE;
	}
	load.count = number_argument(argv[argc - 1]);
	if (strcmp(argv[1], "fill") == 0)
		fill(&load);
	else if (strcmp(argv[1], "drain") == 0)
		drain(&load);
	else if (strcmp(argv[1], "rate") == 0 && argc == 4)
		send_at_rate(&load, number_argument(argv[2]));
	else
		fail("%s: unknown", argv[1]);
	publisher_free(load.publisher);
	consumer_free(load.consumer);
	free(load.latency_us);
	return 0;
}
