/* What the files of the HTTP server share. */
#pragma once

#include <microhttpd.h>

#include "buffer.h"
#include "http.h"

/* One TCP connection; requests follow each other on it. */
struct http_connection {
	int socket;
	int64_t deadline_ms; /* clock_steady_ms; INT64_MAX: it is our turn */
	int64_t part_ms;     /* the same, of a chunked body's next part; INT64_MAX: none is awaited */
	struct http_connection *previous, *next;
};

/* Why a request is refused by the server itself; text NULL: it is not. */
struct http_fault {
	unsigned status;
	const char *text;
};

struct http_exchange {
	struct http *http;
	struct MHD_Connection *connection;
	struct http_connection *socket; /* that carries it */
	const char *method, *path;      /* the library's, until the exchange is over */
	struct buffer body;
	struct http_fault fault;       /* found before the request was whole: the rest of it is thrown away */
	struct MHD_Response *response; /* the answer, made and not yet queued */
	unsigned status;
	void *data;                            /* the owner's */
	struct buffer stream;                  /* bytes that wait for the reader */
	size_t thrown_bytes;                   /* of a body that nobody wants */
	bool has_head;                         /* the library has read all of it */
	bool is_chunked;                       /* its body */
	bool is_dispatched;                    /* the owner knows of it */
	bool is_answered;                      /* by http_answer or http_stream */
	bool is_suspended;                     /* until its answer, or the stream's next bytes */
	bool is_stream;                        /* the answer is one */
	bool is_ended;                         /* no more bytes will come */
	struct http_exchange *previous, *next; /* of those that the owner knows */
};

struct http {
	struct MHD_Daemon *daemon;
	struct http_options options;
	int epoll_socket;
	uint16_t port;
	int64_t look_ms; /* when to look for late connections again */
	bool has_pending;
	size_t bodies_bytes;  /* gathered, of all exchanges */
	size_t streams_bytes; /* that wait for their readers, of all streams */
	size_t connections_count;
	struct http_connection *connections;
	struct http_exchange *exchanges;
};

/* What the head of a request says of the rest. */
struct http_head {
	struct http_fault fault;
	bool has_body;
	bool is_chunked;
	bool is_waiting; /* the client sends the body when it hears 100 Continue */
};

/* http_head.c: why the target of a request (RFC 9112 section 3.2), as it came, is refused, or NULL. */
const char *http_target_fault(const char *target);

/* The path of a decoded target. */
const char *http_target_path(const char *decoded);

void http_read_head(const struct http_exchange *exchange, const char *version, struct http_head *head);

/* http_request.c: called by the library for each step of a request. */
void *http_begin(void *owner, const char *target, struct MHD_Connection *connection);
enum MHD_Result http_handle(void *owner, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_bytes, void **request);
void http_completed(void *owner, struct MHD_Connection *connection, void **request,
	enum MHD_RequestTerminationCode code);

/* http_exchange.c: ends a stream whose reader is gone or too slow; its connection is closed. */
void http_stream_cut(struct http_exchange *exchange);
