/* Taking a fuzzer's bytes apart. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A block that ends where the text ends, so that the sanitizer sees who reads behind it. */
static char *copy(struct slice slice, size_t bytes)
{
	char *block = calloc(1, bytes > 0 ? bytes : 1);
	if (block == NULL)
		abort();
	if (slice.length > 0)
		memcpy(block, slice.bytes, slice.length);
	return block;
}

char *fuzz_text(struct scan *scan)
{
	size_t length = 0;
	while (length < scan->left_bytes && scan->next[length] != '\0' && scan->next[length] != '\n')
		length++;
	char *text = copy(scan_take(scan, length), length + 1);
	scan_byte(scan);
	return text;
}

char *fuzz_rest(struct scan *scan, size_t *length)
{
	*length = scan->left_bytes;
	return copy(scan_take(scan, *length), *length);
}

void must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}
