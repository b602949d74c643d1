/* The frames that we send, as bytes. Layouts: AMQP 0-9-1 specification, sections 2.3.5 and 4.2. */
#include "broker_wire.h"

#include <string.h>

enum { METHOD = 1, HEADER = 2, BODY = 3, HEARTBEAT = 8, FRAME_END = 0xCE };
enum { SHORT_TEXT_MAX = 255, PERSISTENT = 2 };
enum { CLASS_CONNECTION = 10, CLASS_BASIC = 60 };
enum { CLOSE_OK = 51, QOS = 10, CONSUME = 20, CANCEL = 30, PUBLISH = 40, GET = 70, ACK = 80 };

/* Which properties a header frame holds; they follow in this order. */
enum property {
	HAS_CONTENT_TYPE = 1 << 15,
	HAS_HEADERS = 1 << 13,
	HAS_DELIVERY_MODE = 1 << 12,
	HAS_CORRELATION_ID = 1 << 10,
	HAS_REPLY_TO = 1 << 9,
	HAS_MESSAGE_ID = 1 << 7,
	HAS_TIMESTAMP = 1 << 6,
	HAS_TYPE = 1 << 5,
	HAS_USER_ID = 1 << 4,
	HAS_APP_ID = 1 << 3,
};

/* Begins a frame; gives the place of its length, for frame_end. */
static size_t frame_begin(struct buffer *out, uint8_t type, uint16_t channel)
{
	buffer_add_byte(out, type);
	buffer_add_u16(out, channel);
	size_t mark = out->length_bytes;
	buffer_add_u32(out, 0);
	return mark;
}

static void frame_end(struct buffer *out, size_t mark)
{
	buffer_set_u32(out, mark, (uint32_t)(out->length_bytes - mark - sizeof(uint32_t)));
	buffer_add_byte(out, FRAME_END);
}

static size_t method_begin(struct buffer *out, uint16_t channel, uint16_t class, uint16_t method)
{
	size_t mark = frame_begin(out, METHOD, channel);
	buffer_add_u16(out, class);
	buffer_add_u16(out, method);
	return mark;
}

static void add_short_text(struct buffer *out, const char *text)
{
	size_t length = strnlen(text, SHORT_TEXT_MAX);
	buffer_add_byte(out, (unsigned char)length);
	buffer_add(out, text, length);
}

static void add_header_text(struct buffer *out, const char *name, const char *text)
{
	if (text == NULL)
		return;
	size_t length = strlen(text);
	add_short_text(out, name);
	buffer_add_byte(out, 'S');
	buffer_add_u32(out, (uint32_t)length);
	buffer_add(out, text, length);
}

static void add_header_number(struct buffer *out, const char *name, int64_t number)
{
	if (number <= 0)
		return;
	add_short_text(out, name);
	buffer_add_byte(out, 'l');
	buffer_add_u64(out, (uint64_t)number);
}

static void add_headers(struct buffer *out, const struct publication *publication)
{
	size_t mark = out->length_bytes;
	buffer_add_u32(out, 0);
	add_header_text(out, "traceparent", publication->traceparent);
	add_header_text(out, "causation_id", publication->causation_id);
	add_header_text(out, "sender", publication->sender);
	add_header_text(out, "reason", publication->reason);
	add_header_text(out, "detail", publication->detail);
	add_header_number(out, "attempts", publication->attempts);
	add_header_number(out, "schema_version", publication->schema_version);
	buffer_set_u32(out, mark, (uint32_t)(out->length_bytes - mark - sizeof(uint32_t)));
}

static unsigned flag_if(const void *there, enum property property)
{
	return there != NULL ? (unsigned)property : 0;
}

static uint16_t properties_of(const struct publication *publication, const char *user)
{
	unsigned flags = HAS_CONTENT_TYPE | HAS_HEADERS | HAS_DELIVERY_MODE;
	flags |= flag_if(publication->correlation_id, HAS_CORRELATION_ID);
	flags |= flag_if(publication->reply_to, HAS_REPLY_TO);
	flags |= flag_if(publication->message_id, HAS_MESSAGE_ID);
	flags |= publication->timestamp_s > 0 ? HAS_TIMESTAMP : 0;
	flags |= flag_if(publication->type, HAS_TYPE);
	flags |= flag_if(user, HAS_USER_ID);
	flags |= flag_if(publication->app_id, HAS_APP_ID);
	return (uint16_t)flags;
}

static void add_text_if(struct buffer *out, const char *text)
{
	if (text != NULL)
		add_short_text(out, text);
}

