/* Bytes that grow at their end. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buffer {
	unsigned char *data; /* owned; NULL while empty. Always followed by a NUL once anything was added */
	size_t length_bytes;
	size_t capacity_bytes;
};

void buffer_init(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* gives the memory back */
void buffer_reset(struct buffer *buffer); /* empty, memory kept */

/* Each ends the process when memory is out. */
void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
void buffer_add_text(struct buffer *buffer, const char *text);
void buffer_add_byte(struct buffer *buffer, unsigned char byte);
void buffer_print(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Big-endian integers, as wire formats want them. */
void buffer_add_u16(struct buffer *buffer, uint16_t value);
void buffer_add_u32(struct buffer *buffer, uint32_t value);
void buffer_add_u64(struct buffer *buffer, uint64_t value);

/* Overwrites four bytes at `offset`, which must lie inside. */
void buffer_set_u32(struct buffer *buffer, size_t offset, uint32_t value);

/* Takes bytes away from the front; there must be so many. */
void buffer_remove(struct buffer *buffer, size_t length);

/* The content as text; "" while empty. Valid until the next change. */
const char *buffer_text(const struct buffer *buffer);
