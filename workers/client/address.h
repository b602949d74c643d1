/* URLs with credentials, taken apart. */
#pragma once

#include <stdbool.h>

#include "outcome.h"

enum { ADDRESS_PART_MAX = 256 };

/* Secrets inside: clear it when it is no longer needed. */
struct address {
	char url[2 * ADDRESS_PART_MAX]; /* scheme://host:port/path, without credentials */
	char host[ADDRESS_PART_MAX];
	char path[ADDRESS_PART_MAX]; /* behind the slash, decoded; "" = none */
	char user[ADDRESS_PART_MAX]; /* decoded; "" = none */
	char password[ADDRESS_PART_MAX];
};

/* `name` is the environment variable, for the fault. Faults never show the URL: it holds a password. */
bool address_parse(struct address *address, const char *name, const char *url, struct why *why);
void address_clear(struct address *address);

/* Whether "host:port" is this machine by name or number: localhost, 127.x, [::1]. */
bool address_is_loopback(const char *host);
