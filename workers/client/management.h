/* The broker's management API: JSON over HTTP, one request at a time. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "address.h"
#include "outcome.h"

struct management;

/* `address` and `vhost` are copied. NULL: the HTTP client could not be made. */
struct management *management_new(const struct address *address, const char *vhost);
void management_free(struct management *management);

/*
 * `path` is below /api/; "%v" in it becomes the virtual host, encoded. `body` may be NULL. `*answer` (may be NULL) becomes the
 * decoded answer, owned by the caller, NULL when it is empty. False: why says what failed; reason "absent" when the answer was 404.
 */
bool management_call(struct management *management, const char *method, const char *path, const json_t *body,
	json_t **answer, struct why *why);

/* A name as a part of a path. Owned by the caller; ends the process when memory is out. */
char *management_encode(struct management *management, const char *name);
