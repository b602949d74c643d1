/*
 * Asks for slot lists and books slots over the bus, as a plan on standard input says, a line each:
 *
 *	slots <provider> <date>
 *	book <slot> <patient>
 *
 *	bench-ask window COUNT      so many are unanswered at a time, as if so many clients each asked one after the other
 *	bench-ask rate PER_SECOND   at a fixed rate, whatever comes back
 *
 * Prints one line for each line of the plan, in its order: the microseconds from the moment at which it was sent (or, at a rate,
 * due) to its answer, and the outcome: where a list came from, "booked", or the reason of a refusal. The last line is the
 * microseconds from the first sending to the last answer. Environment: AMQP_URL, ASK_USER, ASK_PASSWORD.
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

enum {
	PREFETCH = 1000,
	PLAN_MAX = 1000000,
	WORD_BYTES = 64,
	BODY_MAX = 256,
	OUTCOME_BYTES = 24,
	ID_PREFIX_LENGTH = 24, /* of a message id; behind it is the line's number, twelve digits */
	SILENCE_MS = 30000,
	EXIT_USAGE = 64
};

struct item {
	bool is_booking;
	bool is_answered;
	char whom[WORD_BYTES], what[WORD_BYTES];
	char outcome[OUTCOME_BYTES];
	int64_t begin_us, taken_us;
};

struct asker {
	struct publisher *publisher;
	struct consumer *consumer;
	struct item *items;
	size_t count, sent, answered;
	int64_t heard_us;               /* when the last answer came */
	char identity[UUID_TEXT_BYTES]; /* random: no other run's messages bear it */
};

static void read_plan(struct asker *asker)
{
	char line[4 * WORD_BYTES], kind[WORD_BYTES];
	asker->items = calloc(PLAN_MAX, sizeof(*asker->items));
	if (asker->items == NULL)
		abort();
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (asker->count == PLAN_MAX)
			fail("plan: too long");
		struct item *item = &asker->items[asker->count++];
		if (sscanf(line, "%63s %63s %63s", kind, item->whom, item->what) != 3)
			fail("no line of a plan: %s", line);
		item->is_booking = strcmp(kind, "book") == 0;
		if (!item->is_booking && strcmp(kind, "slots") != 0)
			fail("neither slots nor book: %s", line);
	}
	if (asker->count == 0)
		fail("plan: empty");
}

static void send_one(struct asker *asker, int64_t begin_us)
{
	struct item *item = &asker->items[asker->sent];
	char body[BODY_MAX], message_id[UUID_TEXT_BYTES];
	struct why why = { 0 };
	snprintf(body, sizeof(body), "{\"%s\":\"%s\",\"%s\":\"%s\"}",
		item->is_booking ? "slot_id" : "provider_id", item->whom, item->is_booking ? "patient_ref" : "date",
		item->what);
	snprintf(message_id, sizeof(message_id), "%.*s%012zx", ID_PREFIX_LENGTH, asker->identity, asker->sent);
	const char *event = item->is_booking ? "appointment.slot.book" : "appointment.query.slots";
	const struct publication publication = {
		.exchange = item->is_booking ? "appointment" : "questions",
		.routing_key = event,
		.message_id = message_id,
		.type = event,
		.app_id = "bench-ask",
		.reply_to = item->is_booking ? NULL : asker->identity,
		.schema_version = 1,
		.timestamp_s = clock_now_us() / MICROSECONDS_PER_SECOND,
		.body = body,
		.body_bytes = strlen(body),
		.is_mandatory = true,
	};
	item->begin_us = begin_us;
	if (!publisher_send(asker->publisher, &publication, NULL, &why))
		fail("publishing: %s", why.text);
	asker->sent++;
}

static void settled(void *owner, void *token, enum settlement settlement)
{
	(void)owner;
	(void)token;
	if (settlement != SETTLED_CONFIRMED)
		fail("publishing: a message was not confirmed");
}

/* The text of a member, which is one word. */
static void copy_member(const char *body, const char *name, char out[OUTCOME_BYTES])
{
	const char *at = strstr(body, name);
	if (at == NULL)
		fail("an answer without its outcome: %s", body);
	at += strlen(name);
	snprintf(out, OUTCOME_BYTES, "%.*s", (int)strcspn(at, "\""), at);
}

static void take(struct asker *asker, const struct delivery *delivery)
{
	if (delivery->causation_id == NULL || delivery->type == NULL
		|| strncmp(delivery->causation_id, asker->identity, ID_PREFIX_LENGTH) != 0)
		return;
	size_t place = strtoul(delivery->causation_id + ID_PREFIX_LENGTH, NULL, 16);
	if (place >= asker->sent || asker->items[place].is_answered)
		fail("an answer too many: %s", delivery->causation_id);
	struct item *item = &asker->items[place];
	if (strcmp(delivery->type, "appointment.slot.booked") == 0)
		snprintf(item->outcome, sizeof(item->outcome), "booked");
	else
		copy_member(delivery->body,
			item->is_booking || strstr(delivery->body, "\"source\":\"") == NULL ? "\"reason\":\""
																				: "\"source\":\"",
			item->outcome);
	item->is_answered = true;
	asker->heard_us = clock_steady_us();
	item->taken_us = asker->heard_us - item->begin_us;
	asker->answered++;
}

