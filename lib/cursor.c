/* Every read goes through cursor_take, which alone knows where the end is. */
#include "cursor.h"

struct slice cursor_take(struct cursor *cursor, size_t length)
{
	if (length > cursor->left_bytes) {
		cursor->is_bad = true;
		cursor->left_bytes = 0;
		return (struct slice){ .bytes = NULL };
	}
	struct slice slice = { .bytes = cursor->next, .length = length };
	cursor->next += length;
	cursor->left_bytes -= length;
	return slice;
}

static uint64_t take_number(struct cursor *cursor, size_t length)
{
	struct slice slice = cursor_take(cursor, length);
	uint64_t number = 0;
	for (size_t i = 0; i < slice.length; i++)
		number = number << 8 | slice.bytes[i];
	return number;
}

uint8_t cursor_byte(struct cursor *cursor)
{
	return (uint8_t)take_number(cursor, 1);
}

uint16_t cursor_u16(struct cursor *cursor)
{
	return (uint16_t)take_number(cursor, 2);
}

uint32_t cursor_u32(struct cursor *cursor)
{
	return (uint32_t)take_number(cursor, 4);
}

uint64_t cursor_u64(struct cursor *cursor)
{
	return take_number(cursor, 8);
}

struct slice cursor_short_text(struct cursor *cursor)
{
	return cursor_take(cursor, cursor_byte(cursor));
}

struct slice cursor_long_text(struct cursor *cursor)
{
	return cursor_take(cursor, cursor_u32(cursor));
}
