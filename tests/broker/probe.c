/*
 * lib/broker.h at the end of a pipe, for tests written in Python: one command a line on stdin, one event a line on
 * stdout. Address: AMQP_URL, AMQP_USER, AMQP_PASSWORD. Commands:
 *   consume TAG PREFETCH QUEUE...       open the consumer: "consuming" or "consumer REASON TEXT"
 *   own TAG PREFETCH PREFIX EXCHANGE KEY [EXCHANGE KEY]   the same for a queue of its own
 *   publisher                           open the publisher: "publishing" or "publisher REASON TEXT"
 *   send COUNT EXCHANGE KEY ODD_KEY BYTES   publish as room allows, every second one with ODD_KEY; ends in one
 *                                       "settled ..." when all are answered (`wrong`: another answer than the rest of
 *                                       its key had)
 *   ack TAG IS_MULTIPLE, autoack EVERY, prefetch N, cancel
 *   tell COUNT                          deliveries are not printed, but "received COUNT" after so many
 *   reopen PREFETCH                     open the same consumer once more
 *   state, close
 * Every call into the broker's code is timed; "state" tells the longest.
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker.h"
#include "clock.h"

enum { WORDS_MAX = 10, LINE_MAX_BYTES = 1024, BODY_MAX_BYTES = 1024 * 1024, SETTLEMENTS = 4 };

struct probe {
	struct broker_address address;
	struct consumer *consumer;
	struct publisher *publisher;
	char line[LINE_MAX_BYTES], consumer_line[LINE_MAX_BYTES];
	size_t line_bytes;
	const char *queues[BROKER_LANES_MAX];
	struct consumer_binding bindings[(WORDS_MAX - 4) / 2 + 1];
	char exchange[256], keys[2][256]; /* for even and for odd messages */
	size_t body_bytes, to_send, unsettled;
	size_t settled[2][SETTLEMENTS];
	uint64_t sent, received, expected, ack_every;
	int64_t began_ms, longest_ms, receive_began_ms;
	char body[BODY_MAX_BYTES];
};

static void begin(struct probe *probe)
{
	probe->began_ms = clock_steady_ms();
}

static bool ended(struct probe *probe, bool result)
{
	int64_t took_ms = clock_steady_ms() - probe->began_ms;
	if (took_ms > probe->longest_ms)
		probe->longest_ms = took_ms;
	return result;
}

static const char *or_dash(const char *text)
{
	return text == NULL || text[0] == '\0' ? "-" : text;
}

static void print_delivery(const struct delivery *delivery)
{
	printf(
		"delivery lane=%u tag=%" PRIu64 " incarnation=%" PRIu64
		" redelivered=%d large=%d exchange=%s key=%s id=%s "
		"correlation=%s type=%s app=%s user=%s reply=%s content=%s traceparent=%s causation=%s time=%" PRId64
		" bytes=%zu body=%.40s\n",
		delivery->lane, delivery->tag, delivery->incarnation, delivery->is_redelivered,
		delivery->is_too_large, or_dash(delivery->exchange), or_dash(delivery->routing_key),
		or_dash(delivery->message_id), or_dash(delivery->correlation_id), or_dash(delivery->type),
		or_dash(delivery->app_id), or_dash(delivery->user_id), or_dash(delivery->reply_to),
		or_dash(delivery->content_type), or_dash(delivery->traceparent), or_dash(delivery->causation_id),
		delivery->timestamp_s, delivery->body_bytes, delivery->body);
}

static void on_delivery(void *owner, struct delivery *delivery)
{
	struct probe *probe = owner;
	struct why why;
	if (probe->received++ == 0)
		probe->receive_began_ms = clock_steady_ms();
	if (probe->expected == 0)
		print_delivery(delivery);
	if (probe->ack_every > 0 && (delivery->tag % probe->ack_every == 0 || probe->received == probe->expected))
		consumer_ack(probe->consumer, delivery->incarnation, delivery->tag, true, &why);
	if (probe->received == probe->expected)
		printf("received %" PRIu64 " ms=%" PRId64 "\n", probe->received,
			clock_steady_ms() - probe->receive_began_ms);
	delivery_free(delivery);
}

/* Of all messages of one key the answer should be the same. */
static size_t count_wrong(const struct probe *probe)
{
	size_t wrong = 0;
	for (size_t odd = 0; odd < 2; odd++) {
		size_t total = 0, most = 0;
		for (size_t i = 0; i < SETTLEMENTS; i++) {
			total += probe->settled[odd][i];
			if (probe->settled[odd][i] > most)
				most = probe->settled[odd][i];
		}
		wrong += total - most;
	}
	return wrong;
}

static size_t total_of(const struct probe *probe, enum settlement settlement)
{
	return probe->settled[0][settlement] + probe->settled[1][settlement];
}

