/* A growing byte buffer; capacity doubles. */
#include "buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 256 };

static void reserve(struct buffer *buffer, size_t more)
{
	size_t needed;
	if (__builtin_add_overflow(buffer->length_bytes, more + 1, &needed))
		abort();
	if (needed <= buffer->capacity_bytes)
		return;
	size_t capacity = buffer->capacity_bytes < CAPACITY_MIN ? CAPACITY_MIN : buffer->capacity_bytes;
	while (capacity < needed)
		capacity *= 2;
	unsigned char *data = realloc(buffer->data, capacity);
	if (data == NULL)
		abort();
	buffer->data = data;
	buffer->capacity_bytes = capacity;
}

void buffer_init(struct buffer *buffer)
{
	*buffer = (struct buffer){ 0 };
}

void buffer_clear(struct buffer *buffer)
{
	free(buffer->data);
	buffer_init(buffer);
}

void buffer_reset(struct buffer *buffer)
{
	buffer->length_bytes = 0;
	if (buffer->data != NULL)
		buffer->data[0] = '\0';
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t length)
{
	reserve(buffer, length);
	if (length > 0)
		memcpy(buffer->data + buffer->length_bytes, bytes, length);
	buffer->length_bytes += length;
	buffer->data[buffer->length_bytes] = '\0';
}

void buffer_add_text(struct buffer *buffer, const char *text)
{
	buffer_add(buffer, text, strlen(text));
}

void buffer_add_byte(struct buffer *buffer, unsigned char byte)
{
	buffer_add(buffer, &byte, 1);
}

void buffer_print(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	assert(format != NULL);
	va_start(arguments, format);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		abort();
	reserve(buffer, (size_t)length);
	va_start(arguments, format);
	vsnprintf((char *)buffer->data + buffer->length_bytes, (size_t)length + 1, format, arguments);
	va_end(arguments);
	buffer->length_bytes += (size_t)length;
}

void buffer_add_u16(struct buffer *buffer, uint16_t value)
{
	unsigned char bytes[] = { (unsigned char)(value >> 8), (unsigned char)value };
	buffer_add(buffer, bytes, sizeof(bytes));
}

void buffer_add_u32(struct buffer *buffer, uint32_t value)
{
	buffer_add_u16(buffer, (uint16_t)(value >> 16));
	buffer_add_u16(buffer, (uint16_t)value);
}

void buffer_add_u64(struct buffer *buffer, uint64_t value)
{
	buffer_add_u32(buffer, (uint32_t)(value >> 32));
	buffer_add_u32(buffer, (uint32_t)value);
}

void buffer_set_u32(struct buffer *buffer, size_t offset, uint32_t value)
{
	assert(offset + 4 <= buffer->length_bytes);
	for (int i = 0; i < 4; i++)
		buffer->data[offset + (size_t)i] = (unsigned char)(value >> (24 - 8 * i));
}

void buffer_remove(struct buffer *buffer, size_t length)
{
	assert(length <= buffer->length_bytes);
	if (length == 0)
		return;
	buffer->length_bytes -= length;
	memmove(buffer->data, buffer->data + length, buffer->length_bytes + 1);
}

const char *buffer_text(const struct buffer *buffer)
{
	return buffer->data == NULL ? "" : (const char *)buffer->data;
}
