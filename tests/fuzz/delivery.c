/*
 * libFuzzer: what a broker sends to a consumer, frames in any order, torn, or no frames at all. The first byte picks:
 * a stream of bytes as it is, or steps of which frames are made; as long as those are deliveries, headers and pieces of
 * bodies, a model says what must arrive. Before it comes a good delivery, which must arrive whole, and afterwards the
 * connection is opened anew, where one must arrive again whatever half of a message was left.
 */
#include "pieces.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <amqp_tcp_socket.h>

#include "broker_internal.h"
#include "buffer.h"
#include "clock.h"

bool __wrap_connection_open(struct connection *connection, const struct broker_address *address,
	struct why *why);

enum { METHOD = 1, HEADER = 2, BODY = 3, FRAME_END = 0xCE };
enum { CLASS_QUEUE = 50, CLASS_BASIC = 60, CLASS_CHANNEL = 20, CLASS_CONNECTION = 10 };
enum {
	QOS_OK = 11,
	CONSUME_OK = 21,
	CANCEL = 30,
	DELIVER = 60,
	DECLARE_OK = 11,
	CLOSE_CHANNEL = 40,
	CLOSE = 50
};
enum { LANES = 2, SERVES_MAX = 4, FRAME_MAX_BYTES = 131072, STREAM_MAX = 100 * 1024, STEP_BODY_MAX = 600 };

static const char *const queues[LANES] = { "bank", "bank.emergency" };
static const char *const tags[] = { "bank-1", "bank-1.1", "bank-1+1", "stranger", "" };
static const char good_body[] = "{\"request_id\":1}";

/* What must arrive, by the steps taken so far. */
struct model {
	bool is_sure;   /* nothing was sent that the model does not know */
	bool is_broken; /* something was sent that ends the connection */
	bool is_open, has_header;
	uint64_t expected, received;
	size_t messages;
	uint64_t bytes;
};

/* What did arrive. */
struct arrived {
	size_t messages;
	uint64_t bytes;
	bool is_first_good;
};

static struct buffer stream; /* what the next connection gets */
static int peer = -1;        /* the broker's end of the connection */

static size_t frame_begin(struct buffer *out, unsigned type)
{
	buffer_add_byte(out, (unsigned char)type);
	buffer_add_u16(out, WIRE_CHANNEL);
	size_t mark = out->length_bytes;
	buffer_add_u32(out, 0);
	return mark;
}

static void frame_end(struct buffer *out, size_t mark)
{
	buffer_set_u32(out, mark, (uint32_t)(out->length_bytes - mark - sizeof(uint32_t)));
	buffer_add_byte(out, FRAME_END);
}

static size_t method_begin(struct buffer *out, unsigned class, unsigned method)
{
	size_t mark = frame_begin(out, METHOD);
	buffer_add_u16(out, (uint16_t) class);
	buffer_add_u16(out, (uint16_t)method);
	return mark;
}

static void add_text(struct buffer *out, const char *text)
{
	buffer_add_byte(out, (unsigned char)strlen(text));
	buffer_add_text(out, text);
}

static void add_deliver(struct buffer *out, const char *tag, uint64_t number, bool is_redelivered)
{
	size_t mark = method_begin(out, CLASS_BASIC, DELIVER);
	add_text(out, tag);
	buffer_add_u64(out, number);
	buffer_add_byte(out, is_redelivered);
	add_text(out, "hospital");
	add_text(out, "hospital.blood.requested");
	frame_end(out, mark);
}

static void add_header(struct buffer *out, uint64_t size)
{
	size_t mark = frame_begin(out, HEADER);
	buffer_add_u16(out, CLASS_BASIC);
	buffer_add_u16(out, 0);
	buffer_add_u64(out, size);
	buffer_add_u16(out, 0);
	frame_end(out, mark);
}

static void add_frame(struct buffer *out, unsigned type, const void *bytes, size_t length)
{
	size_t mark = frame_begin(out, type);
	buffer_add(out, bytes, length);
	frame_end(out, mark);
}

static void add_good_delivery(struct buffer *out)
{
	add_deliver(out, tags[0], 1, false);
	add_header(out, sizeof(good_body) - 1);
	add_frame(out, BODY, good_body, sizeof(good_body) - 1);
}

