/* Messages for caches, read and sent. */
#include "cache_bus.h"

#include <stdio.h>

#include "asker.h"
#include "buffer.h"
#include "clock.h"
#include "schema.h"
#include "uuid.h"

enum { KEY_BYTES = 128 };

static bool is_for_cache(enum event event)
{
	return event == APPOINTMENT_CACHE_INVALIDATE || event == APPOINTMENT_CACHE_ACKNOWLEDGE
		|| event == APPOINTMENT_LEASE_ANSWERED;
}

enum event cache_bus_read(const struct delivery *delivery, struct arena *arena, const void **body,
	struct why *why)
{
	enum event event = delivery->type == NULL ? EVENT_NONE : event_find(delivery->type);
	void *found;
	if (!is_for_cache(event) || delivery->is_too_large) {
		because(why, "not_routed", "it is no message for a cache");
		return EVENT_NONE;
	}
	if (!schema_read(event_type(event)->schema, delivery->body, delivery->body_bytes, arena, &found, why))
		return EVENT_NONE;
	*body = found;
	return event;
}

/* `reply_to` is NULL where no answer is awaited. */
static bool send(struct publisher *publisher, const char *app_id, enum event event, const char *key,
	const char *reply_to, const void *body, struct why *why)
{
	const struct event_type *type = event_type(event);
	struct buffer buffer = { 0 };
	char message_id[UUID_TEXT_BYTES];
	if (publisher_room(publisher) == 0 || !schema_write(type->schema, body, &buffer))
		return false;
	uuid_random(message_id);
	const struct publication publication = {
		.exchange = type->exchange,
		.routing_key = key,
		.message_id = message_id,
		.correlation_id = message_id,
		.type = type->name,
		.app_id = app_id,
		.reply_to = reply_to,
		.schema_version = type->schema_version,
		.timestamp_s = clock_now_us() / MICROSECONDS_PER_SECOND,
		.body = buffer_text(&buffer),
		.body_bytes = buffer.length_bytes,
	};
	bool is_sent = publisher_send(publisher, &publication, NULL, why);
	buffer_clear(&buffer);
	return is_sent;
}

/* The names of caches are part of routing keys. */
bool cache_bus_tell(struct publisher *publisher, const char *app_id, enum event event, const char *name,
	const void *body, struct why *why)
{
	char key[KEY_BYTES];
	snprintf(key, sizeof(key), "appointment.cache.%s", name);
	return asker_is_name(name) && send(publisher, app_id, event, key, NULL, body, why);
}

bool cache_bus_ask(struct publisher *publisher, const char *app_id, const char *name,
	const struct coherence_request *request, struct why *why)
{
	const struct appointment_query_lease body = {
		.cache = name,
		.number = (int64_t)request->number,
		.renew = (int64_t)request->renew,
		.has_renew = request->renew != 0,
		.leaves = request->leaves,
		.has_leaves = request->leaves,
		.left = (int64_t)request->left,
		.has_left = request->left != 0,
	};
	const char *key = event_type(APPOINTMENT_QUERY_LEASE)->name;
	return send(publisher, app_id, APPOINTMENT_QUERY_LEASE, key, name, &body, why);
}

struct coherence_answer cache_bus_answer(const struct appointment_lease_answered *body)
{
	return (struct coherence_answer){
		.number = (uint64_t)body->number,
		.is_granted = body->granted,
		.incarnation = body->has_incarnation ? (uint64_t)body->incarnation : 0,
		.generation = body->has_generation ? (uint64_t)body->generation : 0,
	};
}
