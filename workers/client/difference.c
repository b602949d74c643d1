/* Things are compared by the members that a table names; what a newer broker adds is not our business. */
#include "difference.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *thing, const char *name)
{
	const char *text = json_string_value(json_object_get(thing, name));
	return text == NULL ? "" : text;
}

static bool has_name(const json_t *things, const char *name)
{
	for (size_t i = 0; i < json_array_size(things); i++)
		if (strcmp(text_of(json_array_get(things, i), "name"), name) == 0)
			return true;
	return false;
}

/* The broker's own exchanges have no name or begin with "amq.". */
static bool is_surplus_exchange(const json_t *topology, const json_t *live)
{
	const char *name = text_of(live, "name");
	(void)topology;
	return name[0] != '\0' && strncmp(name, "amq.", 4) != 0;
}

/* Temporary queues come and go. */
static bool is_surplus_queue(const json_t *topology, const json_t *live)
{
	(void)topology;
	return !json_is_true(json_object_get(live, "exclusive"))
		&& !json_is_true(json_object_get(live, "auto_delete"))
		&& json_object_get(json_object_get(live, "arguments"), "x-expires") == NULL;
}

/* Every queue has a binding to the nameless exchange. Who reads into a queue of his own, may. */
static bool is_surplus_binding(const json_t *topology, const json_t *live)
{
	bool is_to_queue = strcmp(text_of(live, "destination_type"), "queue") == 0;
	const json_t *ours = json_object_get(topology, is_to_queue ? "queues" : "exchanges");
	return text_of(live, "source")[0] != '\0' && has_name(ours, text_of(live, "destination"));
}

static bool is_always_surplus(const json_t *topology, const json_t *live)
{
	(void)topology;
	(void)live;
	return true;
}

const struct part parts[] = {
	{ .name = "exchanges",
		.singular = "exchange",
		.listing = "exchanges/%v",
		.path = "exchanges/%v/{name}",
		.method = "PUT",
		.keys = { "name" },
		.fields = { "type", "durable", "auto_delete", "internal", "arguments" },
		.is_surplus = is_surplus_exchange },
	{ .name = "queues",
		.singular = "queue",
		.listing = "queues/%v",
		.path = "queues/%v/{name}",
		.method = "PUT",
		.keys = { "name" },
		.fields = { "durable", "auto_delete", "arguments" },
		.is_surplus = is_surplus_queue },
	{ .name = "bindings",
		.singular = "binding",
		.listing = "bindings/%v",
		.path = "bindings/%v/e/{source}/{destination_type}/{destination}",
		.method = "POST",
		.keys = { "source", "destination", "destination_type", "routing_key", "arguments" },
		.is_surplus = is_surplus_binding },
	{ .name = "policies",
		.singular = "policy",
		.listing = "policies/%v",
		.path = "policies/%v/{name}",
		.method = "PUT",
		.keys = { "name" },
		.fields = { "pattern", "apply-to", "priority", "definition" },
		.is_replaced = true,
		.is_surplus = is_always_surplus },
	{ .name = "users", .singular = "user", .listing = "users", .keys = { "name" }, .fields = { "tags" } },
	{ .name = "permissions",
		.singular = "permission",
		.listing = "vhosts/%v/permissions",
		.path = "permissions/%v/{user}",
		.method = "PUT",
		.keys = { "user" },
		.fields = { "configure", "write", "read" },
		.is_replaced = true,
		.is_surplus = is_always_surplus },
	{ .name = "topic_permissions",
		.singular = "topic permission",
		.listing = "vhosts/%v/topic-permissions",
		.path = "topic-permissions/%v/{user}",
		.method = "PUT",
		.keys = { "user", "exchange" },
		.fields = { "write", "read" },
		.is_replaced = true,
		.is_surplus = is_always_surplus },
	{ .name = NULL },
};

static bool are_same(const json_t *a, const json_t *b, const char *const members[])
{
	for (size_t i = 0; i < PART_FIELDS_MAX && members[i] != NULL; i++)
		if (!json_equal(json_object_get(a, members[i]), json_object_get(b, members[i])))
			return false;
	return true;
}

static const json_t *find(const struct part *part, const json_t *things, const json_t *wanted)
{
	for (size_t i = 0; i < json_array_size(things); i++)
		if (are_same(json_array_get(things, i), wanted, part->keys))
			return json_array_get(things, i);
	return NULL;
}

static void find_lacking(const struct part *part, const json_t *all, const json_t *live, difference_fn *tell,
	void *owner)
{
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *thing = json_array_get(all, i), *there = find(part, live, thing);
		if (there == NULL)
			tell(owner, part, DIFFERENCE_MISSING, thing, NULL);
		else if (!are_same(there, thing, part->fields))
			tell(owner, part, DIFFERENCE_OTHER, thing, there);
	}
}

void difference_find(const struct part *part, const json_t *topology, const json_t *live, difference_fn *tell,
	void *owner)
{
	const json_t *all = json_object_get(topology, part->name);
	find_lacking(part, all, live, tell, owner);
	for (size_t i = 0; part->is_surplus != NULL && i < json_array_size(live); i++) {
		const json_t *thing = json_array_get(live, i);
		if (find(part, all, thing) == NULL && part->is_surplus(topology, thing))
			tell(owner, part, DIFFERENCE_SURPLUS, NULL, thing);
	}
}

void difference_name(const struct part *part, const json_t *thing, char *text, size_t text_bytes)
{
	size_t length = 0;
	text[0] = '\0';
	for (size_t i = 0; i < PART_FIELDS_MAX && part->keys[i] != NULL && length < text_bytes; i++) {
		const json_t *key = json_object_get(thing, part->keys[i]);
		if (!json_is_string(key))
			continue;
		bool is_alone = part->keys[1] == NULL;
		int added = snprintf(text + length, text_bytes - length, "%s%s%s%s", i == 0 ? "" : ", ",
			is_alone ? "" : part->keys[i], is_alone ? "" : " ", json_string_value(key));
		length += added > 0 ? (size_t)added : 0;
	}
}
