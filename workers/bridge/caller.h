/* Who calls: bearer tokens (RFC 6750) from a file of hashes, their roles, facilities and rates. */
#pragma once

#include <sys/stat.h>

#include "problem.h"
#include "tokens.h"

enum { CALLERS_LOOK_MS = 2000 }; /* a token that was taken away works no longer than that */

/* The one who calls, copied: the file may be read anew while the call waits. */
struct caller {
	char subject[TOKEN_SUBJECT_MAX + 1];
	char facility_id[TOKEN_SUBJECT_MAX + 1]; /* "" = all */
	enum token_role role;
	unsigned char digest[SHA256_BYTES]; /* of the token */
};

/* What a token may still ask for: fills by its rate, holds at most a second's worth. */
struct allowance {
	double left;
	int64_t since_us;
};

struct callers {
	const char *path;
	struct arena arena; /* of the tokens */
	struct tokens tokens;
	struct allowance *allowances; /* one for each token */
	struct stat seen;             /* the file as it was read */
	int64_t look_ms;              /* when to look again */
	bool was_read;
};

void callers_init(struct callers *callers, const char *path);
void callers_clear(struct callers *callers);

/* Reads the file again if it changed. False: it can't be read; the tokens stay as they were, `why` tells. */
bool callers_refresh(struct callers *callers, struct why *why);

/* By the header Authorization (may be NULL). False: `problem` says why, with 401. */
bool callers_identify(const struct callers *callers, const char *authorization, struct caller *caller,
	struct problem *problem);

/* Takes one request of the caller's rate. False: it is used up, `problem` says so, with 429. */
bool callers_take(struct callers *callers, const struct caller *caller, struct problem *problem);

/* Whether the caller's token is still good for what it was when he came. */
bool callers_know(const struct callers *callers, const struct caller *caller);

/* Whether the caller may see and do what is the facility's. NULL is nobody's. */
bool caller_covers(const struct caller *caller, const char *facility_id);