static void heard(void *owner, struct delivery *delivery)
{
	struct asker *asker = owner;
	struct why why = { 0 };
	take(asker, delivery);
	if (!consumer_ack(asker->consumer, delivery->incarnation, delivery->tag, false, &why))
		fail("acknowledging: %s", why.text);
	delivery_free(delivery);
}

static void open_links(struct asker *asker)
{
	static struct broker_address address;
	static char answers[WORD_BYTES];
	static struct consumer_binding bindings[] = { { "appointment", answers },
		{ "appointment", "appointment.slot.booked" }, { "appointment", "appointment.slot.refused" },
		{ NULL, NULL } };
	struct why why = { 0 };
	uuid_random(asker->identity);
	snprintf(answers, sizeof(answers), "appointment.answer.%s", asker->identity);
	address = (struct broker_address){ setting("AMQP_URL"), setting("ASK_USER"), setting("ASK_PASSWORD"),
		"bench-ask" };
	asker->consumer = consumer_new_own(&address, "bench-ask", "bench-ask", bindings, heard, asker);
	asker->publisher = publisher_new(&address, settled, asker);
	if (!consumer_open(asker->consumer, PREFETCH, &why) || !publisher_open(asker->publisher, &why))
		fail("connecting: %s", why.text);
	asker->heard_us = clock_steady_us();
}

static void serve(struct asker *asker)
{
	struct why why = { 0 };
	if (!publisher_serve(asker->publisher, &why))
		fail("publishing: %s", why.text);
	if (!consumer_serve(asker->consumer, &why))
		fail("consuming: %s", why.text);
	if ((clock_steady_us() - asker->heard_us) / 1000 > SILENCE_MS)
		fail("consuming: no answer for 30 s");
}

/* Until something can be read or written, or `wait_us` are over. */
static void wait_for_sockets(const struct asker *asker, int64_t wait_us)
{
	short publishing = publisher_wants_write(asker->publisher) ? POLLIN | POLLOUT : POLLIN;
	short consuming = consumer_wants_write(asker->consumer) ? POLLIN | POLLOUT : POLLIN;
	struct pollfd sockets[] = { { .fd = publisher_socket(asker->publisher), .events = publishing },
		{ .fd = consumer_socket(asker->consumer), .events = consuming } };
	bool is_pending = publisher_has_pending(asker->publisher) || consumer_has_pending(asker->consumer);
	int64_t left_us = is_pending ? 0 : wait_us;
	const struct timespec left = { .tv_sec = left_us / MICROSECONDS_PER_SECOND,
		.tv_nsec = left_us % MICROSECONDS_PER_SECOND * 1000 };
	ppoll(sockets, sizeof(sockets) / sizeof(sockets[0]), &left, NULL);
}

static int64_t send_into_window(struct asker *asker, size_t window)
{
	while (asker->sent < asker->count && asker->sent - asker->answered < window
		&& publisher_room(asker->publisher) > 0)
		send_one(asker, clock_steady_us());
	return MICROSECONDS_PER_SECOND;
}

/* How long until the next one is due, sending those that are. */
static int64_t send_due(struct asker *asker, int64_t start_us, int64_t interval_us)
{
	while (asker->sent < asker->count) {
		int64_t due_us = start_us + (int64_t)asker->sent * interval_us, wait_us = due_us - clock_steady_us();
		if (wait_us > 0)
			return wait_us;
		if (publisher_room(asker->publisher) == 0)
			return 1000;
		send_one(asker, due_us);
	}
	return MICROSECONDS_PER_SECOND;
}

static void ask_all(struct asker *asker, bool is_rate, long number)
{
	int64_t start_us = clock_steady_us(), interval_us = MICROSECONDS_PER_SECOND / number;
	while (asker->answered < asker->count) {
		int64_t wait_us =
			is_rate ? send_due(asker, start_us, interval_us) : send_into_window(asker, (size_t)number);
		serve(asker);
		wait_for_sockets(asker, wait_us);
		serve(asker);
	}
	for (size_t i = 0; i < asker->count; i++)
		printf("%" PRId64 " %s\n", asker->items[i].taken_us, asker->items[i].outcome);
	printf("%" PRId64 "\n", asker->heard_us - asker->items[0].begin_us);
}

int main(int argc, char **argv)
{
	struct asker asker = { .count = 0 };
	bool is_rate = argc == 3 && strcmp(argv[1], "rate") == 0;
	long number = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	if (number < 1 || number > MICROSECONDS_PER_SECOND || (!is_rate && strcmp(argv[1], "window") != 0)) {
		fputs("usage: bench-ask window COUNT, or bench-ask rate PER_SECOND\n", stderr);
		return EXIT_USAGE;
	}
	read_plan(&asker);
	open_links(&asker);
	ask_all(&asker, is_rate, number);
	publisher_close(asker.publisher);
	publisher_free(asker.publisher);
	consumer_free(asker.consumer);
	free(asker.items);
	return 0;
}
