/* The environment of a running stack, as `compose/status --env` prints it. */
#include "connections.h"

#include <stddef.h>
#include <stdio.h>

struct environment {
	const char *upstream, *watcher, *management;
};

static const struct setting table[] = {
	{ .name = "CAREBUS_AMQP",
		.kind = SETTING_SECRET,
		.offset = offsetof(struct environment, upstream),
		.fallback = "",
		.help = "amqp://user:password@host:port/vhost of who publishes" },
	{ .name = "CAREBUS_AMQP_ADMIN",
		.kind = SETTING_SECRET,
		.offset = offsetof(struct environment, watcher),
		.fallback = "",
		.help = "the same of who watches: admin or operator" },
	{ .name = "CAREBUS_MANAGEMENT",
		.kind = SETTING_SECRET,
		.offset = offsetof(struct environment, management),
		.fallback = "",
		.help = "http://host:port of the broker's management API" },
	{ .name = NULL },
};

/* Absent is fine unless it is needed. */
static bool take(struct address *address, const char *name, const char *url, unsigned is_needed)
{
	struct why why;
	if (url[0] == '\0') {
		if (is_needed != 0)
			fprintf(stderr, "%s is not set; `compose/status --env` prints it\n", name);
		return is_needed == 0;
	}
	if (address_parse(address, name, url, &why))
		return true;
	fprintf(stderr, "%s\n", why.text);
	return false;
}

bool connections_read(struct connections *connections, unsigned needed)
{
	struct environment environment = { .upstream = NULL };
	*connections = (struct connections){ .has_watcher = false };
	bool is_good = settings_read(table, &environment, stderr);
	if (is_good) {
		is_good =
			take(&connections->upstream, "CAREBUS_AMQP", environment.upstream, needed & CONNECTIONS_UPSTREAM);
		is_good &= take(&connections->watcher, "CAREBUS_AMQP_ADMIN", environment.watcher,
			needed & CONNECTIONS_WATCHER);
		is_good &= take(&connections->management, "CAREBUS_MANAGEMENT", environment.management,
			needed & CONNECTIONS_MANAGEMENT);
		connections->has_watcher = environment.watcher[0] != '\0' && environment.management[0] != '\0';
	}
	settings_clear(table, &environment);
	return is_good;
}

void connections_clear(struct connections *connections)
{
	address_clear(&connections->upstream);
	address_clear(&connections->watcher);
	address_clear(&connections->management);
}

const struct setting *connections_settings(void)
{
	return table;
}
