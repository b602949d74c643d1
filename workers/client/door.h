/*
 * The HTTP door of a running stack (CAREBUS_HTTP, CAREBUS_TOKEN), over libcurl: JSON, a bearer token, bounded in time and size, no
 * redirects, no proxy. The token is in a header, never in a URL or an argument.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "buffer.h"
#include "command.h"
#include "exchange.h"
#include "settings.h"

struct door;

/* Whether both are set; then people's commands go that way. */
bool door_is_known(void);

/* Reads the environment. NULL: the faults are on `faults`, a line each. */
struct door *door_new(FILE *faults);
void door_free(struct door *door);
const char *door_host(const struct door *door); /* "127.0.0.1:8080" */

/* What is read, for those who explain it. */
const struct setting *door_settings(void);

/*
 * One request and its answer, which is to be cleared whatever comes back. `what` is tried: "cancelling 1f..". What stands in the way is told on
 * `faults`.
 */
enum ending door_call(struct door *door, const char *what, const struct door_request *request,
	struct door_answer *answer, FILE *faults);

/* Adds ?name=value or &name=value, encoded. A NULL value adds nothing. */
void door_query(struct buffer *path, const char *name, const char *value);

/* Adds a part of a path, encoded. */
void door_part(struct buffer *path, const char *part);

/* For those who run many exchanges at once: the door's address and token go in. */
void door_prepare(const struct door *door, struct exchange *exchange, const struct door_request *request);