/* The answers to what a consumer asks when it opens. */
static void add_greeting(struct buffer *out)
{
	frame_end(out, method_begin(out, CLASS_BASIC, QOS_OK));
	for (size_t lane = 0; lane < LANES; lane++) {
		size_t mark = method_begin(out, CLASS_QUEUE, DECLARE_OK);
		add_text(out, queues[lane]);
		buffer_add_u64(out, 0);
		frame_end(out, mark);
		mark = method_begin(out, CLASS_BASIC, CONSUME_OK);
		add_text(out, tags[lane]);
		frame_end(out, mark);
	}
}

/* --- the model */

static void model_complete(struct model *model)
{
	model->messages++;
	model->bytes += model->expected;
	model->is_open = model->has_header = false;
}

static void model_deliver(struct model *model, bool is_known)
{
	if (model->is_open || !is_known)
		model->is_broken = true;
	model->is_open = true;
}

static void model_header(struct model *model, uint64_t size)
{
	if (!model->is_open || model->has_header) {
		model->is_broken = true;
		return;
	}
	model->has_header = true;
	model->expected = size;
	model->received = 0;
	if (size == 0)
		model_complete(model);
}

static void model_body(struct model *model, uint64_t length)
{
	if (!model->has_header || length > model->expected - model->received) {
		model->is_broken = true;
		return;
	}
	model->received += length;
	if (model->received == model->expected)
		model_complete(model);
}

/* --- steps */

static void step_deliver(struct pieces *pieces, struct model *model)
{
	size_t tag = pieces_byte(pieces) % (sizeof(tags) / sizeof(tags[0]));
	add_deliver(&stream, tags[tag], pieces_byte(pieces), pieces_byte(pieces) & 1);
	if (!model->is_broken)
		model_deliver(model, tag < LANES);
}

static void step_header(struct pieces *pieces, struct model *model)
{
	unsigned size = pieces_u16(pieces) % STEP_BODY_MAX;
	add_header(&stream, size);
	if (!model->is_broken)
		model_header(model, size);
}

static void step_body(struct pieces *pieces, struct model *model)
{
	static const unsigned char zeros[STEP_BODY_MAX];
	unsigned size = pieces_u16(pieces) % STEP_BODY_MAX;
	add_frame(&stream, BODY, zeros, size);
	if (!model->is_broken)
		model_body(model, size);
}

/* A header with properties, or a method, that the model does not know. */
static void step_strange(struct pieces *pieces, struct model *model, unsigned type)
{
	size_t length;
	unsigned wanted = pieces_byte(pieces);
	model->is_sure = model->is_sure && model->is_broken;
	if (type == METHOD) {
		static const unsigned methods[][2] = { { CLASS_BASIC, CANCEL }, { CLASS_BASIC, DELIVER },
			{ CLASS_CHANNEL, CLOSE_CHANNEL }, { CLASS_CONNECTION, CLOSE }, { CLASS_CONNECTION, 60 },
			{ CLASS_BASIC, 50 } };
		const unsigned *method = methods[pieces_byte(pieces) % (sizeof(methods) / sizeof(methods[0]))];
		size_t mark = method_begin(&stream, method[0], method[1]);
		const uint8_t *bytes = pieces_bytes(pieces, wanted, &length);
		buffer_add(&stream, bytes, length);
		frame_end(&stream, mark);
		return;
	}
	size_t mark = frame_begin(&stream, type);
	if (type == HEADER) {
		buffer_add_u16(&stream, CLASS_BASIC);
		buffer_add_u16(&stream, 0);
		buffer_add_u64(&stream, pieces_u16(pieces));
	}
	const uint8_t *bytes = pieces_bytes(pieces, wanted, &length);
	buffer_add(&stream, bytes, length);
	frame_end(&stream, mark);
}

static void add_steps(struct pieces *pieces, struct model *model)
{
	while (pieces->left > 0 && stream.length_bytes < STREAM_MAX) {
		switch (pieces_byte(pieces) % 8) {
		case 0:
		case 1:
			step_deliver(pieces, model);
			break;
		case 2:
			step_header(pieces, model);
			break;
		case 3:
		case 4:
			step_body(pieces, model);
			break;
		case 5:
			step_strange(pieces, model, HEADER);
			break;
		case 6:
			step_strange(pieces, model, METHOD);
			break;
		default:
			step_strange(pieces, model, pieces_byte(pieces));
		}
	}
}

