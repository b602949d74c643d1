/* Shown much as the management API does. Tables inside of tables are read to a depth; what lies deeper is shown as bytes. */
#include "properties.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

enum { DEPTH_MAX = 16 };

json_t *properties_base64(struct slice bytes)
{
	unsigned char *text = malloc(bytes.length / 3 * 4 + 5);
	if (text == NULL)
		abort();
	EVP_EncodeBlock(text, bytes.bytes, (int)bytes.length);
	json_t *object = json_pack("{s:s}", "base64", (const char *)text);
	free(text);
	return object;
}

json_t *properties_text(struct slice text)
{
	json_t *value = text.length == 0 ? json_string("") : json_stringn((const char *)text.bytes, text.length);
	return value != NULL ? value : properties_base64(text);
}

static json_t *real_json(double number)
{
	return isfinite(number) ? json_real(number) : json_null();
}

static json_t *take_float(struct cursor *cursor)
{
	uint32_t bits = cursor_u32(cursor);
	float number;
	memcpy(&number, &bits, sizeof(number));
	return real_json((double)number);
}

static json_t *take_double(struct cursor *cursor)
{
	uint64_t bits = cursor_u64(cursor);
	double number;
	memcpy(&number, &bits, sizeof(number));
	return real_json(number);
}

static json_t *take_decimal(struct cursor *cursor)
{
	int places = cursor_byte(cursor);
	double number = (int32_t)cursor_u32(cursor);
	for (; places > 0; places--)
		number /= 10;
	return real_json(number);
}

/* Kinds that hold no other values; NULL: it is none of them. */
static json_t *take_plain(struct cursor *cursor, uint8_t kind)
{
	switch (kind) {
	case 't':
		return json_boolean(cursor_byte(cursor) != 0);
	case 'b':
		return json_integer((int8_t)cursor_byte(cursor));
	case 'B':
		return json_integer(cursor_byte(cursor));
	case 's':
		return json_integer((int16_t)cursor_u16(cursor));
	case 'u':
		return json_integer(cursor_u16(cursor));
	case 'I':
		return json_integer((int32_t)cursor_u32(cursor));
	case 'i':
		return json_integer(cursor_u32(cursor));
	case 'l':
	case 'L':
	case 'T':
		return json_integer((json_int_t)cursor_u64(cursor));
	case 'f':
		return take_float(cursor);
	case 'd':
		return take_double(cursor);
	case 'D':
		return take_decimal(cursor);
	case 'V':
		return json_null();
	case 'S':
		return properties_text(cursor_long_text(cursor));
	case 'x':
		return properties_base64(cursor_long_text(cursor));
	default:
		return NULL;
	}
}

/* A name that is no UTF-8 is shown as base64. */
static void set_member(json_t *object, struct slice name, json_t *value)
{
	if (json_object_setn(object, (const char *)name.bytes, name.length, value) != 0) {
		json_t *encoded = properties_base64(name);
		json_object_set(object, json_string_value(json_object_get(encoded, "base64")), value);
		json_decref(encoded);
	}
	json_decref(value);
}

/* The values of a table ('F') or an array ('A'). NULL: not of this form. Bounded by DEPTH_MAX, whatever is in the bytes. */
static json_t *read_values(uint8_t container, struct slice bytes, int depth)
{
	struct cursor cursor = { .next = bytes.bytes, .left_bytes = bytes.length };
	json_t *values = container == 'F' ? json_object() : json_array();
	while (values != NULL && cursor.left_bytes > 0) {
		struct slice name = container == 'F' ? cursor_short_text(&cursor) : (struct slice){ .bytes = NULL };
		uint8_t kind = cursor_byte(&cursor);
		bool is_container = kind == 'F' || kind == 'A';
		struct slice inner = is_container ? cursor_long_text(&cursor) : (struct slice){ .bytes = NULL };
		json_t *value = is_container ? NULL : take_plain(&cursor, kind);
		if (is_container && !cursor.is_bad)
			value = depth < DEPTH_MAX ? read_values(kind, inner, depth + 1) : properties_base64(inner);
		if (value == NULL || cursor.is_bad) {
			json_decref(value);
			json_decref(values);
			values = NULL;
		} else if (container == 'F') {
			set_member(values, name, value);
		} else {
			json_array_append_new(values, value);
		}
	}
	return values;
}

static json_t *property_json(const struct properties *properties, size_t property)
{
	struct slice value = properties->values[property];
	struct cursor cursor = { .next = value.bytes, .left_bytes = value.length };
	switch (property_forms[property].kind) {
	case PROPERTY_IS_SHORT_TEXT:
		return properties_text(value);
	case PROPERTY_IS_TABLE:
		return read_values('F', value, 0);
	case PROPERTY_IS_OCTET:
		return json_integer(cursor_byte(&cursor));
	case PROPERTY_IS_TIMESTAMP:
		return json_integer((json_int_t)cursor_u64(&cursor));
	}
	abort();
}

json_t *properties_json(const struct properties *properties)
{
	json_t *object = json_object();
	for (size_t i = 0; i < PROPERTY_COUNT; i++) {
		if (properties->values[i].bytes == NULL)
			continue;
		json_t *value = property_json(properties, i);
		if (value == NULL) {
			json_decref(object);
			return NULL;
		}
		json_object_set_new(object, property_forms[i].name, value);
	}
	return object;
}