static void add_properties(struct buffer *out, const struct publication *publication, const char *user)
{
	buffer_add_u16(out, properties_of(publication, user));
	add_short_text(out, "application/json");
	add_headers(out, publication);
	buffer_add_byte(out, PERSISTENT);
	add_text_if(out, publication->correlation_id);
	add_text_if(out, publication->reply_to);
	add_text_if(out, publication->message_id);
	if (publication->timestamp_s > 0)
		buffer_add_u64(out, (uint64_t)publication->timestamp_s);
	add_text_if(out, publication->type);
	add_text_if(out, user);
	add_text_if(out, publication->app_id);
}

static void add_body(struct buffer *out, const void *body, size_t length, size_t frame_max_bytes)
{
	size_t piece_max = frame_max_bytes - WIRE_FRAME_OVERHEAD;
	for (size_t offset = 0; offset < length; offset += piece_max) {
		size_t left = length - offset;
		size_t mark = frame_begin(out, BODY, WIRE_CHANNEL);
		buffer_add(out, (const char *)body + offset, left < piece_max ? left : piece_max);
		frame_end(out, mark);
	}
}

static void add_publish(struct buffer *out, const char *exchange, const char *routing_key, bool is_mandatory)
{
	size_t mark = method_begin(out, WIRE_CHANNEL, CLASS_BASIC, PUBLISH);
	buffer_add_u16(out, 0);
	add_short_text(out, exchange);
	add_short_text(out, routing_key);
	buffer_add_byte(out, is_mandatory);
	frame_end(out, mark);
}

/* Begins the header frame; the properties follow. */
static size_t header_begin(struct buffer *out, size_t body_bytes)
{
	size_t mark = frame_begin(out, HEADER, WIRE_CHANNEL);
	buffer_add_u16(out, CLASS_BASIC);
	buffer_add_u16(out, 0);
	buffer_add_u64(out, body_bytes);
	return mark;
}

void wire_publish(struct buffer *out, const struct publication *publication, const char *user,
	size_t frame_max_bytes)
{
	add_publish(out, publication->exchange, publication->routing_key, publication->is_mandatory);
	size_t mark = header_begin(out, publication->body_bytes);
	add_properties(out, publication, user);
	frame_end(out, mark);

	add_body(out, publication->body, publication->body_bytes, frame_max_bytes);
}

void wire_ack(struct buffer *out, uint64_t tag, bool is_multiple)
{
	size_t mark = method_begin(out, WIRE_CHANNEL, CLASS_BASIC, ACK);
	buffer_add_u64(out, tag);
	buffer_add_byte(out, is_multiple);
	frame_end(out, mark);
}

void wire_qos(struct buffer *out, uint16_t prefetch)
{
	size_t mark = method_begin(out, WIRE_CHANNEL, CLASS_BASIC, QOS);
	buffer_add_u32(out, 0);
	buffer_add_u16(out, prefetch);
	buffer_add_byte(out, 0); /* for each consumer, not for the channel: quorum queues refuse that */
	frame_end(out, mark);
}

void wire_consume(struct buffer *out, const char *queue, const char *tag)
{
	enum { NO_WAIT = 1 << 3 };
	size_t mark = method_begin(out, WIRE_CHANNEL, CLASS_BASIC, CONSUME);
	buffer_add_u16(out, 0);
	add_short_text(out, queue);
	add_short_text(out, tag);
	buffer_add_byte(out, NO_WAIT);
	buffer_add_u32(out, 0);
	frame_end(out, mark);
}

void wire_cancel(struct buffer *out, const char *tag)
{
	enum { NO_WAIT = 1 };
	size_t mark = method_begin(out, WIRE_CHANNEL, CLASS_BASIC, CANCEL);
	add_short_text(out, tag);
	buffer_add_byte(out, NO_WAIT);
	frame_end(out, mark);
}

void wire_get(struct buffer *out, const char *queue)
{
	size_t mark = method_begin(out, WIRE_CHANNEL, CLASS_BASIC, GET);
	buffer_add_u16(out, 0);
	add_short_text(out, queue);
	buffer_add_byte(out, 0);
	frame_end(out, mark);
}

void wire_republish(struct buffer *out, const char *queue, struct slice properties, struct slice body,
	size_t frame_max_bytes)
{
	add_publish(out, "", queue, true);
	size_t mark = header_begin(out, body.length);
	buffer_add(out, properties.bytes, properties.length);
	frame_end(out, mark);
	add_body(out, body.bytes, body.length, frame_max_bytes);
}

void wire_heartbeat(struct buffer *out)
{
	frame_end(out, frame_begin(out, HEARTBEAT, 0));
}

void wire_connection_close_ok(struct buffer *out)
{
	frame_end(out, method_begin(out, 0, CLASS_CONNECTION, CLOSE_OK));
}
