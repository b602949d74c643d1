/* From a delivery to a message: which event it is, under which id it is known, what its body says. */
#include "worker_internal.h"

#include <string.h>

#include "schema.h"

enum { ID_TEXT_MAX = 128 };

static const char emergency_suffix[] = ".emergency";

static bool ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text), suffix_length = strlen(suffix);
	return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

const char *delivery_event_name(const struct delivery *delivery, struct arena *arena)
{
	if (delivery->type != NULL)
		return delivery->type;
	const char *key = delivery->routing_key;
	if (!ends_with(key, emergency_suffix))
		return key;
	return arena_bytes(arena, key, strlen(key) - strlen(emergency_suffix));
}

/*
 * The broker checks what a user may write by the routing key, so the key must say the same as `type`. A message that was
 * put straight into the queue (by the default exchange: admin alone may) has the queue's name as its key.
 */
static bool key_fits(const struct delivery *delivery, const struct event_type *type)
{
	const char *key = delivery->routing_key;
	if (delivery->exchange[0] == '\0')
		return true;
	size_t length = strlen(type->name);
	if (strncmp(key, type->name, length) != 0)
		return false;
	return key[length] == '\0' || (type->has_emergency_lane && strcmp(key + length, emergency_suffix) == 0);
}

static const struct field *find_field(const struct schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->field_count; i++)
		if (strcmp(schema->fields[i].name, name) == 0)
			return &schema->fields[i];
	return NULL;
}

static bool lane_fits(const struct delivery *delivery, const struct event_type *type, const void *body)
{
	const struct field *urgency = find_field(type->schema, "urgency");
	if (urgency == NULL || urgency->kind != VALUE_ENUM || !ends_with(delivery->routing_key, emergency_suffix))
		return true;
	return *(const enum urgency *)((const char *)body + urgency->offset) == URGENCY_EMERGENCY;
}

static const struct route *find_route(const struct worker *worker, enum event event)
{
	for (const struct route *route = worker->routes; route->event != EVENT_NONE; route++)
		if (route->event == event)
			return route;
	return NULL;
}

static bool is_question(const struct worker *worker, enum event event)
{
	for (const struct question *question = worker->questions; question->event != EVENT_NONE; question++)
		if (question->event == event)
			return true;
	for (const struct look_up *look_up = worker->look_ups; look_up->event != EVENT_NONE; look_up++)
		if (look_up->event == event)
			return true;
	return worker->changed != NULL && event == APPOINTMENT_QUERY_LEASE;
}

static const char *id_from_body(const struct event_type *type, const void *body)
{
	const struct field *field = type->id_field == NULL ? NULL : find_field(type->schema, type->id_field);
	return field == NULL ? NULL : *(const char *const *)((const char *)body + field->offset);
}

static bool read_id(const struct runtime *runtime, const struct delivery *delivery,
	const struct event_type *type, struct arena *arena, struct message *message, struct why *why)
{
	char *id = arena_new(arena, UUID_TEXT_BYTES);
	message->message_id = id;
	if (delivery->message_id != NULL) {
		if (uuid_canonical(delivery->message_id, id))
			return true;
		return because(why, "bad_id", "message_id \"%.64s\" is not a uuid", delivery->message_id);
	}
	const char *from_body = id_from_body(type, message->body);
	if (from_body == NULL)
		return because(why, "no_id", "%s has no message_id", type->name);
	const char *const names[] = { type->name, from_body, NULL };
	uuid_from_names(runtime->namespace_id, names, id);
	return true;
}

static bool read_event(const struct runtime *runtime, const struct delivery *delivery, struct arena *arena,
	struct incoming *incoming, struct why *why)
{
	const char *name = delivery_event_name(delivery, arena);
	enum event event = event_find(name);
	incoming->message.event = event;
	if (event == EVENT_NONE)
		return because(why, "unknown_type", "no event is called \"%.100s\"", name);
	incoming->route = find_route(runtime->worker, event);
	bool is_asked = runtime->lane_of[delivery->lane] == LANE_QUERY;
	if (is_asked ? !is_question(runtime->worker, event) : incoming->route == NULL)
		return because(why, "not_routed", "%s does not handle %s", runtime->worker->name, name);
	if (!key_fits(delivery, event_type(event)))
		return because(why, "type_mismatch",
			"routing key \"%.100s\" on exchange \"%.40s\" does not fit type %s", delivery->routing_key,
			delivery->exchange, name);
	return true;
}

static bool read_body(const struct delivery *delivery, struct arena *arena, struct message *message,
	struct why *why)
{
	const struct event_type *type = event_type(message->event);
	void *body;
	if (delivery->is_too_large)
		return because(why, "too_large", "the body is above %d bytes", BROKER_BODY_MAX);
	if (!schema_read(type->schema, delivery->body, delivery->body_bytes, arena, &body, why))
		return false;
	message->body = body;
	if (!lane_fits(delivery, type, body))
		return because(why, "lane", "routing key %s, but the urgency is not emergency",
			delivery->routing_key);
	return true;
}

bool incoming_read(const struct runtime *runtime, struct delivery *delivery, struct arena *arena,
	struct incoming *incoming, struct why *why)
{
	*incoming = (struct incoming){ .delivery = delivery, .message.arena = arena };
	struct message *message = &incoming->message;
	if (!read_event(runtime, delivery, arena, incoming, why) || !read_body(delivery, arena, message, why)
		|| !read_id(runtime, delivery, event_type(message->event), arena, message, why))
		return false;
	bool has_correlation = delivery->correlation_id != NULL && delivery->correlation_id[0] != '\0'
		&& strlen(delivery->correlation_id) <= ID_TEXT_MAX;
	message->correlation_id = has_correlation ? delivery->correlation_id : message->message_id;
	message->user_id = delivery->user_id;
	message->traceparent = delivery->traceparent;
	message->reply_to = delivery->reply_to;
	char *digest_text = arena_new(arena, SHA256_TEXT_BYTES);
	sha256(delivery->body, delivery->body_bytes, incoming->digest);
	sha256_text(delivery->body, delivery->body_bytes, digest_text);
	incoming->digest_text = digest_text;
	return true;
}
