/* librabbitmq opens the connection; from then on the frames are read here. Layouts: AMQP 0-9-1, sections 1.8 and 2.3.5. */
#include "broker_hold.h"

#include "broker_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"

enum { FRAME_METHOD = 1, FRAME_HEADER = 2, FRAME_BODY = 3, FRAME_HEARTBEAT = 8, FRAME_END = 0xCE };
enum {
	FRAME_HEAD_BYTES = 7,
	FRAME_MAX_BYTES = 1024 * 1024,
	RECEIVE_BYTES = 64 * 1024,
	SERVE_PERIOD_MS = 1000
};
enum { TEXT_BYTES = 256, NOT_FOUND = 404 };

/* Class and method in one number. */
enum method {
	CONNECTION_CLOSE = 10 << 16 | 50,
	CHANNEL_CLOSE = 20 << 16 | 40,
	BASIC_RETURN = 60 << 16 | 50,
	BASIC_GET_OK = 60 << 16 | 71,
	BASIC_GET_EMPTY = 60 << 16 | 72,
	BASIC_ACK = 60 << 16 | 80,
	BASIC_NACK = 60 << 16 | 120,
};

struct hold {
	struct connection connection;
	const struct broker_address *address;
	const char *queue;
	struct buffer input; /* as received; the first `read_bytes` are done with */
	size_t read_bytes;
	struct buffer properties, body; /* of the held message */
	char exchange[TEXT_BYTES], routing_key[TEXT_BYTES];
};

/* One frame; `payload` is valid until the next is read. For a method it begins behind class and method. */
struct frame {
	uint8_t type;
	uint32_t method;
	struct scan payload;
};

static void copy_text(char text[TEXT_BYTES], struct slice slice)
{
	if (slice.length > 0)
		memcpy(text, slice.bytes, slice.length);
	text[slice.length] = '\0';
}

static bool is_nonsense(struct hold *hold, const char *what, struct why *why)
{
	return connection_failed(&hold->connection, why, "the broker sent %s that does not belong here", what);
}

/* Waits until the socket can be read, or written if there is something to write; sends heartbeats meanwhile. */
static bool wait_for_socket(struct hold *hold, int64_t deadline_ms, struct why *why)
{
	struct connection *connection = &hold->connection;
	if (!connection_beat(connection, why) || !connection_flush(connection, why))
		return false;
	int64_t left_ms = deadline_ms - clock_steady_ms();
	if (left_ms <= 0)
		return connection_failed(connection, why,
			"no answer from the broker within %d s; look for an alarm in its log", HOLD_ANSWER_MS / 1000);
	struct pollfd poller = { .fd = connection_socket(connection),
		.events = (short)(POLLIN | (connection_wants_write(connection) ? POLLOUT : 0)) };
	poll(&poller, 1, (int)(left_ms < SERVE_PERIOD_MS ? left_ms : SERVE_PERIOD_MS));
	return true;
}

static bool receive(struct hold *hold, struct why *why)
{
	unsigned char bytes[RECEIVE_BYTES];
	ssize_t length = recv(connection_socket(&hold->connection), bytes, sizeof(bytes), MSG_DONTWAIT);
	if (length > 0) {
		buffer_add(&hold->input, bytes, (size_t)length);
		return true;
	}
	if (length == 0)
		return connection_failed(&hold->connection, why, "the broker closed the connection");
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return true;
	return connection_failed(&hold->connection, why, "reading from the broker: %s", strerror(errno));
}

static void cut_input(struct hold *hold)
{
	struct buffer *input = &hold->input;
	input->length_bytes -= hold->read_bytes;
	if (input->length_bytes > 0)
		memmove(input->data, input->data + hold->read_bytes, input->length_bytes);
	hold->read_bytes = 0;
}

