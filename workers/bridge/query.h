/* The query of a list: its parameters become the members of a question. */
#pragma once

#include "caller.h"
#include "route.h"

struct query {
	const struct http_exchange *exchange;
	const struct route *route;
	const struct schema *schema; /* of the question */
	const char *
		facility; /* the parameter that must be the caller's, and is his when it is absent; NULL: there is none */
	const struct caller *caller;
};

/* Writes the question. False: `problem` says which parameter is at fault; what it points to is in the arena. */
bool query_write(const struct query *query, struct arena *arena, struct buffer *out, struct problem *problem);

/* The Link header of the next page: the same query with another cursor. */
const char *query_link(const struct http_exchange *exchange, const struct route *route, const char *cursor,
	struct arena *arena);
