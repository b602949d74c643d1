/* What the fuzzers share: a text out of their bytes, and a word for what must hold. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "scan.h"

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text up to a NUL, a newline or the end, in a block of just its size; the caller frees it. */
char *fuzz_text(struct scan *scan);

/* All that is left, in a block of just its size and without a NUL behind; the caller frees it. */
char *fuzz_rest(struct scan *scan, size_t *length);

/* Ends the process when it does not hold, which the fuzzer reports. */
void must(int holds, const char *what);
