/* The members before the list of slots are few and short: they are searched for. */
#include "slot_body.h"

#include <stdlib.h>
#include <string.h>

enum {
	HEAD_BYTES_MAX = 512, /* of the members before the slots */
	DATE_BYTES = 10,
};

static const char begin[] = "{\"found\":true,\"provider_id\":\"";

/* A member's value, a text that holds no quote: behind its name, which as text between quotes stands nowhere else. */
static bool find_text(const char *text, size_t bytes, const char *name, struct slot_span *value)
{
	const char *found = memmem(text, bytes, name, strlen(name));
	if (found == NULL)
		return false;
	value->text = found + strlen(name);
	const char *end = memchr(value->text, '"', bytes - (size_t)(value->text - text));
	if (end == NULL)
		return false;
	value->bytes = (size_t)(end - value->text);
	return true;
}

static size_t head_bytes(size_t bytes)
{
	return bytes < HEAD_BYTES_MAX ? bytes : HEAD_BYTES_MAX;
}

bool slot_body_read(const char *text, size_t bytes, struct slot_body *body)
{
	size_t head = head_bytes(bytes);
	*body = (struct slot_body){ .text = text, .bytes = bytes };
	return head > sizeof(begin) && memcmp(text, begin, sizeof(begin) - 1) == 0 && text[bytes - 1] == '}'
		&& find_text(text, head, "\"as_of\":\"", &body->as_of)
		&& find_text(text, head, "\"source\":\"", &body->source) && body->as_of.text < body->source.text;
}

bool slot_body_is_of(const struct slot_body *body, const char *key)
{
	struct slot_span provider, date;
	size_t head = head_bytes(body->bytes);
	if (!find_text(body->text, head, "\"provider_id\":\"", &provider)
		|| !find_text(body->text, head, "\"date\":\"", &date) || date.bytes != DATE_BYTES)
		return false;
	return strlen(key) == provider.bytes + 1 + date.bytes && memcmp(key, provider.text, provider.bytes) == 0
		&& memcmp(key + provider.bytes + 1, date.text, date.bytes) == 0;
}

uint64_t slot_body_certificate(const struct slot_body *body)
{
	static const char name[] = "\"certificate\":";
	const char *found = memmem(body->text, head_bytes(body->bytes), name, sizeof(name) - 1);
	return found == NULL ? 0 : strtoull(found + sizeof(name) - 1, NULL, 10);
}

void slot_body_write(const struct slot_body *body, const char *as_of, const char *source, struct buffer *out)
{
	const char *after_as_of = body->as_of.text + body->as_of.bytes;
	const char *after_source = body->source.text + body->source.bytes;
	buffer_add(out, body->text, (size_t)(body->as_of.text - body->text));
	if (as_of == NULL)
		buffer_add(out, body->as_of.text, body->as_of.bytes);
	else
		buffer_add_text(out, as_of);
	buffer_add(out, after_as_of, (size_t)(body->source.text - after_as_of));
	if (source == NULL)
		buffer_add(out, body->source.text, body->source.bytes);
	else
		buffer_add_text(out, source);
	buffer_add(out, after_source, (size_t)(body->text + body->bytes - after_source));
}
