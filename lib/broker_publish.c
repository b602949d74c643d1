/* Publishing: sends with mandatory and confirms, and matches the broker's answers to what was sent. */
#include "broker_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <amqp_framing.h>

enum {
	OUTPUT_FLUSH_BYTES = 32 * 1024, /* a burst begins to travel while it is still being written */
	OUTPUT_MAX_BYTES = 512 * 1024,  /* no room beyond this much unsent */
};

/* One publish that has not been answered. */
struct flight {
	void *token;
	uint64_t fingerprint; /* of exchange, routing key and message id: a return names nothing else */
	bool is_waiting;      /* not settled yet */
	bool is_returned;     /* its return came; the confirm follows */
};

/* A returned message whose header has not come yet. */
struct returning {
	bool is_open;
	uint64_t fingerprint; /* of exchange and routing key so far */
};

struct publisher {
	struct connection connection;
	const struct broker_address *address;
	settle_fn *settle;
	void *owner;
	bool is_blocked;
	uint64_t oldest; /* sequence numbers, from 1 for each channel: the oldest that may still wait, */
	uint64_t next;   /* and the one that the next publish gets */
	size_t in_flight;
	struct returning returning;
	struct flight flights[BROKER_CONFIRM_WINDOW]; /* sequence modulo window */
};

/* FNV-1a, continued; the length keeps "a","bc" apart from "ab","c". */
static uint64_t fingerprint_add(uint64_t fingerprint, const void *bytes, size_t length)
{
	const unsigned char *next = bytes;
	for (size_t i = 0; i < length; i++)
		fingerprint = (fingerprint ^ next[i]) * UINT64_C(0x100000001b3);
	return (fingerprint ^ length) * UINT64_C(0x100000001b3);
}

static uint64_t fingerprint_add_text(uint64_t fingerprint, const char *text)
{
	return fingerprint_add(fingerprint, text, text == NULL ? 0 : strnlen(text, 255));
}

static uint64_t fingerprint_of(const struct publication *publication)
{
	uint64_t fingerprint = fingerprint_add_text(UINT64_C(0xcbf29ce484222325), publication->exchange);
	fingerprint = fingerprint_add_text(fingerprint, publication->routing_key);
	return fingerprint_add_text(fingerprint, publication->message_id);
}

static struct flight *flight_at(struct publisher *publisher, uint64_t sequence)
{
	return &publisher->flights[sequence % BROKER_CONFIRM_WINDOW];
}

static void settle_one(struct publisher *publisher, uint64_t sequence, enum settlement settlement)
{
	struct flight *flight = flight_at(publisher, sequence);
	if (!flight->is_waiting)
		return;
	flight->is_waiting = false;
	publisher->in_flight--;
	if (settlement == SETTLED_CONFIRMED && flight->is_returned)
		settlement = SETTLED_RETURNED;
	publisher->settle(publisher->owner, flight->token, settlement);
}

/* `tag` alone, or everything up to it; 0 with `is_multiple` means everything. */
static void settle_range(struct publisher *publisher, uint64_t tag, bool is_multiple,
	enum settlement settlement)
{
	if (is_multiple && tag == 0)
		tag = publisher->next - 1;
	if (tag < publisher->oldest || tag >= publisher->next)
		return;
	for (uint64_t sequence = is_multiple ? publisher->oldest : tag; sequence <= tag; sequence++)
		settle_one(publisher, sequence, settlement);
	while (publisher->oldest < publisher->next && !flight_at(publisher, publisher->oldest)->is_waiting)
		publisher->oldest++;
}

static void lose_all(struct publisher *publisher)
{
	settle_range(publisher, 0, true, SETTLED_LOST);
	publisher->is_blocked = false;
	publisher->returning = (struct returning){ 0 };
}

static void take_return(struct publisher *publisher, const amqp_basic_return_t *method)
{
	uint64_t fingerprint =
		fingerprint_add(UINT64_C(0xcbf29ce484222325), method->exchange.bytes, method->exchange.len);
	fingerprint = fingerprint_add(fingerprint, method->routing_key.bytes, method->routing_key.len);
	publisher->returning = (struct returning){ .is_open = true, .fingerprint = fingerprint };
}

/* Marks the oldest waiting publish that looks like the returned one: returns come in the order of the publishes. */
static void take_returned_header(struct publisher *publisher, const amqp_basic_properties_t *properties)
{
	if (!publisher->returning.is_open)
		return;
	publisher->returning.is_open = false;
	bool has_id = properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG;
	uint64_t fingerprint = fingerprint_add(publisher->returning.fingerprint,
		has_id ? properties->message_id.bytes : NULL, has_id ? properties->message_id.len : 0);
	for (uint64_t sequence = publisher->oldest; sequence < publisher->next; sequence++) {
		struct flight *flight = flight_at(publisher, sequence);
		if (flight->is_waiting && !flight->is_returned && flight->fingerprint == fingerprint) {
			flight->is_returned = true;
			return;
		}
	}
}

