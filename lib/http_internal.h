/* What the files of the HTTP server share. */
#pragma once

#include <microhttpd.h>

#include "buffer.h"
#include "http.h"

/* One TCP connection; requests follow each other on it. */
struct http_connection {
	int socket;
	int64_t deadline_ms; /* clock_steady_ms; INT64_MAX: it is our turn */
	struct http_connection *previous, *next;
};

struct http_exchange {
	struct http *http;
	struct MHD_Connection *connection;
	struct http_connection *socket; /* that carries it */
	const char *method, *path;      /* the library's, until the exchange is over */
	struct buffer body;
	struct MHD_Response *response; /* the answer, made and not yet queued */
	unsigned status;
	void *data;                            /* the owner's */
	struct buffer stream;                  /* bytes that wait for the reader */
	size_t thrown_bytes;                   /* of a body that is too large */
	bool is_dispatched;                    /* the owner knows of it */
	bool is_too_large;                     /* its body; the rest is thrown away */
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
	struct http_connection *connections;
	struct http_exchange *exchanges;
};

/* http_request.c: called by the library for each step of a request. */
enum MHD_Result http_handle(void *owner, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_bytes, void **request);
void http_completed(void *owner, struct MHD_Connection *connection, void **request,
	enum MHD_RequestTerminationCode code);
