/* Refusals over HTTP: problem+json (RFC 9457) with the refusal's code. */
#pragma once

#include "http.h"
#include "schema.h"

enum { PROBLEM_HEADERS_MAX = 3 };

struct problem {
	unsigned status;
	const char *code;                   /* for programs; also in `type` */
	const char *detail;                 /* for people: what happened and what to do; may be NULL */
	const char *state;                  /* the state that forbids it; may be NULL */
	const struct schema_faults *faults; /* of the body or the query, each with its field; may be NULL */
	struct http_header headers[PROBLEM_HEADERS_MAX];
};

void problem_answer(struct http_exchange *exchange, const struct problem *problem);

/* The status of a refusal that a worker gave: its code is one of the contract's closed lists. */
unsigned problem_status(const char *reason);
