/* Questions that a consumer asks while it opens; connection_open has bounded the wait for each answer. */
#include "broker_internal.h"

#include <stdio.h>

#include <amqp_framing.h>

enum { DOING_BYTES = 512 };

bool connection_set_prefetch(struct connection *connection, uint16_t prefetch, struct why *why)
{
	amqp_basic_qos(connection->state, WIRE_CHANNEL, 0, prefetch, 0);
	return connection_succeeded(amqp_get_rpc_reply(connection->state), "setting the prefetch", why);
}

bool connection_check_queue(struct connection *connection, const char *queue, struct why *why)
{
	char doing[DOING_BYTES];
	snprintf(doing, sizeof(doing), "consuming queue %s", queue);
	amqp_queue_declare(connection->state, WIRE_CHANNEL, amqp_cstring_bytes(queue), 1, 0, 0, 0,
		amqp_empty_table);
	return connection_succeeded(amqp_get_rpc_reply(connection->state), doing, why);
}

static amqp_table_entry_t text_argument(const char *name, const char *text)
{
	return (amqp_table_entry_t){
		.key = amqp_cstring_bytes(name),
		.value = { .kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(text) },
	};
}

static bool declare_own(struct connection *connection, const char *queue, struct why *why)
{
	enum { IS_PASSIVE = 0, IS_DURABLE = 0, IS_EXCLUSIVE = 1, IS_AUTO_DELETE = 1 };
	amqp_table_entry_t entries[] = {
		text_argument("x-queue-type", "classic"),
		text_argument("x-overflow", "drop-head"),
		{
			.key = amqp_cstring_bytes("x-max-length"),
			.value = { .kind = AMQP_FIELD_KIND_I32, .value.i32 = OWN_QUEUE_MESSAGES_MAX },
		},
	};
	const amqp_table_t arguments = { .num_entries = sizeof(entries) / sizeof(entries[0]),
		.entries = entries };
	char doing[DOING_BYTES];
	snprintf(doing, sizeof(doing), "declaring queue %s", queue);
	amqp_queue_declare(connection->state, WIRE_CHANNEL, amqp_cstring_bytes(queue), IS_PASSIVE, IS_DURABLE,
		IS_EXCLUSIVE, IS_AUTO_DELETE, arguments);
	return connection_succeeded(amqp_get_rpc_reply(connection->state), doing, why);
}

static bool bind_queue(struct connection *connection, const char *queue,
	const struct consumer_binding *binding, struct why *why)
{
	char doing[DOING_BYTES];
	snprintf(doing, sizeof(doing), "binding queue %s to %s by \"%s\"", queue, binding->exchange,
		binding->routing_key);
	amqp_queue_bind(connection->state, WIRE_CHANNEL, amqp_cstring_bytes(queue),
		amqp_cstring_bytes(binding->exchange), amqp_cstring_bytes(binding->routing_key), amqp_empty_table);
	return connection_succeeded(amqp_get_rpc_reply(connection->state), doing, why);
}

bool connection_declare_own(struct connection *connection, const char *queue,
	const struct consumer_binding bindings[], struct why *why)
{
	if (!declare_own(connection, queue, why))
		return false;
	for (; bindings->exchange != NULL; bindings++)
		if (!bind_queue(connection, queue, bindings, why))
			return false;
	return true;
}

bool connection_consume(struct connection *connection, const char *queue, const char *tag, struct why *why)
{
	char doing[DOING_BYTES];
	snprintf(doing, sizeof(doing), "consuming queue %s", queue);
	amqp_basic_consume(connection->state, WIRE_CHANNEL, amqp_cstring_bytes(queue), amqp_cstring_bytes(tag), 0,
		0, 0, amqp_empty_table);
	return connection_succeeded(amqp_get_rpc_reply(connection->state), doing, why);
}
