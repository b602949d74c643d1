/* Every length is checked by the scan. Headers that stay are copied as they are, whatever they hold. */
#include "properties.h"

#include <stdlib.h>
#include <string.h>

enum { FLAGS_CONTINUE = 1 };

const struct property_form property_forms[PROPERTY_COUNT] = {
	[PROPERTY_CONTENT_TYPE] = { "content_type", PROPERTY_IS_SHORT_TEXT },
	[PROPERTY_CONTENT_ENCODING] = { "content_encoding", PROPERTY_IS_SHORT_TEXT },
	[PROPERTY_HEADERS] = { "headers", PROPERTY_IS_TABLE },
	[PROPERTY_DELIVERY_MODE] = { "delivery_mode", PROPERTY_IS_OCTET },
	[PROPERTY_PRIORITY] = { "priority", PROPERTY_IS_OCTET },
	[PROPERTY_CORRELATION_ID] = { "correlation_id", PROPERTY_IS_SHORT_TEXT },
	[PROPERTY_REPLY_TO] = { "reply_to", PROPERTY_IS_SHORT_TEXT },
	[PROPERTY_EXPIRATION] = { "expiration", PROPERTY_IS_SHORT_TEXT },
	[PROPERTY_MESSAGE_ID] = { "message_id", PROPERTY_IS_SHORT_TEXT },
	[PROPERTY_TIMESTAMP] = { "timestamp", PROPERTY_IS_TIMESTAMP },
	[PROPERTY_TYPE] = { "type", PROPERTY_IS_SHORT_TEXT },
	[PROPERTY_USER_ID] = { "user_id", PROPERTY_IS_SHORT_TEXT },
	[PROPERTY_APP_ID] = { "app_id", PROPERTY_IS_SHORT_TEXT },
	[PROPERTY_CLUSTER_ID] = { "cluster_id", PROPERTY_IS_SHORT_TEXT },
};

/* Headers that belong to the first sending or to the parking; a name that ends in '*' stands for all that begin so. */
static const char *const dropped_headers[] = { "", "reason", "detail", "attempts", "sender", "CC", "BCC",
	"x-death", "x-delivery-count", "x-acquired-count", "x-first-death-*", "x-last-death-*" };

static unsigned flag_of(size_t property)
{
	return 1U << (15 - property);
}

static struct slice take_value(struct scan *scan, enum property_kind kind)
{
	switch (kind) {
	case PROPERTY_IS_SHORT_TEXT:
		return scan_short_text(scan);
	case PROPERTY_IS_TABLE:
		return scan_long_text(scan);
	case PROPERTY_IS_OCTET:
		return scan_take(scan, 1);
	case PROPERTY_IS_TIMESTAMP:
		return scan_take(scan, 8);
	}
	abort();
}

bool properties_read(struct slice bytes, struct properties *properties)
{
	struct scan scan = { .next = bytes.bytes, .left_bytes = bytes.length };
	unsigned flags = scan_u16(&scan);
	*properties = (struct properties){ 0 };
	for (size_t i = 0; i < PROPERTY_COUNT; i++)
		if (flags & flag_of(i))
			properties->values[i] = take_value(&scan, property_forms[i].kind);
	return !scan.is_bad && scan.left_bytes == 0 && (flags & FLAGS_CONTINUE) == 0;
}

/* One header as bytes. */
struct header {
	struct slice name, value, entry; /* `entry` is all of it; `value` of a text has no length before it */
	uint8_t kind;
};

static struct slice skip_value(struct scan *scan, uint8_t kind)
{
	static const char *const kinds[] = { "V", "tbB", "su", "", "Iif", "D", "", "", "lLTd" };
	if (kind != '\0' && strchr("SxFA", kind) != NULL)
		return scan_long_text(scan);
	for (size_t length = 0; length < sizeof(kinds) / sizeof(kinds[0]); length++)
		if (kind != '\0' && strchr(kinds[length], kind) != NULL)
			return scan_take(scan, length);
	return scan_take(scan, SIZE_MAX); /* of unknown length: nothing behind it can be read */
}

