/* The broker checks who may write a routing key, and nobody checks the type: both must say the same. */
#include "heard.h"

#include <string.h>

static bool key_fits(const char *key, const struct event_type *type)
{
	const char *name = type->is_answer ? type->exchange : type->name;
	size_t length = strlen(name);
	if (strncmp(key, name, length) != 0)
		return false;
	const char *rest = key + length;
	if (type->is_answer)
		return strncmp(rest, ".answer.", strlen(".answer.")) == 0;
	return *rest == '\0' || (type->has_emergency_lane && strcmp(rest, ".emergency") == 0);
}

bool heard_begin(struct heard *heard, const struct delivery *delivery)
{
	enum event event = event_find(delivery->type == NULL ? "" : delivery->type);
	const struct event_type *type = event_type(event);
	if (type == NULL || strcmp(delivery->exchange, type->exchange) != 0
		|| !key_fits(delivery->routing_key, type))
		return false;
	*heard = (struct heard){ .event = event, .delivery = delivery };
	return true;
}

void heard_end(struct heard *heard)
{
	json_decref(heard->body);
}

const json_t *heard_body(struct heard *heard)
{
	if (!heard->is_parsed)
		heard->body = json_loadb(heard->delivery->body, heard->delivery->body_bytes, 0, NULL);
	heard->is_parsed = true;
	return heard->body;
}

const char *heard_text(struct heard *heard, const char *member)
{
	return json_string_value(json_object_get(heard_body(heard), member));
}