/* --- the consumer */

/* In place of lib/broker.c's: no network, no handshake; what `stream` holds is all that the broker will say. */
bool __wrap_connection_open(struct connection *connection, const struct broker_address *address,
	struct why *why)
{
	int ends[2];
	(void)address;
	(void)why;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
		abort();
	if (send(ends[1], stream.data, stream.length_bytes, 0) != (ssize_t)stream.length_bytes)
		abort();
	shutdown(ends[1], SHUT_WR);
	if (peer >= 0)
		close(peer);
	peer = ends[1];
	connection->state = amqp_new_connection();
	amqp_socket_t *socket = amqp_tcp_socket_new(connection->state);
	if (socket == NULL)
		abort();
	amqp_tcp_socket_set_sockfd(socket, ends[0]);
	connection->frame_max_bytes = FRAME_MAX_BYTES;
	connection->heartbeat_ms = 0;
	connection->received_ms = connection->written_ms = clock_steady_ms();
	return true;
}

static size_t length_of(const char *text)
{
	return text == NULL ? 0 : strlen(text);
}

static void on_delivery(void *owner, struct delivery *delivery)
{
	struct arrived *arrived = owner;
	must(delivery->lane < LANES, "its lane is one of the consumer's");
	must(delivery->body_bytes <= BROKER_BODY_KEPT, "its body keeps the limit");
	must(delivery->body[delivery->body_bytes] == '\0', "a NUL is behind the body");
	must(length_of(delivery->exchange) < 256 && length_of(delivery->routing_key) < 256,
		"short texts are short");
	must(length_of(delivery->traceparent) < 256 && length_of(delivery->causation_id) < 256,
		"headers are short");
	must(length_of(delivery->message_id) + length_of(delivery->correlation_id) + length_of(delivery->type)
				+ length_of(delivery->app_id) + length_of(delivery->user_id) + length_of(delivery->reply_to)
				+ length_of(delivery->content_type)
			< 7 * 256,
		"properties are short");
	if (arrived->messages == 0)
		arrived->is_first_good = strcmp(delivery->body, good_body) == 0 && delivery->tag == 1
			&& strcmp(delivery->routing_key, "hospital.blood.requested") == 0;
	arrived->messages++;
	arrived->bytes += delivery->body_bytes;
	delivery_free(delivery);
}

/* Serves until the stream is over, which closes the connection. */
static void serve(struct consumer *consumer)
{
	struct why why = { 0 };
	must(consumer_open(consumer, 100, &why), "it opens");
	for (int i = 0; i < SERVES_MAX && consumer_is_open(consumer); i++)
		if (!consumer_serve(consumer, &why))
			must(why.reason[0] != '\0' && why.text[0] != '\0', "a failure says why");
	must(!consumer_is_open(consumer), "the end of the stream closes it");
}

static void check_arrived(const struct arrived *arrived, const struct model *model)
{
	must(arrived->is_first_good, "the good delivery arrived whole");
	if (!model->is_sure)
		return;
	must(arrived->messages == model->messages + 1, "as many messages arrived as the model says");
	must(arrived->bytes == model->bytes + sizeof(good_body) - 1, "as many bytes arrived as the model says");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pieces pieces = { data, size };
	struct model model = { 0 };
	struct arrived arrived = { 0 }, again = { 0 };
	struct broker_address address = { .url = "amqp://127.0.0.1:1/none", .user = "", .password = "" };
	struct consumer *consumer = consumer_new(&address, "bank-1", queues, LANES, on_delivery, &arrived);
	add_greeting(&stream);
	add_good_delivery(&stream);
	if (pieces_byte(&pieces) % 2 == 0) {
		buffer_add(&stream, pieces.next, pieces.left < STREAM_MAX ? pieces.left : STREAM_MAX);
	} else {
		model.is_sure = true;
		add_steps(&pieces, &model);
	}
	serve(consumer);
	check_arrived(&arrived, &model);
	buffer_reset(&stream);
	add_greeting(&stream);
	add_good_delivery(&stream);
	arrived = again;
	serve(consumer);
	must(arrived.messages == 1 && arrived.is_first_good, "what was left of a message does not stay");
	buffer_reset(&stream);
	consumer_free(consumer);
	return 0;
}
