/* The token file: parsed line by line, kept sorted by digest. */
#include "tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

enum {
	TOKEN_FIELDS = 6,
	LINE_BYTES_MAX = 512,
	READ_BYTES = 65536,
};

static const char *const role_names[TOKEN_ROLES] = {
	[TOKEN_ADMIN] = "admin",
	[TOKEN_HOSPITAL] = "hospital",
	[TOKEN_BANK] = "bank",
	[TOKEN_CLINIC] = "clinic",
	[TOKEN_READER] = "reader",
};

const char *token_role_name(enum token_role role)
{
	return role_names[role];
}

bool token_role_find(const char *name, enum token_role *role)
{
	for (unsigned i = 0; i < TOKEN_ROLES; i++)
		if (strcmp(role_names[i], name) == 0) {
			*role = (enum token_role)i;
			return true;
		}
	return false;
}

/* -1: not lower-case hex. */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_digest(const char *text, unsigned char digest[SHA256_BYTES])
{
	if (strlen(text) != SHA256_TEXT_BYTES - 1)
		return false;
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		digest[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

#define SMALL "abcdefghijklmnopqrstuvwxyz0123456789-"

static bool is_of(const char *text, const char *allowed)
{
	size_t length = strlen(text);
	return length >= 1 && length <= TOKEN_SUBJECT_MAX && strspn(text, allowed) == length;
}

/* NULL: good; else what is wrong with it. */
static const char *find_fault(const struct token *token)
{
	if (!is_of(token->subject, SMALL "ABCDEFGHIJKLMNOPQRSTUVWXYZ._@"))
		return "the subject is not 1 to 64 letters, digits or . _ @ -";
	if (token->facility_id != NULL && !is_of(token->facility_id, SMALL))
		return "the facility is neither * nor 1 to 64 of a-z, 0-9 and -";
	return token->rate_per_s >= 0 && token->rate_per_s <= TOKEN_RATE_MAX
		? NULL
		: "the rate is no number from 0 to 100000";
}

/* Digits alone; how large it may be is checked with the rest. */
static bool read_rate(const char *text, long *rate_per_s)
{
	size_t length = strlen(text);
	*rate_per_s = length <= 6 ? strtol(text, NULL, 10) : -1;
	return length >= 1 && strspn(text, "0123456789") == length;
}

/* Cuts a line at its spaces. False: other than TOKEN_FIELDS fields, or an empty one. */
static bool split(char *line, char *fields[TOKEN_FIELDS])
{
	size_t count = 0;
	for (char *at = line; at != NULL; count++) {
		char *space = strchr(at, ' ');
		if (count == TOKEN_FIELDS || space == at || *at == '\0')
			return false;
		fields[count] = at;
		if (space != NULL)
			*space++ = '\0';
		at = space;
	}
	return count == TOKEN_FIELDS;
}

/* NULL: good; else what is wrong. The texts stay in the line. */
static const char *read_fields(char *const fields[TOKEN_FIELDS], struct token *token)
{
	if (!read_digest(fields[0], token->digest))
		return "the hash is not 64 lower-case hex digits";
	if (!token_role_find(fields[2], &token->role))
		return "the role is none of admin, hospital, bank, clinic, reader";
	if (!read_rate(fields[4], &token->rate_per_s))
		return "the rate is no number from 0 to 100000";
	token->has_expires_at = strcmp(fields[5], "-") != 0;
	if (token->has_expires_at && !time_parse(fields[5], &token->expires_at))
		return "the expiry is neither - nor a time like 2030-01-31T12:00:00Z";
	token->subject = fields[1];
	token->facility_id = strcmp(fields[3], "*") == 0 ? NULL : fields[3];
	return find_fault(token);
}

static const char *read_line(const char *text, size_t length, struct arena *arena, struct token *token)
{
	char *fields[TOKEN_FIELDS];
	if (length > LINE_BYTES_MAX)
		return "longer than 512 bytes";
	if (memchr(text, '\0', length) != NULL)
		return "holds a NUL byte";
	if (!split(arena_bytes(arena, text, length), fields))
		return "not six fields parted by single spaces: hash subject role facility rate expires";
	return read_fields(fields, token);
}

static int compare_digests(const void *left, const void *right)
{
	return memcmp(((const struct token *)left)->digest, ((const struct token *)right)->digest, SHA256_BYTES);
}

static size_t count_lines(const char *text, size_t length)
{
	size_t count = 1;
	for (size_t i = 0; i < length; i++)
		count += text[i] == '\n';
	return count;
}

static bool read_lines(const char *text, size_t length, struct arena *arena, struct tokens *tokens,
	struct why *why)
{
	const char *end = text + length;
	for (size_t number = 1; text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line_length = (size_t)((newline == NULL ? end : newline) - text);
		if (line_length > 0 && text[0] != '#') {
			if (tokens->count == TOKENS_MAX)
				return because(why, "tokens", "line %zu: more than %d tokens", number, TOKENS_MAX);
			const char *fault = read_line(text, line_length, arena, &tokens->items[tokens->count]);
			if (fault != NULL)
				return because(why, "tokens", "line %zu: %s", number, fault);
			tokens->count++;
		}
		text += line_length + 1;
	}
	return true;
}

bool tokens_parse(const char *text, size_t length, struct arena *arena, struct tokens *out, struct why *why)
{
	struct tokens tokens = { .count = 0 };
	if (length > TOKENS_FILE_BYTES_MAX)
		return because(why, "tokens", "longer than %d bytes", TOKENS_FILE_BYTES_MAX);
	if (length == 0)
		text = ""; /* may have been NULL */
	size_t lines = count_lines(text, length);
	tokens.items = arena_array(arena, lines < TOKENS_MAX ? lines : TOKENS_MAX, sizeof(*tokens.items));
	if (!read_lines(text, length, arena, &tokens, why))
		return false;
	qsort(tokens.items, tokens.count, sizeof(*tokens.items), compare_digests);
	for (size_t i = 1; i < tokens.count; i++)
		if (compare_digests(&tokens.items[i - 1], &tokens.items[i]) == 0)
			return because(why, "tokens", "a token of %s is there twice: keep one of the lines",
				tokens.items[i].subject);
	*out = tokens;
	return true;
}

const struct token *tokens_find_digest(const struct tokens *tokens, const unsigned char digest[SHA256_BYTES])
{
	struct token wanted = { .subject = NULL };
	if (tokens->count == 0)
		return NULL;
	memcpy(wanted.digest, digest, sizeof(wanted.digest));
	const struct token *found =
		bsearch(&wanted, tokens->items, tokens->count, sizeof(*tokens->items), compare_digests);
	return found != NULL && CRYPTO_memcmp(found->digest, digest, SHA256_BYTES) == 0 ? found : NULL;
}

const struct token *tokens_find(const struct tokens *tokens, const char *text)
{
	unsigned char digest[SHA256_BYTES];
	sha256(text, strlen(text), digest);
	return tokens_find_digest(tokens, digest);
}

void token_hash(const struct token *token, char out[SHA256_TEXT_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		*out++ = digits[token->digest[i] >> 4];
		*out++ = digits[token->digest[i] & 0x0f];
	}
	*out = '\0';
}

bool token_check(const struct token *token, struct why *why)
{
	const char *fault = find_fault(token);
	return fault == NULL || because(why, "tokens", "%s", fault);
}

void token_print(const struct token *token, struct buffer *out)
{
	char hash[SHA256_TEXT_BYTES], expires[TIME_TEXT_BYTES] = "-";
	token_hash(token, hash);
	if (token->has_expires_at)
		time_print(token->expires_at, expires);
	buffer_print(out, "%s %s %s %s %ld %s\n", hash, token->subject, token_role_name(token->role),
		token->facility_id == NULL ? "*" : token->facility_id, token->rate_per_s, expires);
}

static bool read_all(int file, const char *path, struct buffer *out, struct why *why)
{
	unsigned char bytes[READ_BYTES];
	for (size_t sum = 0;;) {
		ssize_t count = read(file, bytes, sizeof(bytes));
		if (count < 0)
			return because(why, "tokens", "%s cannot be read: %s", path, strerror(errno));
		if (count == 0)
			return true;
		sum += (size_t)count;
		if (sum > TOKENS_FILE_BYTES_MAX)
			return because(why, "tokens", "%s is longer than %d bytes", path, TOKENS_FILE_BYTES_MAX);
		buffer_add(out, bytes, (size_t)count);
	}
}

static bool check_file(int file, const char *path, struct why *why)
{
	struct stat status;
	if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
		return because(why, "tokens", "%s is not a regular file", path);
	if ((status.st_mode & (S_IXUSR | S_IRWXG | S_IRWXO)) != 0)
		return because(why, "tokens", "%s has mode %04o: others than its owner must not touch it: chmod 0600",
			path, (unsigned)(status.st_mode & 07777));
	return true;
}

bool tokens_read_file(const char *path, struct buffer *out, struct why *why)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file < 0)
		return because(why, "tokens", "%s cannot be opened: %s", path, strerror(errno));
	bool is_read = check_file(file, path, why) && read_all(file, path, out, why);
	close(file);
	return is_read;
}
