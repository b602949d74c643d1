/* Tokens are looked up by the hash of what was sent; the file is watched by its time, size and inode. */
#include "caller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"

static const char scheme[] = "Bearer ";

void callers_init(struct callers *callers, const char *path)
{
	*callers = (struct callers){ .path = path };
	arena_init(&callers->arena);
}

void callers_clear(struct callers *callers)
{
	arena_clear(&callers->arena);
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec
		&& a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* All or nothing: a file that is wrong somewhere changes nothing. */
static bool read_file(struct callers *callers, struct why *why)
{
	struct buffer text;
	struct arena arena;
	struct tokens tokens;
	buffer_init(&text);
	arena_init(&arena);
	bool is_good = tokens_read_file(callers->path, &text, why)
		&& tokens_parse(buffer_text(&text), text.length_bytes, &arena, &tokens, why);
	buffer_clear(&text);
	if (!is_good) {
		arena_clear(&arena);
		return false;
	}
	arena_clear(&callers->arena);
	callers->arena = arena;
	callers->tokens = tokens;
	callers->allowances = arena_array(&callers->arena, tokens.count, sizeof(*callers->allowances));
	callers->was_read = true;
	return true;
}

bool callers_refresh(struct callers *callers, struct why *why)
{
	struct stat now;
	if (clock_steady_ms() < callers->look_ms)
		return true;
	callers->look_ms = clock_steady_ms() + CALLERS_LOOK_MS;
	if (stat(callers->path, &now) != 0)
		return because(why, "tokens", "%s: %s; `carebus token add` makes one", callers->path,
			strerror(errno));
	if (callers->was_read && is_same_file(&now, &callers->seen))
		return true;
	if (!read_file(callers, why))
		return false;
	callers->seen = now;
	return true;
}

static bool take_allowance(struct callers *callers, const struct token *token)
{
	struct allowance *allowance = &callers->allowances[token - callers->tokens.items];
	if (token->rate_per_s == 0)
		return true;
	int64_t now_us = clock_steady_us();
	double most = (double)token->rate_per_s;
	allowance->left += most * (double)(now_us - allowance->since_us) / (double)MICROSECONDS_PER_SECOND;
	if (allowance->left > most || allowance->since_us == 0)
		allowance->left = most;
	allowance->since_us = now_us;
	if (allowance->left < 1)
		return false;
	allowance->left -= 1;
	return true;
}

static bool refuse_unknown(struct problem *problem, const char *detail)
{
	*problem = (struct problem){
		.status = 401,
		.code = "unauthorized",
		.detail = detail,
		.headers = { { "WWW-Authenticate", "Bearer realm=\"carebus\"" } },
	};
	return false;
}

static bool is_expired(const struct token *token)
{
	return token->has_expires_at && token->expires_at <= clock_now_us();
}

static void copy(const struct token *token, struct caller *caller)
{
	*caller = (struct caller){ .role = token->role };
	memcpy(caller->subject, token->subject, strlen(token->subject) + 1);
	if (token->facility_id != NULL)
		memcpy(caller->facility_id, token->facility_id, strlen(token->facility_id) + 1);
	memcpy(caller->digest, token->digest, sizeof(caller->digest));
}

bool callers_identify(const struct callers *callers, const char *authorization, struct caller *caller,
	struct problem *problem)
{
	if (authorization == NULL || strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
		return refuse_unknown(problem, "send a token: Authorization: Bearer ...");
	const struct token *token = tokens_find(&callers->tokens, authorization + sizeof(scheme) - 1);
	if (token == NULL || is_expired(token))
		return refuse_unknown(problem, "the token is unknown or has expired; ask for a new one");
	copy(token, caller);
	return true;
}

bool callers_take(struct callers *callers, const struct caller *caller, struct problem *problem)
{
	const struct token *token = tokens_find_digest(&callers->tokens, caller->digest);
	if (token == NULL || take_allowance(callers, token))
		return true;
	*problem = (struct problem){
		.status = 429,
		.code = "too_many_requests",
		.detail = "this token's rate is used up; try again in a second",
		.headers = { { "Retry-After", "1" } },
	};
	return false;
}

bool callers_know(const struct callers *callers, const struct caller *caller)
{
	const struct token *token = tokens_find_digest(&callers->tokens, caller->digest);
	const char *facility_id = token == NULL || token->facility_id == NULL ? "" : token->facility_id;
	return token != NULL && !is_expired(token) && token->role == caller->role
		&& strcmp(facility_id, caller->facility_id) == 0;
}

bool caller_covers(const struct caller *caller, const char *facility_id)
{
	return caller->facility_id[0] == '\0'
		|| (facility_id != NULL && strcmp(caller->facility_id, facility_id) == 0);
}
