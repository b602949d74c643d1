/* Every read goes through scan_take, which alone knows where the end is. */
#include "scan.h"

struct slice scan_take(struct scan *scan, size_t length)
{
	if (length > scan->left_bytes) {
		scan->is_bad = true;
		scan->left_bytes = 0;
		return (struct slice){ .bytes = NULL };
	}
	struct slice slice = { .bytes = scan->next, .length = length };
	scan->next += length;
	scan->left_bytes -= length;
	return slice;
}

static uint64_t take_number(struct scan *scan, size_t length)
{
	struct slice slice = scan_take(scan, length);
	uint64_t number = 0;
	for (size_t i = 0; i < slice.length; i++)
		number = number << 8 | slice.bytes[i];
	return number;
}

uint8_t scan_byte(struct scan *scan)
{
	return (uint8_t)take_number(scan, 1);
}

uint16_t scan_u16(struct scan *scan)
{
	return (uint16_t)take_number(scan, 2);
}

uint32_t scan_u32(struct scan *scan)
{
	return (uint32_t)take_number(scan, 4);
}

uint64_t scan_u64(struct scan *scan)
{
	return take_number(scan, 8);
}

struct slice scan_short_text(struct scan *scan)
{
	return scan_take(scan, scan_byte(scan));
}

struct slice scan_long_text(struct scan *scan)
{
	return scan_take(scan, scan_u32(scan));
}
