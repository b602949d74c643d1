/* Consuming: frames are assembled into deliveries, acknowledgements go back. */
#include "broker_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <amqp_framing.h>

#include "uuid.h"

enum { SHORT_TEXT_BYTES = 256, TAG_BYTES = 128, QUEUE_BYTES = 128 };

/* What of the message being received has come so far. */
struct assembly {
	bool is_open; /* the deliver method came, and not yet all of the rest */
	uint64_t tag;
	unsigned lane;
	bool is_redelivered;
	char exchange[SHORT_TEXT_BYTES];
	char routing_key[SHORT_TEXT_BYTES];
	struct delivery *delivery; /* NULL until the header came */
	char *body; /* inside of `delivery`, which has no bytes for it when it is too large to keep */
	uint64_t received_bytes, expected_bytes;
};

struct consumer {
	struct connection connection;
	const struct broker_address *address;
	const char *const *queues;
	size_t queue_count;
	const char *queue_prefix; /* of a queue of its own, here and below; else NULL */
	const struct consumer_binding *bindings;
	char own_queue[QUEUE_BYTES]; /* another at each opening */
	const char *own_queues[1];   /* what `queues` is then */
	char tags[BROKER_LANES_MAX][TAG_BYTES];
	unsigned generation; /* how often the prefetch was changed on this connection */
	delivery_fn *deliver;
	void *owner;
	uint64_t incarnation;
	struct assembly assembly;
};

static void drop_assembly(struct consumer *consumer)
{
	delivery_free(consumer->assembly.delivery);
	consumer->assembly = (struct assembly){ 0 };
}

static void copy_short(char text[static SHORT_TEXT_BYTES], amqp_bytes_t bytes)
{
	size_t length = bytes.len < SHORT_TEXT_BYTES ? bytes.len : SHORT_TEXT_BYTES - 1;
	if (length > 0)
		memcpy(text, bytes.bytes, length);
	text[length] = '\0';
}

/*
 * The tag under which a lane is consumed: "bloodbank-1", after a change of prefetch "bloodbank-1+1". A quorum queue
 * of RabbitMQ 3.10 ends the connection (541) when a tag is used again while deliveries of its first use are unacknowledged.
 */
static const char *print_tag(const struct consumer *consumer, size_t lane, unsigned generation,
	char tag[static SHORT_TEXT_BYTES])
{
	if (generation == 0)
		snprintf(tag, SHORT_TEXT_BYTES, "%s", consumer->tags[lane]);
	else
		snprintf(tag, SHORT_TEXT_BYTES, "%s+%u", consumer->tags[lane], generation);
	return tag;
}

/* A consumer's tag, of any generation, to its lane; BROKER_LANES_MAX when it is none of ours. */
static unsigned find_lane(const struct consumer *consumer, amqp_bytes_t tag)
{
	const char *plus = tag.len == 0 ? NULL : memrchr(tag.bytes, '+', tag.len);
	if (consumer->generation > 0 && plus != NULL)
		tag.len = (size_t)(plus - (const char *)tag.bytes);
	for (unsigned lane = 0; lane < consumer->queue_count; lane++)
		if (bytes_equal(tag, consumer->tags[lane]))
			return lane;
	return BROKER_LANES_MAX;
}

static bool unexpected(struct consumer *consumer, const char *what, struct why *why)
{
	return connection_failed(&consumer->connection, why, "the broker sent %s that does not belong here",
		what);
}

static bool take_deliver(struct consumer *consumer, const amqp_basic_deliver_t *method, struct why *why)
{
	struct assembly *assembly = &consumer->assembly;
	unsigned lane = find_lane(consumer, method->consumer_tag);
	if (assembly->is_open || lane == BROKER_LANES_MAX)
		return unexpected(consumer, "a delivery", why);
	assembly->is_open = true;
	assembly->tag = method->delivery_tag;
	assembly->lane = lane;
	assembly->is_redelivered = method->redelivered;
	copy_short(assembly->exchange, method->exchange);
	copy_short(assembly->routing_key, method->routing_key);
	return true;
}

/* Hands the message over when it is complete. */
static void finish_if_complete(struct consumer *consumer)
{
	struct assembly *assembly = &consumer->assembly;
	if (assembly->received_bytes < assembly->expected_bytes)
		return;
	struct delivery *delivery = assembly->delivery;
	assembly->delivery = NULL;
	assembly->is_open = false;
	consumer->deliver(consumer->owner, delivery);
}

