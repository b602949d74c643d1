/*
 * An HTTP/1.1 server inside the caller's own loop, on loopback: metrics and health of a worker, all of the bridge. Nothing here
 * waits. An exchange is one request and its answer, which may come at once or later.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outcome.h"

enum {
	HTTP_HEADERS_MAX = 10, /* of an answer, besides its content type */
	HTTP_REQUEST_LIMIT_MS =
		20 * 1000,                    /* for a connection's first line, or the next, and again for the rest */
	HTTP_PART_LIMIT_MS = 2000,        /* for the next part of a body that is sent in chunks */
	HTTP_ANSWER_LIMIT_MS = 30 * 1000, /* for the client to take an answer */
	HTTP_HEAD_BYTES_MAX = 8 * 1024,   /* target and headers of a request */
	HTTP_BODIES_BYTES_MAX = 64 << 20, /* of all requests that are not answered */
	HTTP_STREAM_BYTES_MAX = 512 * 1024, /* that wait for a slow reader, before his stream ends */
	HTTP_STREAMS_BYTES_MAX = 64 << 20,  /* of all streams together */
};

struct http;
struct http_exchange;

/* A whole request is there. Answer it now, or keep the exchange and answer later: http_answer or http_stream, once. */
typedef void http_request_fn(void *owner, struct http_exchange *exchange);

/* The exchange is over: forget it. Called for each one that `request` was called for, answered or not. */
typedef void http_over_fn(void *owner, struct http_exchange *exchange);

/* The server itself refuses a request (400, 413, 417, 431, 501, 503): answer it with this status. */
typedef void http_refuse_fn(void *owner, struct http_exchange *exchange, unsigned status, const char *detail);

struct http_options {
	uint16_t port; /* 0 = any free one */
	unsigned connections_max;
	size_t body_bytes_max;    /* 0: requests with a body are refused before it is read */
	size_t bodies_bytes_max;  /* of all requests at once; 0: HTTP_BODIES_BYTES_MAX */
	size_t streams_bytes_max; /* 0: HTTP_STREAMS_BYTES_MAX */
	int64_t request_limit_ms; /* 0: HTTP_REQUEST_LIMIT_MS */
	http_request_fn *
		admit; /* The head of a request with a body: answer it now, and the body is not kept. NULL: all come in */
	http_request_fn *request;
	http_over_fn *over;     /* NULL: nobody cares */
	http_refuse_fn *refuse; /* NULL: in plain text */
	void *owner;
};

/* Listens on 127.0.0.1. NULL: `why` says what failed. */
struct http *http_open(const struct http_options *options, struct why *why);
void http_close(struct http *http);          /* exchanges that wait are ended without an answer */
int http_socket(const struct http *http);    /* one epoll descriptor: readable = call http_serve */
uint16_t http_port(const struct http *http); /* the one it listens on */

/* Call it about once a second as well: connections that are late, and streams whose reader left, are closed here, and no descriptor tells of them. */
void http_serve(struct http *http);

/* Whether something was answered, or added to a stream, since the last http_serve: no descriptor tells of that. Serve, then wait. */
bool http_has_pending(const struct http *http);

/* Takes no new connections from now on; those that are there go on. */
void http_quiesce(struct http *http);

/* The request. Texts live as long as the exchange; NULL when there is no such header or parameter. */
const char *http_method(const struct http_exchange *exchange);
const char *http_path(const struct http_exchange *exchange); /* decoded, without the query */
const char *http_header(const struct http_exchange *exchange, const char *name);
const char *http_nth_header(const struct http_exchange *exchange, const char *name,
	unsigned number); /* from 0; lists may be spread over several */
const char *http_parameter(const struct http_exchange *exchange,
	const char *name); /* of the query, decoded */
const char *http_body(const struct http_exchange *exchange, size_t *bytes);

/* The first parameter whose name is not in the list (ends with NULL), or NULL. */
const char *http_unknown_parameter(const struct http_exchange *exchange, const char *const names[]);

/* The caller's own pointer, NULL at first. */
void http_set_data(struct http_exchange *exchange, void *data);
void *http_data(const struct http_exchange *exchange);

struct http_header {
	const char *name, *value;
};

struct http_answer {
	unsigned status;
	const char *content_type; /* NULL: no body */
	const char *body;         /* copied; left out for HEAD, 204 and 304 */
	size_t body_bytes;
	bool is_static;                               /* the body outlives the server: not copied */
	struct http_header headers[HTTP_HEADERS_MAX]; /* the first without a name ends them */
};

void http_answer(struct http_exchange *exchange, const struct http_answer *answer);

/* Answers with a body that goes on until http_stream_end or until the client leaves. */
void http_stream(struct http_exchange *exchange, const struct http_answer *answer);

/* Adds to a stream's body. False: the reader is too slow, the stream is ended. */
bool http_stream_add(struct http_exchange *exchange, const char *bytes, size_t length);
void http_stream_end(struct http_exchange *exchange);