/* Takes a whole frame off the input. False: there is none yet, or (then the connection is closed) it is no frame. */
static bool take_frame(struct hold *hold, struct frame *frame, struct why *why)
{
	size_t left_bytes = hold->input.length_bytes - hold->read_bytes;
	if (left_bytes < FRAME_HEAD_BYTES)
		return false;
	struct scan scan = { .next = hold->input.data + hold->read_bytes, .left_bytes = left_bytes };
	uint8_t type = scan_byte(&scan);
	scan_u16(&scan);
	uint32_t length = scan_u32(&scan);
	if (length > FRAME_MAX_BYTES)
		return is_nonsense(hold, "a frame of a length", why);
	if (scan.left_bytes < (size_t)length + 1)
		return false;
	struct slice payload = scan_take(&scan, length);
	if (scan_byte(&scan) != FRAME_END)
		return is_nonsense(hold, "a frame without an end", why);
	*frame = (struct frame){ .type = type, .payload = { .next = payload.bytes, .left_bytes = length } };
	hold->read_bytes += FRAME_HEAD_BYTES + (size_t)length + 1;
	return true;
}

/* "channel.close" and "connection.close" end everything. */
static bool tell_close(struct hold *hold, struct frame *frame, struct why *why)
{
	char text[TEXT_BYTES];
	unsigned code = scan_u16(&frame->payload);
	copy_text(text, scan_short_text(&frame->payload));
	connection_drop(&hold->connection);
	return because(why, code == NOT_FOUND ? "absent" : "refused", "queue %s: the broker refused: %u %s",
		hold->queue, code, text);
}

/* The next frame that means something: no heartbeats, nothing about alarms. */
static bool next_frame(struct hold *hold, int64_t deadline_ms, struct frame *frame, struct why *why)
{
	*frame = (struct frame){ .type = 0 };
	for (;;) {
		cut_input(hold);
		while (!take_frame(hold, frame, why))
			if (!connection_is_open(&hold->connection) || !wait_for_socket(hold, deadline_ms, why)
				|| !receive(hold, why))
				return false;
		if (frame->type == FRAME_HEADER || frame->type == FRAME_BODY)
			return true;
		if (frame->type != FRAME_METHOD)
			continue;
		frame->method = (uint32_t)scan_u16(&frame->payload) << 16;
		frame->method |= scan_u16(&frame->payload);
		if (frame->payload.is_bad)
			return is_nonsense(hold, "a method without a name", why);
		if (frame->method == CONNECTION_CLOSE || frame->method == CHANNEL_CLOSE)
			return tell_close(hold, frame, why);
		if (frame->method >> 16 == BASIC_ACK >> 16)
			return true;
	}
}

struct hold *hold_new(const struct broker_address *address, const char *queue)
{
	struct hold *hold = calloc(1, sizeof(*hold));
	if (hold == NULL)
		abort();
	hold->address = address;
	hold->queue = queue;
	return hold;
}

void hold_free(struct hold *hold)
{
	if (hold == NULL)
		return;
	hold_close(hold);
	connection_clear(&hold->connection);
	buffer_clear(&hold->input);
	buffer_clear(&hold->properties);
	buffer_clear(&hold->body);
	free(hold);
}

bool hold_open(struct hold *hold, struct why *why)
{
	buffer_reset(&hold->input);
	hold->read_bytes = 0;
	if (!connection_open(&hold->connection, hold->address, why))
		return false;
	amqp_connection_state_t state = hold->connection.state;
	amqp_confirm_select(state, WIRE_CHANNEL);
	if (!connection_succeeded(amqp_get_rpc_reply(state), "asking for confirms", why)) {
		connection_drop(&hold->connection);
		return false;
	}
	if (amqp_frames_enqueued(state) || amqp_data_in_buffer(state))
		return is_nonsense(hold, "something", why);
	return true;
}

void hold_close(struct hold *hold)
{
	connection_close(&hold->connection);
}

/* The header frame's properties, and the length of the body that follows. */
static bool take_header(struct hold *hold, int64_t deadline_ms, uint64_t *body_bytes, struct why *why)
{
	struct frame frame;
	if (!next_frame(hold, deadline_ms, &frame, why))
		return false;
	if (frame.type != FRAME_HEADER)
		return is_nonsense(hold, "no header", why);
	scan_u32(&frame.payload); /* class and weight */
	*body_bytes = scan_u64(&frame.payload);
	if (frame.payload.is_bad || *body_bytes > HOLD_BODY_MAX)
		return is_nonsense(hold, "a header", why);
	buffer_reset(&hold->properties);
	buffer_add(&hold->properties, frame.payload.next, frame.payload.left_bytes);
	return true;
}

