/* Taking a fuzzer's bytes apart. */
#include "pieces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned pieces_byte(struct pieces *pieces)
{
	if (pieces->left == 0)
		return 0;
	pieces->left--;
	return *pieces->next++;
}

unsigned pieces_u16(struct pieces *pieces)
{
	unsigned high = pieces_byte(pieces);
	return high << 8 | pieces_byte(pieces);
}

uint64_t pieces_u64(struct pieces *pieces)
{
	uint64_t value = 0;
	for (int i = 0; i < 8; i++)
		value = value << 8 | pieces_byte(pieces);
	return value;
}

const uint8_t *pieces_bytes(struct pieces *pieces, size_t wanted, size_t *length)
{
	const uint8_t *bytes = pieces->next;
	*length = wanted < pieces->left ? wanted : pieces->left;
	pieces->next += *length;
	pieces->left -= *length;
	return bytes;
}

char *pieces_text(struct pieces *pieces)
{
	size_t length = 0;
	while (length < pieces->left && pieces->next[length] != '\0' && pieces->next[length] != '\n')
		length++;
	char *text = malloc(length + 1);
	if (text == NULL)
		abort();
	if (length > 0)
		memcpy(text, pieces->next, length);
	text[length] = '\0';
	size_t taken = length < pieces->left ? length + 1 : length;
	pieces->next += taken;
	pieces->left -= taken;
	return text;
}

void must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}
