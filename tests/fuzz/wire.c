/* libFuzzer: what we publish, as bytes, is read by librabbitmq as what we meant. */
#include "fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

#include "broker_wire.h"
#include "buffer.h"

enum { FRAME_MAX = 4096, TEXTS = 13, SHORT_MAX = 255, HEADER_MAX = 400 };

/* A reader of frames at one end of a pair of sockets. */
static amqp_connection_state_t open_reader(const struct buffer *bytes)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0
		|| send(ends[1], bytes->data, bytes->length_bytes, 0) != (ssize_t)bytes->length_bytes)
		abort();
	close(ends[1]);
	amqp_connection_state_t state = amqp_new_connection();
	amqp_socket_t *socket = amqp_tcp_socket_new(state);
	if (socket == NULL)
		abort();
	amqp_tcp_socket_set_sockfd(socket, ends[0]);
	return state;
}

static void read_frame(amqp_connection_state_t state, amqp_frame_t *frame, uint8_t type)
{
	const struct timeval at_once = { 0 };
	must(amqp_simple_wait_frame_noblock(state, frame, &at_once) == AMQP_STATUS_OK, "a frame is there");
	must(frame->frame_type == type, "it is of the kind that comes next");
}

/* The protocol's short texts hold 255 bytes; more is cut off. */
static bool is_cut(amqp_bytes_t bytes, const char *text)
{
	size_t length = strnlen(text, SHORT_MAX);
	return bytes.len == length && (length == 0 || memcmp(bytes.bytes, text, length) == 0);
}

static void check_property(const amqp_basic_properties_t *properties, amqp_flags_t flag, amqp_bytes_t bytes,
	const char *text)
{
	must(((properties->_flags & flag) != 0) == (text != NULL),
		"a property is there if and only if it was given");
	must(text == NULL || is_cut(bytes, text), "a property is what was given");
}

static void check_header(const amqp_table_t *headers, const char *name, const char *text)
{
	for (int i = 0; i < headers->num_entries; i++) {
		const amqp_table_entry_t *entry = &headers->entries[i];
		if (entry->key.len != strlen(name) || memcmp(entry->key.bytes, name, entry->key.len) != 0)
			continue;
		must(text != NULL && entry->value.kind == AMQP_FIELD_KIND_UTF8, "a header that was given, as a text");
		amqp_bytes_t bytes = entry->value.value.bytes;
		must(bytes.len == strlen(text) && memcmp(bytes.bytes, text, bytes.len) == 0,
			"whole, as it was given");
		return;
	}
	must(text == NULL, "no header is lost");
}

static void check_properties(const amqp_basic_properties_t *properties, const struct publication *publication,
	const char *user)
{
	check_property(properties, AMQP_BASIC_MESSAGE_ID_FLAG, properties->message_id, publication->message_id);
	check_property(properties, AMQP_BASIC_CORRELATION_ID_FLAG, properties->correlation_id,
		publication->correlation_id);
	check_property(properties, AMQP_BASIC_TYPE_FLAG, properties->type, publication->type);
	check_property(properties, AMQP_BASIC_APP_ID_FLAG, properties->app_id, publication->app_id);
	check_property(properties, AMQP_BASIC_REPLY_TO_FLAG, properties->reply_to, publication->reply_to);
	check_property(properties, AMQP_BASIC_USER_ID_FLAG, properties->user_id, user);
	check_header(&properties->headers, "traceparent", publication->traceparent);
	check_header(&properties->headers, "causation_id", publication->causation_id);
	check_header(&properties->headers, "sender", publication->sender);
	check_header(&properties->headers, "reason", publication->reason);
	check_header(&properties->headers, "detail", publication->detail);
	must(properties->delivery_mode == 2, "it is kept on disk");
}

static void check_body(amqp_connection_state_t state, const struct publication *publication)
{
	for (size_t read = 0; read < publication->body_bytes;) {
		amqp_frame_t frame;
		read_frame(state, &frame, AMQP_FRAME_BODY);
		amqp_bytes_t piece = frame.payload.body_fragment;
		must(piece.len > 0 && piece.len <= publication->body_bytes - read, "a piece is not too long");
		must(piece.len + WIRE_FRAME_OVERHEAD <= FRAME_MAX, "nor its frame");
		must(memcmp(piece.bytes, publication->body + read, piece.len) == 0, "and says what was given");
		read += piece.len;
	}
}

static void check_frames(const struct buffer *out, const struct publication *publication, const char *user)
{
	amqp_connection_state_t state = open_reader(out);
	amqp_frame_t frame;
	read_frame(state, &frame, AMQP_FRAME_METHOD);
	must(frame.payload.method.id == AMQP_BASIC_PUBLISH_METHOD, "it is a publish");
	const amqp_basic_publish_t *method = frame.payload.method.decoded;
	must(is_cut(method->exchange, publication->exchange), "to the exchange");
	must(is_cut(method->routing_key, publication->routing_key), "under the key");
	must(method->mandatory == publication->is_mandatory && !method->immediate, "mandatory as asked");
	read_frame(state, &frame, AMQP_FRAME_HEADER);
	must(frame.payload.properties.body_size == publication->body_bytes, "its size is told");
	check_properties(frame.payload.properties.decoded, publication, user);
	check_body(state, publication);
	const struct timeval at_once = { 0 };
	must(amqp_simple_wait_frame_noblock(state, &frame, &at_once) != AMQP_STATUS_OK, "nothing more comes");
	amqp_destroy_connection(state);
}

/* A text, or NULL; kept in `texts`, to be freed there. */
static const char *take_text(struct scan *scan, char *texts[], size_t *count)
{
	char *text = fuzz_text(scan);
	text[strnlen(text, HEADER_MAX)] = '\0';
	texts[(*count)++] = text;
	return text[0] == '-' ? NULL : text;
}

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan scan = { .next = data, .left_bytes = size };
	char *texts[TEXTS];
	size_t count = 0;
	bool is_mandatory = scan_byte(&scan) & 1;
	const char *user = take_text(&scan, texts, &count);
	const struct publication publication = {
		.exchange = or_empty(take_text(&scan, texts, &count)),
		.routing_key = or_empty(take_text(&scan, texts, &count)),
		.message_id = take_text(&scan, texts, &count),
		.correlation_id = take_text(&scan, texts, &count),
		.type = take_text(&scan, texts, &count),
		.app_id = take_text(&scan, texts, &count),
		.reply_to = take_text(&scan, texts, &count),
		.traceparent = take_text(&scan, texts, &count),
		.causation_id = take_text(&scan, texts, &count),
		.sender = take_text(&scan, texts, &count),
		.reason = take_text(&scan, texts, &count),
		.detail = take_text(&scan, texts, &count),
		.attempts = (int64_t)(scan_u64(&scan) >> 1),
		.timestamp_s = (int64_t)(scan_u64(&scan) >> 1),
		.body = (const char *)scan.next,
		.body_bytes = scan.left_bytes,
		.is_mandatory = is_mandatory,
	};
	struct buffer out;
	buffer_init(&out);
	wire_publish(&out, &publication, user, FRAME_MAX);
	check_frames(&out, &publication, user);
	buffer_clear(&out);
	while (count > 0)
		free(texts[--count]);
	return 0;
}