/* Everything of a message behind its method. */
static bool take_content(struct hold *hold, int64_t deadline_ms, struct why *why)
{
	uint64_t expected_bytes = 0;
	if (!take_header(hold, deadline_ms, &expected_bytes, why))
		return false;
	buffer_reset(&hold->body);
	while (hold->body.length_bytes < expected_bytes) {
		struct frame frame;
		if (!next_frame(hold, deadline_ms, &frame, why))
			return false;
		if (frame.type != FRAME_BODY || frame.payload.left_bytes == 0
			|| frame.payload.left_bytes > expected_bytes - hold->body.length_bytes)
			return is_nonsense(hold, "a piece of a body", why);
		buffer_add(&hold->body, frame.payload.next, frame.payload.left_bytes);
	}
	return true;
}

static bool take_message(struct hold *hold, struct frame *frame, int64_t deadline_ms, struct held *held,
	struct why *why)
{
	*held = (struct held){ .tag = scan_u64(&frame->payload) };
	held->is_redelivered = scan_byte(&frame->payload) != 0;
	copy_text(hold->exchange, scan_short_text(&frame->payload));
	copy_text(hold->routing_key, scan_short_text(&frame->payload));
	held->behind = scan_u32(&frame->payload);
	if (frame->payload.is_bad)
		return is_nonsense(hold, "a message", why);
	if (!take_content(hold, deadline_ms, why))
		return false;
	held->exchange = hold->exchange;
	held->routing_key = hold->routing_key;
	held->properties = (struct slice){ hold->properties.data, hold->properties.length_bytes };
	held->body = (struct slice){ hold->body.data, hold->body.length_bytes };
	return true;
}

enum holding hold_next(struct hold *hold, struct held *held, struct why *why)
{
	struct frame frame;
	int64_t deadline_ms = clock_steady_ms() + HOLD_ANSWER_MS;
	wire_get(&hold->connection.output, hold->queue);
	if (!next_frame(hold, deadline_ms, &frame, why))
		return HOLDING_FAILED;
	if (frame.type == FRAME_METHOD && frame.method == BASIC_GET_EMPTY)
		return HOLDING_END;
	if (frame.type == FRAME_METHOD && frame.method == BASIC_GET_OK)
		return take_message(hold, &frame, deadline_ms, held, why) ? HOLDING_MESSAGE : HOLDING_FAILED;
	is_nonsense(hold, "an answer", why);
	return HOLDING_FAILED;
}

/* What a confirm, or its absence, says of the one message that is under way. */
static enum settlement settle(const char *queue, bool is_confirmed, bool is_returned, struct why *why)
{
	if (is_returned) {
		because(why, "absent", "there is no queue %s; `carebus topology plan` tells what is missing", queue);
		return SETTLED_RETURNED;
	}
	if (is_confirmed)
		return SETTLED_CONFIRMED;
	because(why, "full", "queue %s did not take the message: it is full, or its replicas are away", queue);
	return SETTLED_NACKED;
}

enum settlement hold_send(struct hold *hold, const char *queue, struct slice properties, struct slice body,
	struct why *why)
{
	struct connection *connection = &hold->connection;
	int64_t deadline_ms = clock_steady_ms() + HOLD_ANSWER_MS;
	bool is_returned = false;
	if (properties.length > WIRE_PROPERTIES_MAX(connection->frame_max_bytes)) {
		because(why, "too_large", "the headers of %zu bytes do not fit a frame", properties.length);
		return SETTLED_NACKED;
	}
	wire_republish(&connection->output, queue, properties, body, connection->frame_max_bytes);
	for (;;) {
		struct frame frame;
		if (!next_frame(hold, deadline_ms, &frame, why))
			return SETTLED_LOST;
		if (frame.type != FRAME_METHOD)
			continue; /* the rest of what is returned */
		if (frame.method == BASIC_ACK || frame.method == BASIC_NACK)
			return settle(queue, frame.method == BASIC_ACK, is_returned, why);
		is_returned |= frame.method == BASIC_RETURN;
	}
}

bool hold_let_go(struct hold *hold, uint64_t tag, struct why *why)
{
	int64_t deadline_ms = clock_steady_ms() + HOLD_ANSWER_MS;
	wire_ack(&hold->connection.output, tag, false);
	if (!connection_flush(&hold->connection, why))
		return false;
	while (connection_unsent_bytes(&hold->connection) > 0)
		if (!wait_for_socket(hold, deadline_ms, why))
			return false;
	return true;
}
