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

static json_t *take_float(struct scan *scan)
{
	uint32_t bits = scan_u32(scan);
	float number;
	memcpy(&number, &bits, sizeof(number));
	return real_json((double)number);
}

static json_t *take_double(struct scan *scan)
{
	uint64_t bits = scan_u64(scan);
	double number;
	memcpy(&number, &bits, sizeof(number));
	return real_json(number);
}

static json_t *take_decimal(struct scan *scan)
{
	int places = scan_byte(scan);
	double number = (int32_t)scan_u32(scan);
	for (; places > 0; places--)
		number /= 10;
	return real_json(number);
}

/* Kinds that hold no other values; NULL: it is none of them. */
static json_t *take_plain(struct scan *scan, uint8_t kind)
{
	switch (kind) {
	case 't':
		return json_boolean(scan_byte(scan) != 0);
	case 'b':
		return json_integer((int8_t)scan_byte(scan));
	case 'B':
		return json_integer(scan_byte(scan));
	case 's':
		return json_integer((int16_t)scan_u16(scan));
	case 'u':
		return json_integer(scan_u16(scan));
	case 'I':
		return json_integer((int32_t)scan_u32(scan));
	case 'i':
		return json_integer(scan_u32(scan));
	case 'l':
	case 'L':
	case 'T':
		return json_integer((json_int_t)scan_u64(scan));
	case 'f':
		return take_float(scan);
	case 'd':
		return take_double(scan);
	case 'D':
		return take_decimal(scan);
	case 'V':
		return json_null();
	case 'S':
		return properties_text(scan_long_text(scan));
	case 'x':
		return properties_base64(scan_long_text(scan));
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
	struct scan scan = { .next = bytes.bytes, .left_bytes = bytes.length };
	json_t *values = container == 'F' ? json_object() : json_array();
	while (values != NULL && scan.left_bytes > 0) {
		struct slice name = container == 'F' ? scan_short_text(&scan) : (struct slice){ .bytes = NULL };
		uint8_t kind = scan_byte(&scan);
		bool is_container = kind == 'F' || kind == 'A';
		struct slice inner = is_container ? scan_long_text(&scan) : (struct slice){ .bytes = NULL };
		json_t *value = is_container ? NULL : take_plain(&scan, kind);
		if (is_container && !scan.is_bad)
			value = depth < DEPTH_MAX ? read_values(kind, inner, depth + 1) : properties_base64(inner);
		if (value == NULL || scan.is_bad) {
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
	struct scan scan = { .next = value.bytes, .left_bytes = value.length };
	switch (property_forms[property].kind) {
	case PROPERTY_IS_SHORT_TEXT:
		return properties_text(value);
	case PROPERTY_IS_TABLE:
		return read_values('F', value, 0);
	case PROPERTY_IS_OCTET:
		return json_integer(scan_byte(&scan));
	case PROPERTY_IS_TIMESTAMP:
		return json_integer((json_int_t)scan_u64(&scan));
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