static void take_method(struct publisher *publisher, amqp_method_t method)
{
	if (method.id == AMQP_BASIC_ACK_METHOD) {
		const amqp_basic_ack_t *ack = method.decoded;
		settle_range(publisher, ack->delivery_tag, ack->multiple, SETTLED_CONFIRMED);
	} else if (method.id == AMQP_BASIC_NACK_METHOD) {
		const amqp_basic_nack_t *nack = method.decoded;
		settle_range(publisher, nack->delivery_tag, nack->multiple, SETTLED_NACKED);
	} else if (method.id == AMQP_BASIC_RETURN_METHOD) {
		take_return(publisher, method.decoded);
	} else if (method.id == AMQP_CONNECTION_BLOCKED_METHOD) {
		publisher->is_blocked = true;
	} else if (method.id == AMQP_CONNECTION_UNBLOCKED_METHOD) {
		publisher->is_blocked = false;
	}
}

static bool read_all(struct publisher *publisher, struct why *why)
{
	for (;;) {
		amqp_frame_t frame;
		switch (connection_read(&publisher->connection, &frame, why)) {
		case READING_FRAME:
			if (frame.frame_type == AMQP_FRAME_METHOD)
				take_method(publisher, frame.payload.method);
			else if (frame.frame_type == AMQP_FRAME_HEADER)
				take_returned_header(publisher, frame.payload.properties.decoded);
			break;
		case READING_NOTHING:
			return true;
		case READING_FAILED:
			return false;
		}
	}
}

struct publisher *publisher_new(const struct broker_address *address, settle_fn *settle, void *owner)
{
	struct publisher *publisher = calloc(1, sizeof(*publisher));
	if (publisher == NULL)
		abort();
	publisher->address = address;
	publisher->settle = settle;
	publisher->owner = owner;
	publisher->oldest = publisher->next = 1;
	return publisher;
}

void publisher_free(struct publisher *publisher)
{
	if (publisher == NULL)
		return;
	publisher_close(publisher);
	connection_clear(&publisher->connection);
	free(publisher);
}

bool publisher_open(struct publisher *publisher, struct why *why)
{
	connection_drop(&publisher->connection);
	lose_all(publisher);
	if (!connection_open(&publisher->connection, publisher->address, why))
		return false;
	publisher->oldest = publisher->next = 1;
	amqp_connection_state_t state = publisher->connection.state;
	amqp_confirm_select(state, WIRE_CHANNEL);
	if (connection_succeeded(amqp_get_rpc_reply(state), "asking for confirms", why))
		return true;
	connection_drop(&publisher->connection);
	return false;
}

void publisher_close(struct publisher *publisher)
{
	connection_close(&publisher->connection);
	lose_all(publisher);
}

bool publisher_is_open(const struct publisher *publisher)
{
	return connection_is_open(&publisher->connection);
}

bool publisher_is_blocked(const struct publisher *publisher)
{
	return publisher->is_blocked;
}

size_t publisher_in_flight(const struct publisher *publisher)
{
	return publisher->in_flight;
}

size_t publisher_room(const struct publisher *publisher)
{
	if (!publisher_is_open(publisher) || publisher->is_blocked
		|| connection_unsent_bytes(&publisher->connection) > OUTPUT_MAX_BYTES)
		return 0;
	return BROKER_CONFIRM_WINDOW - (size_t)(publisher->next - publisher->oldest);
}

bool publisher_send(struct publisher *publisher, const struct publication *publication, void *token,
	struct why *why)
{
	struct connection *connection = &publisher->connection;
	assert(publisher->next - publisher->oldest < BROKER_CONFIRM_WINDOW);
	bool is_due = connection_unsent_bytes(connection) >= OUTPUT_FLUSH_BYTES && !connection->is_stalled;
	if (is_due && !connection_flush(connection, why)) {
		lose_all(publisher);
		return false;
	}
	wire_publish(&connection->output, publication, publisher->address->user, connection->frame_max_bytes);
	*flight_at(publisher, publisher->next++) = (struct flight){
		.token = token,
		.fingerprint = fingerprint_of(publication),
		.is_waiting = true,
	};
	publisher->in_flight++;
	return true;
}

bool publisher_serve(struct publisher *publisher, struct why *why)
{
	struct connection *connection = &publisher->connection;
	if (connection_beat(connection, why) && connection_flush(connection, why) && read_all(publisher, why))
		return true;
	lose_all(publisher);
	return false;
}

int publisher_socket(const struct publisher *publisher)
{
	return connection_socket(&publisher->connection);
}

bool publisher_has_pending(const struct publisher *publisher)
{
	return connection_has_pending(&publisher->connection);
}

bool publisher_wants_write(const struct publisher *publisher)
{
	return connection_wants_write(&publisher->connection);
}
