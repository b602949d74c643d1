/*
 * libFuzzer: what a broker sends to a consumer, frames in any order, torn, or no frames at all. The first byte picks:
 * a stream of bytes as it is, or steps of which frames are made; as long as those are deliveries, headers and scan of
 * bodies, a model says what must arrive. Before it comes a good delivery, which must arrive whole, and afterwards the
 * connection is opened anew, where one must arrive again whatever half of a message was left.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "peer.h"

enum {
	QOS_OK = 11,
	CONSUME_OK = 21,
	CANCEL = 30,
	DELIVER = 60,
	DECLARE_OK = 11,
	CLOSE_CHANNEL = 40,
	RETURN = 50,
	CLOSE = 50,
	BLOCKED = 60,
};
enum { LANES = 2, SERVES_MAX = 4, STEP_BODY_MAX = 600 };

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

static struct buffer stream; /* what the broker says */
static struct buffer greeting;

static void add_deliver(struct buffer *out, const char *tag, uint64_t number, bool is_redelivered)
{
	size_t mark = method_begin(out, CLASS_BASIC, DELIVER);
	add_short_text(out, tag);
	buffer_add_u64(out, number);
	buffer_add_byte(out, is_redelivered);
	add_short_text(out, "hospital");
	add_short_text(out, "hospital.blood.requested");
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
	add_method(out, CLASS_BASIC, QOS_OK);
	for (size_t lane = 0; lane < LANES; lane++) {
		size_t mark = method_begin(out, CLASS_QUEUE, DECLARE_OK);
		add_short_text(out, queues[lane]);
		buffer_add_u64(out, 0);
		frame_end(out, mark);
		mark = method_begin(out, CLASS_BASIC, CONSUME_OK);
		add_short_text(out, tags[lane]);
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

static void step_deliver(struct scan *scan, struct model *model)
{
	size_t tag = scan_byte(scan) % (sizeof(tags) / sizeof(tags[0]));
	add_deliver(&stream, tags[tag], scan_byte(scan), scan_byte(scan) & 1);
	if (!model->is_broken)
		model_deliver(model, tag < LANES);
}

static void step_header(struct scan *scan, struct model *model)
{
	unsigned size = scan_u16(scan) % STEP_BODY_MAX;
	add_header(&stream, size);
	if (!model->is_broken)
		model_header(model, size);
}

static void step_body(struct scan *scan, struct model *model)
{
	static const unsigned char zeros[STEP_BODY_MAX];
	unsigned size = scan_u16(scan) % STEP_BODY_MAX;
	add_frame(&stream, BODY, zeros, size);
	if (!model->is_broken)
		model_body(model, size);
}

/* A header with properties, or a method, that the model does not know. */
static void add_some(struct scan *scan, size_t wanted)
{
	struct slice slice = scan_take(scan, wanted < scan->left_bytes ? wanted : scan->left_bytes);
	buffer_add(&stream, slice.bytes, slice.length);
}

static size_t strange_method(struct scan *scan)
{
	static const unsigned methods[][2] = { { CLASS_BASIC, CANCEL }, { CLASS_BASIC, DELIVER },
		{ CLASS_CHANNEL, CLOSE_CHANNEL }, { CLASS_CONNECTION, CLOSE }, { CLASS_CONNECTION, BLOCKED },
		{ CLASS_BASIC, RETURN } };
	const unsigned *method = methods[scan_byte(scan) % (sizeof(methods) / sizeof(methods[0]))];
	return method_begin(&stream, method[0], method[1]);
}

static size_t strange_frame(struct scan *scan, unsigned type)
{
	size_t mark = frame_begin(&stream, type);
	if (type == HEADER) {
		buffer_add_u16(&stream, CLASS_BASIC);
		buffer_add_u16(&stream, 0);
		buffer_add_u64(&stream, scan_u16(scan));
	}
	return mark;
}

/* A header with properties, or a method, that the model does not know. */
static void step_strange(struct scan *scan, struct model *model, unsigned type)
{
	size_t wanted = scan_byte(scan);
	model->is_sure = model->is_sure && model->is_broken;
	size_t mark = type == METHOD ? strange_method(scan) : strange_frame(scan, type);
	add_some(scan, wanted);
	frame_end(&stream, mark);
}

static void add_steps(struct scan *scan, struct model *model)
{
	while (scan->left_bytes > 0 && stream.length_bytes < PEER_STREAM_MAX) {
		switch (scan_byte(scan) % 8) {
		case 0:
		case 1:
			step_deliver(scan, model);
			break;
		case 2:
			step_header(scan, model);
			break;
		case 3:
		case 4:
			step_body(scan, model);
			break;
		case 5:
			step_strange(scan, model, HEADER);
			break;
		case 6:
			step_strange(scan, model, METHOD);
			break;
		default:
			step_strange(scan, model, scan_byte(scan));
		}
	}
}

/* --- the consumer */

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

/* Opens, and serves until the stream is over, which closes the connection. */
static void serve(struct consumer *consumer)
{
	struct why why = { 0 };
	must(consumer_open(consumer, 100, &why), "it opens");
	peer_say(stream.data, stream.length_bytes);
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
	struct scan scan = { .next = data, .left_bytes = size };
	struct model model = { 0 };
	struct arrived arrived = { 0 }, again = { 0 };
	struct broker_address address = { .url = "amqp://127.0.0.1:1/none", .user = "", .password = "" };
	struct consumer *consumer = consumer_new(&address, "bank-1", queues, LANES, on_delivery, &arrived);
	if (greeting.length_bytes == 0)
		add_greeting(&greeting);
	peer_greet(&greeting);
	add_good_delivery(&stream);
	if (scan_byte(&scan) % 2 == 0) {
		add_some(&scan, PEER_STREAM_MAX);
	} else {
		model.is_sure = true;
		add_steps(&scan, &model);
	}
	serve(consumer);
	check_arrived(&arrived, &model);
	buffer_reset(&stream);
	add_good_delivery(&stream);
	arrived = again;
	serve(consumer);
	must(arrived.messages == 1 && arrived.is_first_good, "what was left of a message does not stay");
	buffer_reset(&stream);
	consumer_free(consumer);
	return 0;
}
