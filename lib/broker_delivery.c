/* A delivery in memory: what of a message's properties and headers is kept, as texts behind the struct. */
#include "broker_internal.h"

#include <stdlib.h>
#include <string.h>

#include <amqp_framing.h>

enum { TEXTS_MAX = 12, HEADER_TEXT_MAX = 255 };

/* A text to copy behind a delivery. */
struct source {
	size_t member; /* offset of the const char * in struct delivery */
	amqp_bytes_t bytes;
};

/* Where a message's properties go. */
static const struct {
	amqp_flags_t flag;
	size_t property; /* offset of the amqp_bytes_t in amqp_basic_properties_t */
	size_t member;
} property_texts[] = {
	{ AMQP_BASIC_MESSAGE_ID_FLAG, offsetof(amqp_basic_properties_t, message_id),
		offsetof(struct delivery, message_id) },
	{ AMQP_BASIC_CORRELATION_ID_FLAG, offsetof(amqp_basic_properties_t, correlation_id),
		offsetof(struct delivery, correlation_id) },
	{ AMQP_BASIC_TYPE_FLAG, offsetof(amqp_basic_properties_t, type), offsetof(struct delivery, type) },
	{ AMQP_BASIC_APP_ID_FLAG, offsetof(amqp_basic_properties_t, app_id), offsetof(struct delivery, app_id) },
	{ AMQP_BASIC_USER_ID_FLAG, offsetof(amqp_basic_properties_t, user_id),
		offsetof(struct delivery, user_id) },
	{ AMQP_BASIC_REPLY_TO_FLAG, offsetof(amqp_basic_properties_t, reply_to),
		offsetof(struct delivery, reply_to) },
	{ AMQP_BASIC_CONTENT_TYPE_FLAG, offsetof(amqp_basic_properties_t, content_type),
		offsetof(struct delivery, content_type) },
};

static const struct {
	const char *name;
	size_t member;
} header_texts[] = {
	{ "traceparent", offsetof(struct delivery, traceparent) },
	{ "causation_id", offsetof(struct delivery, causation_id) },
};

/*
 * The value of a text header; false when it is absent, no text, or longer than a property may be. It is handed on with what we
 * publish, and headers of ours that filled a frame would end the connection, again and again.
 */
static bool find_header(const amqp_table_t *headers, const char *name, amqp_bytes_t *value)
{
	for (int i = 0; i < headers->num_entries; i++) {
		const amqp_table_entry_t *entry = &headers->entries[i];
		if (!bytes_equal(entry->key, name))
			continue;
		if (entry->value.kind != AMQP_FIELD_KIND_UTF8 && entry->value.kind != AMQP_FIELD_KIND_BYTES)
			return false;
		*value = entry->value.value.bytes;
		return value->len <= HEADER_TEXT_MAX;
	}
	return false;
}

/* Lists the texts that the message has; gives their number. */
static size_t list_texts(const amqp_basic_properties_t *properties, const char *exchange,
	const char *routing_key, struct source sources[static TEXTS_MAX])
{
	size_t count = 0;
	sources[count++] = (struct source){ offsetof(struct delivery, exchange), amqp_cstring_bytes(exchange) };
	sources[count++] =
		(struct source){ offsetof(struct delivery, routing_key), amqp_cstring_bytes(routing_key) };
	for (size_t i = 0; i < sizeof(property_texts) / sizeof(property_texts[0]); i++) {
		if ((properties->_flags & property_texts[i].flag) == 0)
			continue;
		amqp_bytes_t bytes;
		memcpy(&bytes, (const char *)properties + property_texts[i].property, sizeof(bytes));
		sources[count++] = (struct source){ property_texts[i].member, bytes };
	}
	if ((properties->_flags & AMQP_BASIC_HEADERS_FLAG) == 0)
		return count;
	for (size_t i = 0; i < sizeof(header_texts) / sizeof(header_texts[0]); i++) {
		amqp_bytes_t bytes;
		if (find_header(&properties->headers, header_texts[i].name, &bytes))
			sources[count++] = (struct source){ header_texts[i].member, bytes };
	}
	return count;
}

/* One block: the struct, room for the body and its NUL, the texts. `*body` is where the body goes. */
static struct delivery *lay_out(const struct source sources[], size_t count, size_t body_bytes, char **body)
{
	size_t size = sizeof(struct delivery) + body_bytes + 1;
	for (size_t i = 0; i < count; i++)
		size += sources[i].bytes.len + 1;
	struct delivery *delivery = malloc(size);
	if (delivery == NULL)
		abort();
	*delivery = (struct delivery){ 0 };
	*body = (char *)(delivery + 1);
	(*body)[body_bytes] = '\0';
	char *next = *body + body_bytes + 1;
	for (size_t i = 0; i < count; i++) {
		size_t length = sources[i].bytes.len;
		if (length > 0)
			memcpy(next, sources[i].bytes.bytes, length);
		next[length] = '\0';
		memcpy((char *)delivery + sources[i].member, &next, sizeof(next));
		next += length + 1;
	}
	delivery->body = *body;
	return delivery;
}

struct delivery *delivery_new(const amqp_basic_properties_t *properties, const char *exchange,
	const char *routing_key, size_t body_bytes, char **body)
{
	struct source sources[TEXTS_MAX];
	size_t count = list_texts(properties, exchange, routing_key, sources);
	return lay_out(sources, count, body_bytes, body);
}

void delivery_free(struct delivery *delivery)
{
	free(delivery);
}
