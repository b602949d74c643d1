/* PURE. Changes to the text of a token file, which leave its comments and its order as they are. */
#pragma once

#include <stdbool.h>

#include "buffer.h"
#include "tokens.h"

enum {
	TOKEN_SECRET_BYTES = 32,
	TOKEN_TEXT_BYTES = 3 + 43 + 1, /* cb_, base64url without padding, NUL */
	TOKEN_PREFIX_MIN = 8,          /* hex digits of a hash that name a token */
};

/* The token that those random bytes make. */
void token_text_make(const unsigned char secret[TOKEN_SECRET_BYTES], char out[TOKEN_TEXT_BYTES]);

/* Adds the token's line at the end. */
void token_text_add(struct buffer *text, const struct token *token);

/*
 * `out` becomes the text without the tokens of the subject `who`, or, where there is none, without the token whose hash begins with `who`.
 * `*removed` counts them. False: the text is no token file, none was meant, or several; `why` tells.
 */
bool token_text_revoke(const struct buffer *text, const char *who, struct buffer *out, size_t *removed,
	struct why *why);
