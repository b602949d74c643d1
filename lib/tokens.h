/* The bearer tokens of the HTTP door: a file of hashes, one line a token. The tokens themselves are nowhere. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buffer.h"
#include "digest.h"
#include "outcome.h"

enum {
	TOKENS_MAX = 10000,
	TOKEN_SUBJECT_MAX = 64,  /* bytes, as of a facility's id */
	TOKEN_RATE_MAX = 100000, /* requests per second */
	TOKENS_FILE_BYTES_MAX = 4 * 1024 * 1024,
};

enum token_role { TOKEN_ADMIN, TOKEN_HOSPITAL, TOKEN_BANK, TOKEN_CLINIC, TOKEN_READER, TOKEN_ROLES };

struct token {
	unsigned char digest[SHA256_BYTES]; /* of the token's text */
	const char *subject;                /* [A-Za-z0-9._@-]{1,64} */
	enum token_role role;
	const char *facility_id; /* NULL = all */
	long rate_per_s;         /* 0 = no limit */
	int64_t expires_at;      /* microseconds since 1970 UTC; valid before it */
	bool has_expires_at;
};

struct tokens {
	struct token *items; /* sorted by digest, each digest once */
	size_t count;
};

const char *token_role_name(enum token_role role);
bool token_role_find(const char *name, enum token_role *role);

/*
 * A line is `<sha256 hex of the token> <subject> <role> <facility or *> <requests per second, 0 = no limit> <expires, RFC 3339,
 * or ->`, parted by single spaces. Empty lines and lines that begin with # are skipped. Everything in `out` is in the arena;
 * `out` is untouched on failure, and `why` names the line.
 */
bool tokens_parse(const char *text, size_t length, struct arena *arena, struct tokens *out, struct why *why);

/*
 * The token whose text this is, expired or not, or NULL. The search goes by the digest, which a caller cannot choose, so its
 * timing tells nothing.
 */
const struct token *tokens_find(const struct tokens *tokens, const char *text);
const struct token *tokens_find_digest(const struct tokens *tokens, const unsigned char digest[SHA256_BYTES]);

/* The digest as lower-case hex. */
void token_hash(const struct token *token, char out[SHA256_TEXT_BYTES]);

/* Whether the token can be written as a line: subject, facility and rate are as tokens_parse wants them. */
bool token_check(const struct token *token, struct why *why);

/* Adds the token's line. */
void token_print(const struct token *token, struct buffer *out);

/* Adds the file's content. False: not a regular file, others than its owner may touch it (more than mode 0600), too large, or unreadable. */
bool tokens_read_file(const char *path, struct buffer *out, struct why *why);
