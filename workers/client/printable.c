/* A message's text may hold what moves a cursor or renames a window: C0, DEL, and C1, which UTF-8 writes as C2 80..9F. */
#include "printable.h"

#include <stdbool.h>
#include <stddef.h>

enum { DELETE = 0x7f, CONTINUATION_FIRST = 0x80, CONTINUATION_LAST = 0xbf, C1_LEAD = 0xc2, C1_LAST = 0x9f };

/* How many bytes a character has by its first one; 0: none begins so. */
static size_t length_of(unsigned char first)
{
	if (first < CONTINUATION_FIRST)
		return 1;
	if (first < C1_LEAD || first > 0xf4)
		return 0;
	if (first < 0xe0)
		return 2;
	return first < 0xf0 ? 3 : 4;
}

/* Of a character's bytes, those that are there and belong to it. */
static size_t present(const unsigned char *text, size_t length)
{
	size_t count = 1;
	while (count < length && text[count] >= CONTINUATION_FIRST && text[count] <= CONTINUATION_LAST)
		count++;
	return count;
}

static bool is_control(const unsigned char *text)
{
	return text[0] < ' ' || text[0] == DELETE || (text[0] == C1_LEAD && text[1] <= C1_LAST);
}

void printable(char *text)
{
	unsigned char *at = (unsigned char *)text;
	while (*at != '\0') {
		size_t length = length_of(*at), there = present(at, length);
		if (there < length && at[there] == '\0') {
			*at = '\0';
			return;
		}
		bool is_bad = there != length || is_control(at);
		for (size_t i = 0; is_bad && i < there; i++)
			at[i] = '?';
		at += there;
	}
}
