/* Writes event bodies: the structs of the generated tables as compact JSON, always the same bytes. */
#include "schema_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

enum { NUMBER_TEXT_MAX = 32 };

static bool check_object(const struct schema *schema, const unsigned char *in, const struct place *place,
	struct fault_list *faults);
static void write_object(const struct schema *schema, const unsigned char *in, struct buffer *out);

static bool check_array(const struct field *field, const unsigned char *in, const struct place *place,
	struct fault_list *faults)
{
	const unsigned char *items;
	size_t count;
	memcpy(&items, in + field->offset, sizeof(items));
	memcpy(&count, in + field->count_offset, sizeof(count));
	size_t size = field_item_bytes(field);
	for (size_t i = 0; i < count && i <= field->count_max; i++) {
		const struct place item = { place, NULL, i };
		const unsigned char *value = items + i * size;
		bool is_good = field->kind == VALUE_OBJECT ? check_object(field->object, value, &item, faults)
												   : rule_value(field, value, &item, faults);
		if (!is_good)
			return false;
	}
	return rule_array(field, items, count, place, faults);
}

static bool check_field(const struct field *field, const unsigned char *in, const struct place *place,
	struct fault_list *faults)
{
	if (field->is_array)
		return check_array(field, in, place, faults);
	if (field->kind != VALUE_OBJECT)
		return rule_value(field, in + field->offset, place, faults);
	const unsigned char *object;
	memcpy(&object, in + field->offset, sizeof(object));
	return check_object(field->object, object, place, faults);
}

/* An optional array of none is absent; its minimum number of items holds only where it is there. */
static bool check_object(const struct schema *schema, const unsigned char *in, const struct place *place,
	struct fault_list *faults)
{
	uint64_t present = 0;
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct field *field = &schema->fields[i];
		const struct place inner = { place, field->name, 0 };
		if (!field_is_present(field, in)) {
			if (field->is_required && !field->is_nullable)
				return fault_at(&inner, faults, "is missing");
			continue;
		}
		if (!check_field(field, in, &inner, faults))
			return false;
		present |= (uint64_t)1 << i;
	}
	return rule_one_of(schema, present, place, faults);
}

bool schema_check(const struct schema *schema, const void *in, struct why *why)
{
	struct schema_fault fault;
	struct fault_list first = { &fault, 0, 1 };
	return check_object(schema, in, NULL, &first) || fault_explain(&fault, why);
}

static void write_escaped(unsigned char character, struct buffer *out)
{
	static const char letters[] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'
	};
	if (character < sizeof(letters) && letters[character] != '\0') {
		buffer_add_byte(out, '\\');
		buffer_add_byte(out, (unsigned char)letters[character]);
	} else {
		buffer_print(out, "\\u%04x", character);
	}
}

static void write_text(const char *text, struct buffer *out)
{
	buffer_add_byte(out, '"');
	const char *rest = text;
	for (const char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c >= 0x20 && *c != '"' && *c != '\\')
			continue;
		buffer_add(out, rest, (size_t)(c - rest));
		write_escaped((unsigned char)*c, out);
		rest = c + 1;
	}
	buffer_add_text(out, rest);
	buffer_add_byte(out, '"');
}

/* Texts that never need an escape: names, times, uuids. */
static void write_plain(const char *text, struct buffer *out)
{
	buffer_add_byte(out, '"');
	buffer_add_text(out, text);
	buffer_add_byte(out, '"');
}

/* The fewest digits that read back as the same number. */
static void write_number(double value, struct buffer *out)
{
	char text[NUMBER_TEXT_MAX];
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		double back = strtod(text, NULL);
		if (memcmp(&back, &value, sizeof(value)) == 0)
			break;
	}
	buffer_add_text(out, text);
}

static void write_time(int64_t value, struct buffer *out)
{
	char text[TIME_TEXT_BYTES];
	time_print(value, text);
	write_plain(text, out);
}

/* `value` is where the struct, or the array, keeps it; of an object it is the object itself. */
static void write_value(const struct field *field, const unsigned char *value, struct buffer *out)
{
	const char *text;
	switch (field->kind) {
	case VALUE_TEXT:
		memcpy(&text, value, sizeof(text));
		write_text(text, out);
		break;
	case VALUE_UUID:
	case VALUE_DATE:
		memcpy(&text, value, sizeof(text));
		write_plain(text, out);
		break;
	case VALUE_TIME:
		write_time(*(const int64_t *)(const void *)value, out);
		break;
	case VALUE_INTEGER:
		buffer_print(out, "%" PRId64, *(const int64_t *)(const void *)value);
		break;
	case VALUE_NUMBER:
		write_number(*(const double *)(const void *)value, out);
		break;
	case VALUE_BOOLEAN:
		buffer_add_text(out, *(const bool *)(const void *)value ? "true" : "false");
		break;
	case VALUE_ENUM:
		write_plain(enumeration_name(field->enumeration, *(const unsigned int *)(const void *)value), out);
		break;
	case VALUE_OBJECT:
		write_object(field->object, value, out);
		break;
	}
}

static void write_array(const struct field *field, const unsigned char *in, struct buffer *out)
{
	const unsigned char *items;
	size_t count;
	memcpy(&items, in + field->offset, sizeof(items));
	memcpy(&count, in + field->count_offset, sizeof(count));
	buffer_add_byte(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buffer_add_byte(out, ',');
		write_value(field, items + i * field_item_bytes(field), out);
	}
	buffer_add_byte(out, ']');
}

static void write_field(const struct field *field, const unsigned char *in, struct buffer *out)
{
	const unsigned char *value = in + field->offset;
	if (!field_is_present(field, in)) {
		buffer_add_text(out, "null");
	} else if (field->is_array) {
		write_array(field, in, out);
	} else {
		if (field->kind == VALUE_OBJECT)
			memcpy(&value, in + field->offset, sizeof(value));
		write_value(field, value, out);
	}
}

static void write_object(const struct schema *schema, const unsigned char *in, struct buffer *out)
{
	const char *separator = "";
	buffer_add_byte(out, '{');
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct field *field = &schema->fields[i];
		if (!field_is_present(field, in) && !field->is_nullable)
			continue;
		buffer_add_text(out, separator);
		write_plain(field->name, out);
		buffer_add_byte(out, ':');
		write_field(field, in, out);
		separator = ",";
	}
	buffer_add_byte(out, '}');
}

bool schema_write(const struct schema *schema, const void *in, struct buffer *out)
{
	struct why why;
	if (!schema_check(schema, in, &why))
		return false;
	write_object(schema, in, out);
	return true;
}