/* Tells the answers, once there is nothing left to send or to wait for. */
static void report_settled(struct probe *probe)
{
	if (probe->unsettled > 0 || probe->to_send > 0)
		return;
	printf("settled confirmed=%zu returned=%zu nacked=%zu lost=%zu wrong=%zu\n",
		total_of(probe, SETTLED_CONFIRMED), total_of(probe, SETTLED_RETURNED),
		total_of(probe, SETTLED_NACKED), total_of(probe, SETTLED_LOST), count_wrong(probe));
	memset(probe->settled, 0, sizeof(probe->settled));
}

static void on_settled(void *owner, void *token, enum settlement settlement)
{
	struct probe *probe = owner;
	size_t *settled = token;
	settled[settlement]++;
	probe->unsettled--;
	report_settled(probe);
}

static void tell(const char *who, const struct why *why)
{
	printf("%s %s %s\n", who, why->reason, why->text);
}

/* What was still to be sent is given up with the connection. */
static void publisher_failed(struct probe *probe, const struct why *why)
{
	tell("publisher", why);
	if (probe->to_send == 0)
		return;
	probe->to_send = 0;
	report_settled(probe);
}

static void send_some(struct probe *probe)
{
	struct why why;
	char id[64];
	while (probe->to_send > 0 && publisher_room(probe->publisher) > 0) {
		snprintf(id, sizeof(id), "message-%" PRIu64, ++probe->sent);
		const struct publication publication = {
			.exchange = probe->exchange,
			.routing_key = probe->keys[probe->sent % 2],
			.message_id = id,
			.correlation_id = "correlation",
			.type = "some.type",
			.app_id = "probe",
			.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
			.causation_id = "cause",
			.reason = "reason",
			.attempts = 2,
			.schema_version = 1,
			.timestamp_s = 1700000000,
			.body = probe->body,
			.body_bytes = probe->body_bytes,
			.is_mandatory = true,
		};
		begin(probe);
		if (!ended(probe,
				publisher_send(probe->publisher, &publication, probe->settled[probe->sent % 2], &why))) {
			publisher_failed(probe, &why);
			return;
		}
		probe->to_send--;
		probe->unsettled++;
	}
}

static void open_consumer(struct probe *probe, uint16_t prefetch)
{
	struct why why;
	probe->received = 0;
	begin(probe);
	if (ended(probe, consumer_open(probe->consumer, prefetch, &why)))
		printf("consuming\n");
	else
		tell("consumer", &why);
}

static void command_consume(struct probe *probe, char *words[], size_t count)
{
	size_t queues = count - 3;
	for (size_t i = 0; i < queues; i++)
		probe->queues[i] = words[i + 3];
	consumer_free(probe->consumer);
	probe->consumer = consumer_new(&probe->address, words[1], probe->queues, queues, on_delivery, probe);
	open_consumer(probe, (uint16_t)strtoul(words[2], NULL, 10));
}

static void command_own(struct probe *probe, char *words[], size_t count)
{
	size_t bindings = (count - 4) / 2;
	for (size_t i = 0; i < bindings; i++)
		probe->bindings[i] = (struct consumer_binding){ words[2 * i + 4], words[2 * i + 5] };
	probe->bindings[bindings] = (struct consumer_binding){ 0 };
	consumer_free(probe->consumer);
	probe->consumer =
		consumer_new_own(&probe->address, words[1], words[3], probe->bindings, on_delivery, probe);
	open_consumer(probe, (uint16_t)strtoul(words[2], NULL, 10));
}

static void open_publisher(struct probe *probe)
{
	struct why why;
	if (probe->publisher == NULL)
		probe->publisher = publisher_new(&probe->address, on_settled, probe);
	begin(probe);
	if (ended(probe, publisher_open(probe->publisher, &why)))
		printf("publishing\n");
	else
		tell("publisher", &why);
}

static void print_state(const struct probe *probe)
{
	printf("state longest_ms=%" PRId64 " room=%zu blocked=%d in_flight=%zu received=%" PRIu64
		   " consumer=%d publisher=%d\n",
		probe->longest_ms, probe->publisher ? publisher_room(probe->publisher) : 0,
		probe->publisher && publisher_is_blocked(probe->publisher),
		probe->publisher ? publisher_in_flight(probe->publisher) : 0, probe->received,
		probe->consumer && consumer_is_open(probe->consumer),
		probe->publisher && publisher_is_open(probe->publisher));
}

static void close_all(struct probe *probe)
{
	begin(probe);
	if (probe->consumer != NULL)
		consumer_close(probe->consumer);
	if (probe->publisher != NULL)
		publisher_close(probe->publisher);
	ended(probe, true);
	printf("closed\n");
}

static void command_send(struct probe *probe, char *words[])
{
	probe->to_send = strtoul(words[1], NULL, 10);
	snprintf(probe->exchange, sizeof(probe->exchange), "%s", strcmp(words[2], "-") == 0 ? "" : words[2]);
	snprintf(probe->keys[0], sizeof(probe->keys[0]), "%s", words[3]);
	snprintf(probe->keys[1], sizeof(probe->keys[1]), "%s", words[4]);
	probe->body_bytes = strtoul(words[5], NULL, 10);
}

