/* A fuzzer's bytes, taken from the front piece by piece. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pieces {
	const uint8_t *next;
	size_t left;
};

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Big-endian; missing bytes are 0. */
unsigned pieces_byte(struct pieces *pieces);
unsigned pieces_u16(struct pieces *pieces);
uint64_t pieces_u64(struct pieces *pieces);

/* At most `wanted` bytes, borrowed; `*length` says how many. */
const uint8_t *pieces_bytes(struct pieces *pieces, size_t wanted, size_t *length);

/* The text up to a NUL, a newline or the end, in a block of just its size; the caller frees it. */
char *pieces_text(struct pieces *pieces);

/* What must hold; ends the process when it does not, which the fuzzer reports. */
void must(int holds, const char *what);
