/* Bytes that are read from their front; the other half of buffer.h. Reading past the end gives zeros and is noted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scan {
	const unsigned char *next; /* borrowed */
	size_t left_bytes;
	bool is_bad; /* more was asked for than there was */
};

struct slice {
	const unsigned char *bytes; /* borrowed; NULL = absent */
	size_t length;
};

/* Big-endian integers. */
uint8_t scan_byte(struct scan *scan);
uint16_t scan_u16(struct scan *scan);
uint32_t scan_u32(struct scan *scan);
uint64_t scan_u64(struct scan *scan);

/* `length` bytes; absent when there are fewer. */
struct slice scan_take(struct scan *scan, size_t length);

/* AMQP's short and long texts: a length of one or four bytes, then as many. */
struct slice scan_short_text(struct scan *scan);
struct slice scan_long_text(struct scan *scan);