static bool take_header(struct consumer *consumer, const amqp_frame_t *frame, struct why *why)
{
	struct assembly *assembly = &consumer->assembly;
	if (!assembly->is_open || assembly->delivery != NULL)
		return unexpected(consumer, "a header", why);
	const amqp_basic_properties_t *properties = frame->payload.properties.decoded;
	assembly->received_bytes = 0;
	assembly->expected_bytes = frame->payload.properties.body_size;
	bool is_too_large = assembly->expected_bytes > BROKER_BODY_MAX;
	size_t kept_bytes = assembly->expected_bytes > BROKER_BODY_KEPT ? 0 : (size_t)assembly->expected_bytes;
	struct delivery *delivery =
		delivery_new(properties, assembly->exchange, assembly->routing_key, kept_bytes, &assembly->body);
	delivery->tag = assembly->tag;
	delivery->incarnation = consumer->incarnation;
	delivery->lane = assembly->lane;
	delivery->is_redelivered = assembly->is_redelivered;
	delivery->is_too_large = is_too_large;
	delivery->body_bytes = kept_bytes;
	if (properties->_flags & AMQP_BASIC_TIMESTAMP_FLAG)
		delivery->timestamp_s = (int64_t)properties->timestamp;
	assembly->delivery = delivery;
	finish_if_complete(consumer);
	return true;
}

static bool take_body(struct consumer *consumer, amqp_bytes_t piece, struct why *why)
{
	struct assembly *assembly = &consumer->assembly;
	if (assembly->delivery == NULL || piece.len > assembly->expected_bytes - assembly->received_bytes)
		return unexpected(consumer, "a piece of a body", why);
	if (assembly->delivery->body_bytes > 0 && piece.len > 0)
		memcpy(assembly->body + assembly->received_bytes, piece.bytes, piece.len);
	assembly->received_bytes += piece.len;
	finish_if_complete(consumer);
	return true;
}

static bool take_cancel(struct consumer *consumer, const amqp_basic_cancel_t *method, struct why *why)
{
	unsigned lane = find_lane(consumer, method->consumer_tag);
	connection_drop(&consumer->connection);
	return because(why, "cancelled", "the broker ended the consumer of queue %s: was the queue deleted?",
		lane < consumer->queue_count ? consumer->queues[lane] : "(unknown)");
}

static bool take_frame(struct consumer *consumer, const amqp_frame_t *frame, struct why *why)
{
	switch (frame->frame_type) {
	case AMQP_FRAME_METHOD:
		if (frame->payload.method.id == AMQP_BASIC_DELIVER_METHOD)
			return take_deliver(consumer, frame->payload.method.decoded, why);
		if (frame->payload.method.id == AMQP_BASIC_CANCEL_METHOD)
			return take_cancel(consumer, frame->payload.method.decoded, why);
		return true; /* qos-ok, connection.blocked: nothing to do */
	case AMQP_FRAME_HEADER:
		return take_header(consumer, frame, why);
	case AMQP_FRAME_BODY:
		return take_body(consumer, frame->payload.body_fragment, why);
	default:
		return true;
	}
}

static bool make_own_queue(struct consumer *consumer, struct why *why)
{
	char uuid[UUID_TEXT_BYTES];
	uuid_random(uuid);
	snprintf(consumer->own_queue, QUEUE_BYTES, "%s.%s", consumer->queue_prefix, uuid);
	return connection_declare_own(&consumer->connection, consumer->own_queue, consumer->bindings, why);
}

static bool is_own(const struct consumer *consumer)
{
	return consumer->queue_prefix != NULL;
}

static bool start_lane(struct consumer *consumer, size_t lane, struct why *why)
{
	struct connection *connection = &consumer->connection;
	const char *queue = consumer->queues[lane];
	if (is_own(consumer) ? !make_own_queue(consumer, why) : !connection_check_queue(connection, queue, why))
		return false;
	return connection_consume(connection, queue, consumer->tags[lane], why);
}

static bool start_consuming(struct consumer *consumer, uint16_t prefetch, struct why *why)
{
	if (!connection_set_prefetch(&consumer->connection, prefetch, why))
		return false;
	for (size_t lane = 0; lane < consumer->queue_count; lane++)
		if (!start_lane(consumer, lane, why))
			return false;
	return true;
}

struct consumer *consumer_new(const struct broker_address *address, const char *tag,
	const char *const queues[], size_t count, delivery_fn *deliver, void *owner)
{
	assert(count > 0 && count <= BROKER_LANES_MAX);
	struct consumer *consumer = calloc(1, sizeof(*consumer));
	if (consumer == NULL)
		abort();
	consumer->address = address;
	consumer->queues = queues;
	consumer->queue_count = count;
	consumer->deliver = deliver;
	consumer->owner = owner;
	assert(strlen(tag) < TAG_BYTES - 2 && strchr(tag, '+') == NULL);
	snprintf(consumer->tags[0], TAG_BYTES, "%s", tag);
	for (size_t lane = 1; lane < count; lane++)
		snprintf(consumer->tags[lane], TAG_BYTES, "%s.%zu", tag, lane);
	return consumer;
}