/* False: the table's end, or it is broken (scan->is_bad). */
static bool next_header(struct scan *scan, struct header *header)
{
	if (scan->left_bytes == 0)
		return false;
	const unsigned char *start = scan->next;
	header->name = scan_short_text(scan);
	header->kind = scan_byte(scan);
	header->value = skip_value(scan, header->kind);
	header->entry = (struct slice){ .bytes = start, .length = (size_t)(scan->next - start) };
	return !scan->is_bad;
}

static bool is_named(const struct header *header, const char *name)
{
	size_t length = strlen(name);
	bool is_prefix = length > 0 && name[length - 1] == '*';
	if (is_prefix)
		length--;
	bool has_length = is_prefix ? header->name.length >= length : header->name.length == length;
	return has_length && (length == 0 || memcmp(header->name.bytes, name, length) == 0);
}

static bool is_dropped(const struct header *header)
{
	for (size_t i = 0; i < sizeof(dropped_headers) / sizeof(dropped_headers[0]); i++)
		if (is_named(header, dropped_headers[i]))
			return true;
	return false;
}

static void add_sender(struct buffer *headers, struct slice sender)
{
	static const char name[] = "\006sender";
	if (sender.length == 0)
		return;
	buffer_add(headers, name, sizeof(name) - 1);
	buffer_add_byte(headers, 'S');
	buffer_add_u32(headers, (uint32_t)sender.length);
	buffer_add(headers, sender.bytes, sender.length);
}

/* The headers that stay, and who sent it first. */
static bool write_headers(const struct properties *properties, struct buffer *headers)
{
	struct slice table_bytes = properties->values[PROPERTY_HEADERS];
	struct slice sender = properties->values[PROPERTY_USER_ID];
	struct scan scan = { .next = table_bytes.bytes, .left_bytes = table_bytes.length };
	struct header header;
	while (next_header(&scan, &header)) {
		if (!is_dropped(&header))
			buffer_add(headers, header.entry.bytes, header.entry.length);
		else if (is_named(&header, "sender") && header.kind == 'S')
			sender = header.value;
	}
	add_sender(headers, sender);
	return !scan.is_bad;
}

static void write_value(struct buffer *out, size_t property, struct slice value)
{
	if (property_forms[property].kind == PROPERTY_IS_SHORT_TEXT)
		buffer_add_byte(out, (unsigned char)value.length);
	if (property_forms[property].kind == PROPERTY_IS_TABLE)
		buffer_add_u32(out, (uint32_t)value.length);
	buffer_add(out, value.bytes, value.length);
}

static void write_all(const struct properties *properties, struct buffer *out)
{
	unsigned flags = 0;
	for (size_t i = 0; i < PROPERTY_COUNT; i++)
		flags |= properties->values[i].bytes == NULL ? 0 : flag_of(i);
	buffer_add_u16(out, (uint16_t)flags);
	for (size_t i = 0; i < PROPERTY_COUNT; i++)
		if (properties->values[i].bytes != NULL)
			write_value(out, i, properties->values[i]);
}

bool properties_write_again(const struct properties *properties, const char *type, struct buffer *out)
{
	struct properties again = *properties;
	struct buffer headers;
	buffer_init(&headers);
	bool is_good = write_headers(properties, &headers);
	again.values[PROPERTY_HEADERS] = (struct slice){ headers.data, headers.length_bytes };
	again.values[PROPERTY_USER_ID] = (struct slice){ .bytes = NULL };
	if (again.values[PROPERTY_TYPE].bytes == NULL && type != NULL)
		again.values[PROPERTY_TYPE] = (struct slice){ (const unsigned char *)type, strlen(type) };
	if (is_good)
		write_all(&again, out);
	buffer_clear(&headers);
	return is_good;
}
