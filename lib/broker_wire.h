/*
 * The frames that we send, as bytes (AMQP 0-9-1, all on channel 1). librabbitmq's own senders wait without limit when
 * the socket is full; these only append to a buffer, which the connection writes when the socket takes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker.h"
#include "buffer.h"
#include "scan.h"

enum {
	WIRE_CHANNEL = 1,
	WIRE_FRAME_OVERHEAD = 8, /* bytes around a frame's payload */
	WIRE_HEADER_BYTES = 12,  /* class, weight and length of the body, before the properties */
};

#define WIRE_PROPERTIES_MAX(frame_max_bytes) ((frame_max_bytes)-WIRE_FRAME_OVERHEAD - WIRE_HEADER_BYTES)

/* basic.publish with its header and as many body frames as `frame_max_bytes` asks for. */
void wire_publish(struct buffer *out, const struct publication *publication, const char *user,
	size_t frame_max_bytes);

void wire_ack(struct buffer *out, uint64_t tag, bool is_multiple);
void wire_qos(struct buffer *out, uint16_t prefetch);

/* Both without an answer: a refusal comes as channel.close. */
void wire_consume(struct buffer *out, const char *queue, const char *tag);
void wire_cancel(struct buffer *out, const char *tag);

/* Asks for one message of the queue, to be acknowledged later. */
void wire_get(struct buffer *out, const char *queue);

/*
 * Publishes straight to a queue, mandatory, with properties that are bytes already (flags and values, 4.2.6.1). They must fit a
 * frame: WIRE_PROPERTIES_MAX(frame_max_bytes).
 */
void wire_republish(struct buffer *out, const char *queue, struct slice properties, struct slice body,
	size_t frame_max_bytes);

void wire_heartbeat(struct buffer *out);
void wire_connection_close_ok(struct buffer *out);
