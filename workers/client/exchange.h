/* One HTTP request and its answer, over libcurl: bounded in time and size, no redirects, no proxy. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>
#include <jansson.h>

#include "buffer.h"

enum { DOOR_WAIT_MAX_S = 30, DOOR_LOCATION_BYTES = 512 };

struct door_request {
	const char *method;
	const char *path; /* with the query, from the slash */
	const char *body; /* JSON text; NULL = none */
	size_t body_bytes;
	const char *key; /* Idempotency-Key; NULL = none */
	long wait_s;     /* Prefer: wait; 0 = none */
};

struct door_answer {
	long status;
	json_t *body; /* NULL: none, or no JSON */
	char location[DOOR_LOCATION_BYTES];
	long retry_after_s; /* 0 = not said */
};

void door_answer_clear(struct door_answer *answer);

/* One exchange in the making, for those who run many at once: prepare, let curl run it, finish. */
struct exchange {
	CURL *curl;
	struct curl_slist *headers;
	struct buffer answer;
	char location[DOOR_LOCATION_BYTES];
	long retry_after_s;
	void *owner; /* the user's */
};

void exchange_init(struct exchange *exchange);
void exchange_clear(struct exchange *exchange);

/* The request's body must live until the exchange is over. */
void exchange_prepare(struct exchange *exchange, const char *base, const char *authorization,
	const struct door_request *request);

/* The answer's status and headers; the body is decoded only if `wants_body`. */
void exchange_finish(struct exchange *exchange, bool wants_body, struct door_answer *answer);
