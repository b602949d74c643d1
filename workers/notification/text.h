/* Texts for people: whole characters, never longer than the contract allows. */
#pragma once

#include <stddef.h>

#include "arena.h"

enum { TEXT_MAX = 1000 }; /* bytes; the contract counts characters, which are no more */

/* Cuts a text in place, behind a whole character (UTF-8). Returns it. */
char *text_cut(char *text);

/* A sentence that ends with a list: what does not fit any more is counted. */
struct sentence {
	char text[TEXT_MAX + 1];
	size_t length;
	size_t items;
	size_t left_out;
};

/* "<beginning>"; the items follow. */
void sentence_begin(struct sentence *sentence, const char *beginning);
void sentence_add(struct sentence *sentence, const char *item);

/* "<beginning>: <item>, <item> and 7 more", copied. */
const char *sentence_end(const struct sentence *sentence, struct arena *arena);