static size_t count_bindings(const struct consumer_binding bindings[])
{
	size_t count = 0;
	while (bindings[count].exchange != NULL)
		count++;
	return count;
}

struct consumer *consumer_new_own(const struct broker_address *address, const char *tag,
	const char *queue_prefix, const struct consumer_binding *bindings, delivery_fn *deliver, void *owner)
{
	assert(strlen(queue_prefix) + UUID_TEXT_BYTES < QUEUE_BYTES);
	assert(count_bindings(bindings) <= BROKER_BINDINGS_MAX);
	struct consumer *consumer = consumer_new(address, tag, NULL, 1, deliver, owner);
	consumer->own_queues[0] = consumer->own_queue;
	consumer->queues = consumer->own_queues;
	consumer->queue_prefix = queue_prefix;
	consumer->bindings = bindings;
	return consumer;
}

void consumer_free(struct consumer *consumer)
{
	if (consumer == NULL)
		return;
	consumer_close(consumer);
	connection_clear(&consumer->connection);
	free(consumer);
}

bool consumer_open(struct consumer *consumer, uint16_t prefetch, struct why *why)
{
	drop_assembly(consumer);
	if (!connection_open(&consumer->connection, consumer->address, why))
		return false;
	consumer->incarnation++;
	consumer->generation = 0;
	if (start_consuming(consumer, prefetch, why))
		return true;
	connection_drop(&consumer->connection);
	return false;
}

void consumer_close(struct consumer *consumer)
{
	connection_close(&consumer->connection);
	drop_assembly(consumer);
}

bool consumer_is_open(const struct consumer *consumer)
{
	return connection_is_open(&consumer->connection);
}

uint64_t consumer_incarnation(const struct consumer *consumer)
{
	return consumer->incarnation;
}

static void add_cancels(struct consumer *consumer, unsigned generation)
{
	char tag[SHORT_TEXT_BYTES];
	for (size_t lane = 0; lane < consumer->queue_count; lane++)
		wire_cancel(&consumer->connection.output, print_tag(consumer, lane, generation, tag));
}

static void add_consumes(struct consumer *consumer, unsigned generation, uint16_t prefetch)
{
	char tag[SHORT_TEXT_BYTES];
	wire_qos(&consumer->connection.output, prefetch);
	for (size_t lane = 0; lane < consumer->queue_count; lane++)
		wire_consume(&consumer->connection.output, consumer->queues[lane],
			print_tag(consumer, lane, generation, tag));
}

bool consumer_cancel(struct consumer *consumer, struct why *why)
{
	if (!consumer_is_open(consumer))
		return because(why, "connection", "the connection is closed");
	add_cancels(consumer, consumer->generation);
	return connection_flush(&consumer->connection, why);
}

bool consumer_set_prefetch(struct consumer *consumer, uint16_t prefetch, struct why *why)
{
	if (!consumer_is_open(consumer))
		return because(why, "connection", "the connection is closed");
	unsigned before = consumer->generation++;
	if (!is_own(consumer)) /* an auto-delete queue goes with its last consumer */
		add_cancels(consumer, before);
	add_consumes(consumer, consumer->generation, prefetch);
	if (is_own(consumer))
		add_cancels(consumer, before);
	return connection_flush(&consumer->connection, why);
}

bool consumer_serve(struct consumer *consumer, struct why *why)
{
	struct connection *connection = &consumer->connection;
	if (!connection_beat(connection, why) || !connection_flush(connection, why))
		return false;
	for (;;) {
		amqp_frame_t frame;
		switch (connection_read(connection, &frame, why)) {
		case READING_FRAME:
			if (!take_frame(consumer, &frame, why))
				return false;
			break;
		case READING_NOTHING:
			return true;
		case READING_FAILED:
			return false;
		}
	}
}

bool consumer_ack(struct consumer *consumer, uint64_t incarnation, uint64_t tag, bool is_multiple,
	struct why *why)
{
	enum { FLUSH_BYTES = 8 * 1024 };
	struct connection *connection = &consumer->connection;
	if (incarnation != consumer->incarnation || !consumer_is_open(consumer))
		return true;
	wire_ack(&connection->output, tag, is_multiple);
	if (connection->is_stalled || connection_unsent_bytes(connection) < FLUSH_BYTES)
		return true;
	return connection_flush(connection, why);
}

int consumer_socket(const struct consumer *consumer)
{
	return connection_socket(&consumer->connection);
}

bool consumer_has_pending(const struct consumer *consumer)
{
	return connection_has_pending(&consumer->connection);
}

bool consumer_wants_write(const struct consumer *consumer)
{
	return connection_wants_write(&consumer->connection);
}
