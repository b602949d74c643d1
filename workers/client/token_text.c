/* Lines in, lines out. */
#include "token_text.h"

#include <string.h>

#define PREFIX "cb_"

/* RFC 4648 section 5, without padding. */
void token_text_make(const unsigned char secret[TOKEN_SECRET_BYTES], char out[TOKEN_TEXT_BYTES])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned bits = 0, count = 0;
	memcpy(out, PREFIX, sizeof(PREFIX) - 1);
	out += sizeof(PREFIX) - 1;
	for (size_t i = 0; i < TOKEN_SECRET_BYTES; i++) {
		bits = (bits << 8 | secret[i]) & 0xffff;
		for (count += 8; count >= 6; count -= 6)
			*out++ = letters[bits >> (count - 6) & 0x3f];
	}
	*out++ = letters[bits << (6 - count) & 0x3f];
	*out = '\0';
}

void token_text_add(struct buffer *text, const struct token *token)
{
	if (text->length_bytes > 0 && text->data[text->length_bytes - 1] != '\n')
		buffer_add_byte(text, '\n');
	token_print(token, text);
}

static bool is_meant(const struct token *token, const char *who, bool is_subject)
{
	char hash[SHA256_TEXT_BYTES];
	token_hash(token, hash);
	return is_subject ? strcmp(token->subject, who) == 0 : strncmp(hash, who, strlen(who)) == 0;
}

static size_t count_meant(const struct tokens *tokens, const char *who, bool is_subject)
{
	size_t count = 0;
	for (size_t i = 0; i < tokens->count; i++)
		count += is_meant(&tokens->items[i], who, is_subject);
	return count;
}

/* Who is meant: all of a subject, or the one token of that hash. */
static bool find(const struct buffer *text, const char *who, bool *is_subject, size_t *count, struct why *why)
{
	struct arena arena;
	struct tokens tokens;
	arena_init(&arena);
	bool is_good = tokens_parse(buffer_text(text), text->length_bytes, &arena, &tokens, why);
	if (is_good) {
		*is_subject = count_meant(&tokens, who, true) > 0;
		bool may_be_hash = strlen(who) >= TOKEN_PREFIX_MIN;
		*count = *is_subject || may_be_hash ? count_meant(&tokens, who, *is_subject) : 0;
		if (*count == 0)
			is_good = because(why, "absent",
				"no token has the subject \"%.64s\", nor a hash that begins so (%d digits or more)", who,
				TOKEN_PREFIX_MIN);
		else if (!*is_subject && *count > 1)
			is_good = because(why, "usage", "%zu hashes begin with \"%.64s\": write more of it", *count, who);
	}
	arena_clear(&arena);
	return is_good;
}

/* Whether the line is one of a token that goes. */
static bool goes(const char *line, size_t length, const char *who, bool is_subject, struct arena *arena)
{
	struct tokens one;
	struct why ignored;
	arena_reset(arena);
	return tokens_parse(line, length, arena, &one, &ignored) && one.count == 1
		&& is_meant(&one.items[0], who, is_subject);
}

bool token_text_revoke(const struct buffer *text, const char *who, struct buffer *out, size_t *removed,
	struct why *why)
{
	bool is_subject;
	struct arena arena;
	if (!find(text, who, &is_subject, removed, why))
		return false;
	arena_init(&arena);
	const char *line = buffer_text(text), *end = line + text->length_bytes;
	while (line < end) {
		size_t length = strcspn(line, "\n");
		size_t whole = length + (line + length < end);
		if (!goes(line, length, who, is_subject, &arena))
			buffer_add(out, line, whole);
		line += whole;
	}
	arena_clear(&arena);
	return true;
}
