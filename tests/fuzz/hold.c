/*
 * libFuzzer: what a broker sends to someone who looks through a queue. The first byte picks: a stream of bytes as it is, or steps of
 * which frames are made, for which a model says how many messages must be seen. Before it comes a good message.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "broker_hold.h"
#include "peer.h"

enum { GET_OK = 71, SELECT_OK = 11, MESSAGES_MAX = 64 };

static const char good_body[] = "{}";
static struct buffer stream; /* what the broker says */

enum wanted { WANT_METHOD, WANT_HEADER, WANT_BODY, WANT_NOTHING /* the connection is ended */ };

/* What must be seen, by the steps taken so far. */
struct model {
	enum wanted wanted;
	uint64_t left_bytes; /* of the body */
	size_t messages;
	uint64_t bytes, expected_bytes; /* of all bodies, and of the one that is under way */
};

static void add_get_ok(bool is_whole)
{
	size_t mark = method_begin(&stream, CLASS_BASIC, GET_OK);
	buffer_add_u64(&stream, 1);
	buffer_add_byte(&stream, 0);
	add_short_text(&stream, "parked");
	add_short_text(&stream, "hospital");
	if (is_whole)
		buffer_add_u32(&stream, 3);
	frame_end(&stream, mark);
}

static void add_good_message(void)
{
	add_get_ok(true);
	add_header(&stream, sizeof(good_body) - 1);
	add_frame(&stream, BODY, good_body, sizeof(good_body) - 1);
}

static void complete(struct model *model)
{
	model->messages++;
	model->bytes += model->expected_bytes;
	model->wanted = WANT_METHOD;
}

static void step_method(struct model *model, bool is_whole)
{
	add_get_ok(is_whole);
	model->wanted = model->wanted == WANT_METHOD && is_whole ? WANT_HEADER : WANT_NOTHING;
}

static void step_header(struct model *model, unsigned size)
{
	add_header(&stream, size);
	bool is_wanted = model->wanted == WANT_HEADER;
	model->wanted = is_wanted ? WANT_BODY : WANT_NOTHING;
	model->left_bytes = model->expected_bytes = size;
	if (is_wanted && size == 0)
		complete(model);
}

static void step_body(struct model *model, unsigned size)
{
	static const unsigned char zeros[UINT8_MAX + 1];
	add_frame(&stream, BODY, zeros, size);
	if (model->wanted != WANT_BODY || size == 0 || size > model->left_bytes) {
		model->wanted = WANT_NOTHING;
		return;
	}
	model->left_bytes -= size;
	if (model->left_bytes == 0)
		complete(model);
}

static void add_steps(struct scan *scan, struct model *model)
{
	while (scan->left_bytes > 0 && stream.length_bytes < PEER_STREAM_MAX
		&& model->messages < MESSAGES_MAX - 1) {
		unsigned step = scan_byte(scan) % 8;
		if (step == 0)
			add_frame(&stream, HEARTBEAT, NULL, 0);
		else if (step <= 2)
			step_method(model, scan_byte(scan) % 8 != 0);
		else if (step <= 4)
			step_header(model, scan_byte(scan));
		else
			step_body(model, scan_byte(scan));
	}
}

static void check_held(const struct held *held)
{
	unsigned sum = 0;
	must(strlen(held->exchange) < 256 && strlen(held->routing_key) < 256, "short texts are short");
	must(held->body.length <= HOLD_BODY_MAX, "a body keeps the limit");
	for (size_t i = 0; i < held->body.length; i++)
		sum += held->body.bytes[i];
	for (size_t i = 0; i < held->properties.length; i++)
		sum += held->properties.bytes[i];
	must(sum < UINT32_MAX, "all of it may be read");
}

/* Looks at all there is behind the good message. */
static void look_through(struct hold *hold, size_t *messages, uint64_t *bytes)
{
	struct why why = { 0 };
	struct held held;
	must(hold_next(hold, &held, &why) == HOLDING_MESSAGE, "the good message is there");
	must(held.tag == 1 && held.behind == 3 && held.body.length == sizeof(good_body) - 1, "as it was sent");
	for (*messages = 0; *messages < MESSAGES_MAX; ++*messages) {
		enum holding holding = hold_next(hold, &held, &why);
		must(holding != HOLDING_FAILED || why.text[0] != '\0', "a failure says why");
		if (holding != HOLDING_MESSAGE)
			return;
		check_held(&held);
		*bytes += held.body.length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buffer greeting;
	struct scan scan = { .next = data, .left_bytes = size };
	struct why why = { 0 };
	struct model model = { 0 };
	struct broker_address address = { .url = "amqp://127.0.0.1:1/none", .user = "", .password = "" };
	struct hold *hold = hold_new(&address, "bank.parked");
	size_t messages;
	uint64_t bytes = 0;
	if (greeting.length_bytes == 0)
		add_method(&greeting, CLASS_CONFIRM, SELECT_OK);
	peer_greet(&greeting);
	add_good_message();
	bool has_steps = scan_byte(&scan) % 2 == 1;
	if (has_steps)
		add_steps(&scan, &model);
	else
		buffer_add(&stream, scan.next, size < PEER_STREAM_MAX ? scan.left_bytes : 0);
	must(hold_open(hold, &why), "it opens");
	peer_say(stream.data, stream.length_bytes);
	look_through(hold, &messages, &bytes);
	must(!has_steps || messages == model.messages, "as many messages are seen as the model says");
	must(!has_steps || bytes == model.bytes, "as many bytes are seen as the model says");
	hold_free(hold);
	buffer_reset(&stream);
	return 0;
}