static void command_consumer(struct probe *probe, char *words[], size_t count)
{
	struct why why;
	bool is_fine = true;
	begin(probe);
	if (strcmp(words[0], "ack") == 0 && count == 3)
		is_fine = consumer_ack(probe->consumer, consumer_incarnation(probe->consumer),
			strtoull(words[1], NULL, 10), words[2][0] == '1', &why);
	else if (strcmp(words[0], "prefetch") == 0 && count == 2)
		is_fine = consumer_set_prefetch(probe->consumer, (uint16_t)strtoul(words[1], NULL, 10), &why);
	else if (strcmp(words[0], "cancel") == 0)
		is_fine = consumer_cancel(probe->consumer, &why);
	else
		printf("unknown %s\n", words[0]);
	if (!ended(probe, is_fine))
		tell("consumer", &why);
}

static void run(struct probe *probe, char *words[], size_t count)
{
	if (strcmp(words[0], "consume") == 0 && count >= 4)
		command_consume(probe, words, count);
	else if (strcmp(words[0], "own") == 0 && count >= 4)
		command_own(probe, words, count);
	else if (strcmp(words[0], "reopen") == 0 && count == 2)
		open_consumer(probe, (uint16_t)strtoul(words[1], NULL, 10));
	else if (strcmp(words[0], "publisher") == 0)
		open_publisher(probe);
	else if (strcmp(words[0], "send") == 0 && count == 6)
		command_send(probe, words);
	else if (strcmp(words[0], "autoack") == 0 && count == 2)
		probe->ack_every = strtoull(words[1], NULL, 10);
	else if (strcmp(words[0], "tell") == 0 && count == 2)
		probe->expected = strtoull(words[1], NULL, 10);
	else if (strcmp(words[0], "state") == 0)
		print_state(probe);
	else if (strcmp(words[0], "close") == 0)
		close_all(probe);
	else
		command_consumer(probe, words, count);
}

static void run_line(struct probe *probe, char *line)
{
	char *words[WORDS_MAX];
	size_t count = 0;
	char *rest = line;
	bool has_names = strncmp(line, "consume ", 8) == 0 || strncmp(line, "own ", 4) == 0;
	if (has_names) { /* which the consumer goes on using */
		snprintf(probe->consumer_line, sizeof(probe->consumer_line), "%s", line);
		rest = probe->consumer_line;
	}
	for (char *word; count < WORDS_MAX && (word = strsep(&rest, " ")) != NULL;)
		words[count++] = word;
	if (count > 0)
		run(probe, words, count);
}

/* False at the end of the input. */
static bool read_commands(struct probe *probe)
{
	ssize_t got =
		read(STDIN_FILENO, probe->line + probe->line_bytes, sizeof(probe->line) - 1 - probe->line_bytes);
	if (got <= 0)
		return false;
	probe->line_bytes += (size_t)got;
	probe->line[probe->line_bytes] = '\0';
	char *end;
	while ((end = strchr(probe->line, '\n')) != NULL) {
		*end = '\0';
		run_line(probe, probe->line);
		probe->line_bytes -= (size_t)(end + 1 - probe->line);
		memmove(probe->line, end + 1, probe->line_bytes + 1);
	}
	return true;
}

static void serve(struct probe *probe)
{
	struct why why;
	begin(probe);
	if (probe->consumer != NULL && consumer_is_open(probe->consumer)
		&& !ended(probe, consumer_serve(probe->consumer, &why)))
		tell("consumer", &why);
	begin(probe);
	if (probe->publisher != NULL && publisher_is_open(probe->publisher)
		&& !ended(probe, publisher_serve(probe->publisher, &why)))
		publisher_failed(probe, &why);
	if (probe->publisher != NULL)
		send_some(probe);
}

static bool has_pending(const struct probe *probe)
{
	return (probe->consumer != NULL && consumer_has_pending(probe->consumer))
		|| (probe->publisher != NULL && publisher_has_pending(probe->publisher));
}

static short wanted(bool is_writing)
{
	return (short)(POLLIN | (is_writing ? POLLOUT : 0));
}

int main(void)
{
	static struct probe probe;
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	memset(probe.body, 'x', sizeof(probe.body));
	probe.address =
		(struct broker_address){ getenv("AMQP_URL"), getenv("AMQP_USER"), getenv("AMQP_PASSWORD"), "probe" };
	for (bool is_running = true; is_running;) {
		struct pollfd polled[3] = {
			{ .fd = STDIN_FILENO, .events = POLLIN },
			{ .fd = probe.consumer ? consumer_socket(probe.consumer) : -1,
				.events = wanted(probe.consumer && consumer_wants_write(probe.consumer)) },
			{ .fd = probe.publisher ? publisher_socket(probe.publisher) : -1,
				.events = wanted(probe.publisher && publisher_wants_write(probe.publisher)) },
		};
		poll(polled, 3, has_pending(&probe) ? 0 : 1000);
		if (polled[0].revents != 0)
			is_running = read_commands(&probe);
		serve(&probe);
	}
	consumer_free(probe.consumer);
	publisher_free(probe.publisher);
	return 0;
}
