/*
 * The broker's end of a connection, for fuzzers: frames as bytes, and a pair of sockets in place of the network. Programs that
 * use it are linked with --wrap=connection_open.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

enum { METHOD = 1, HEADER = 2, BODY = 3, HEARTBEAT = 8 };
enum { CLASS_CONNECTION = 10, CLASS_CHANNEL = 20, CLASS_QUEUE = 50, CLASS_BASIC = 60, CLASS_CONFIRM = 85 };

enum { PEER_STREAM_MAX = 100 * 1024 }; /* bytes that fit a socket at once */

/* A frame on channel 1: begun, filled with any bytes, ended by its mark. */
size_t frame_begin(struct buffer *out, unsigned type);
size_t method_begin(struct buffer *out, unsigned class_id, unsigned method_id);
void frame_end(struct buffer *out, size_t mark);

void add_frame(struct buffer *out, unsigned type, const void *bytes, size_t length);
void add_method(struct buffer *out, unsigned class_id, unsigned method_id); /* without arguments */
void add_header(struct buffer *out, uint64_t body_bytes); /* of a content without properties */
void add_short_text(struct buffer *out, const char *text);

/* What the next connections hear while they open; borrowed. */
void peer_greet(const struct buffer *greeting);

/* What the open connection hears, and nothing after it. */
void peer_say(const void *bytes, size_t length);
