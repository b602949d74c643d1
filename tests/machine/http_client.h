/* A client of the HTTP server under test, in the same loop: each turn serves the server and takes what has come. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"

/* A connection to the server and what came back over it. */
struct client {
	struct http *http;
	int socket;
	char response[64 * 1024];
	size_t length;
	bool is_closed; /* by the server */
};

void connect_client(struct client *client, struct http *http);
void send_bytes(const struct client *client, const void *bytes, size_t length);
void send_text(const struct client *client, const char *text);

/* One turn of the loop. */
void turn(struct client *client);

/* Until head and announced body are there; `has_body` is false for answers to HEAD. */
void wait_for_answer(struct client *client, bool has_body);
void wait_for_close(struct client *client, int64_t patience_ms);

/* One request on a connection of its own; the response stays in `client`. */
void ask(struct client *client, struct http *http, const char *request);

void assert_alive(struct http *http);
