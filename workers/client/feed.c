/*
 * Bound to the exchange of what people may watch. Declared over the management API: durable and not exclusive, as newer brokers want it, and gone by itself a minute after
 * nobody uses it.
 */
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "uuid.h"

enum { FEED_EXPIRES_MS = 60000, FEED_MESSAGES_MAX = 100000, PATH_BYTES = 256, KEY_BYTES = 128 };

static bool declare_queue(struct feed *feed, struct why *why)
{
	char path[PATH_BYTES];
	snprintf(path, sizeof(path), "queues/%%v/%s", feed->name);
	json_t *body = json_pack("{s:b, s:b, s:{s:s, s:i, s:i}}", "durable", 1, "auto_delete", 0, "arguments",
		"x-queue-type", "classic", "x-expires", FEED_EXPIRES_MS, "x-max-length", FEED_MESSAGES_MAX);
	bool is_done = management_call(feed->management, "PUT", path, body, NULL, why);
	json_decref(body);
	return is_done;
}

static bool bind_queue(struct feed *feed, const char *routing_key, struct why *why)
{
	char path[PATH_BYTES];
	snprintf(path, sizeof(path), "bindings/%%v/e/feed/q/%s", feed->name);
	json_t *body = json_pack("{s:s, s:{}}", "routing_key", routing_key, "arguments");
	bool is_done = management_call(feed->management, "POST", path, body, NULL, why);
	json_decref(body);
	return is_done;
}

static bool bind_event(struct feed *feed, enum event event, struct why *why)
{
	const struct event_type *type = event_type(event);
	char key[KEY_BYTES];
	snprintf(key, sizeof(key), "%s.emergency", type->name);
	return bind_queue(feed, type->name, why) && (!type->has_emergency_lane || bind_queue(feed, key, why));
}

/* A queue that nothing is bound to yet. */
static bool open_queue(struct feed *feed, const struct address *management, const struct address *watcher,
	struct why *why)
{
	char id[UUID_TEXT_BYTES];
	struct address address = *management;
	if (address.user[0] == '\0') {
		memcpy(address.user, watcher->user, sizeof(address.user));
		memcpy(address.password, watcher->password, sizeof(address.password));
	}
	feed->management = management_new(&address, watcher->path);
	address_clear(&address);
	if (feed->management == NULL)
		return because(why, "connection", "the HTTP client could not be started");
	uuid_random(id);
	snprintf(feed->name, sizeof(feed->name), "operator.carebus-%s", id);
	return declare_queue(feed, why);
}

bool feed_open(struct feed *feed, const struct address *management, const struct address *watcher,
	const enum event events[], struct why *why)
{
	bool is_done = open_queue(feed, management, watcher, why);
	for (size_t i = 0; is_done && events[i] != EVENT_NONE; i++)
		is_done = bind_event(feed, events[i], why);
	if (!is_done)
		feed_close(feed);
	return is_done;
}

bool feed_open_keys(struct feed *feed, const struct address *management, const struct address *watcher,
	const char *const keys[], struct why *why)
{
	bool is_done = open_queue(feed, management, watcher, why);
	for (size_t i = 0; is_done && keys[i] != NULL; i++)
		is_done = bind_queue(feed, keys[i], why);
	if (!is_done)
		feed_close(feed);
	return is_done;
}

void feed_close(struct feed *feed)
{
	char path[PATH_BYTES];
	struct why ignored;
	if (feed->management == NULL)
		return;
	snprintf(path, sizeof(path), "queues/%%v/%s", feed->name);
	management_call(feed->management, "DELETE", path, NULL, NULL, &ignored);
	management_free(feed->management);
	feed->management = NULL;
}
