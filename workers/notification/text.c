/* A text is cut between characters: bytes 10xxxxxx go on with the one before them. */
#include "text.h"

#include <stdbool.h>
#include <string.h>

enum { TAIL_BYTES = 32 }; /* kept free for " and <count> more" */

char *text_cut(char *text)
{
	size_t length = strlen(text);
	if (length <= TEXT_MAX)
		return text;
	length = TEXT_MAX;
	while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
		length--;
	text[length] = '\0';
	return text;
}

static void append(struct sentence *sentence, const char *text)
{
	size_t length = strlen(text);
	memcpy(sentence->text + sentence->length, text, length + 1);
	sentence->length += length;
}

static bool fits(const struct sentence *sentence, const char *text)
{
	return sentence->length + strlen(text) <= TEXT_MAX - TAIL_BYTES;
}

void sentence_begin(struct sentence *sentence, const char *beginning)
{
	*sentence = (struct sentence){ .items = 0 };
	if (fits(sentence, beginning))
		append(sentence, beginning);
}

void sentence_add(struct sentence *sentence, const char *item)
{
	const char *before = sentence->items == 0 ? ": " : ", ";
	if (sentence->left_out > 0 || !fits(sentence, item)) {
		sentence->left_out++;
		return;
	}
	append(sentence, before);
	append(sentence, item);
	sentence->items++;
}

const char *sentence_end(const struct sentence *sentence, struct arena *arena)
{
	if (sentence->left_out == 0)
		return arena_text(arena, sentence->text);
	return arena_print(arena, "%s and %zu more", sentence->text, sentence->left_out);
}
