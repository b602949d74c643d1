/* A small HTTP server inside the caller's own loop: metrics and health of a worker, on loopback. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "outcome.h"

struct http;

/*
 * Fills the body and returns the status; 0 = no such path, answered by 404. An error without a body gets
 * the status' name. Content type: text/plain.
 */
typedef unsigned http_answer_fn(void *owner, const char *path, struct buffer *body);

/*
 * Listens on 127.0.0.1:port (0 = any free one). NULL: `why` says what failed. `answer` is called for GET
 * and HEAD of each path; other methods are answered by 405, requests with a body by 400.
 */
struct http *http_open(uint16_t port, http_answer_fn *answer, void *owner, struct why *why);
void http_close(struct http *http);
int http_socket(const struct http *http);    /* one epoll descriptor: readable = call http_serve */
uint16_t http_port(const struct http *http); /* the one it listens on */

/*
 * Never waits. Call it about once a second as well: idle connections (10 s) are closed here, and no
 * descriptor tells of them.
 */
void http_serve(struct http *http);
