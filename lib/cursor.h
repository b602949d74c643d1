/* Bytes that are read from their front; the other half of buffer.h. Reading past the end gives zeros and is noted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const unsigned char *next; /* borrowed */
	size_t left_bytes;
	bool is_bad; /* more was asked for than there was */
};

struct slice {
	const unsigned char *bytes; /* borrowed; NULL = absent */
	size_t length;
};

/* Big-endian integers. */
uint8_t cursor_byte(struct cursor *cursor);
uint16_t cursor_u16(struct cursor *cursor);
uint32_t cursor_u32(struct cursor *cursor);
uint64_t cursor_u64(struct cursor *cursor);

/* `length` bytes; absent when there are fewer. */
struct slice cursor_take(struct cursor *cursor, size_t length);

/* AMQP's short and long texts: a length of one or four bytes, then as many. */
struct slice cursor_short_text(struct cursor *cursor);
struct slice cursor_long_text(struct cursor *cursor);
