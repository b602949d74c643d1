/* The rules of event bodies, as the generated tables state them. */
#include "schema_rules.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "uuid.h"

enum { SHOWN_CHARACTERS = 40 };

const char *enumeration_name(const struct enumeration *enumeration, unsigned int value)
{
	return value < enumeration->count ? enumeration->names[value] : NULL;
}

unsigned int enumeration_find(const struct enumeration *enumeration, const char *name)
{
	if (name == NULL)
		return 0;
	for (unsigned int value = 1; value < enumeration->count; value++)
		if (strcmp(enumeration->names[value], name) == 0)
			return value;
	return 0;
}

/* Writes the outer places first; as deep as the schema is, never as deep as the input. */
static size_t print_place(const struct place *place, char *text, size_t size)
{
	if (place == NULL)
		return 0;
	size_t length = print_place(place->outer, text, size);
	if (length >= size)
		return length;
	int more = place->name != NULL ? snprintf(text + length, size - length, "/%s", place->name)
								   : snprintf(text + length, size - length, "/%zu", place->index);
	return length + (more > 0 ? (size_t)more : 0);
}

bool fault_at(const struct place *place, struct fault_list *faults, const char *format, ...)
{
	if (faults->count == faults->max)
		return false;
	struct schema_fault *fault = &faults->items[faults->count++];
	fault->path[0] = '\0';
	print_place(place, fault->path, sizeof(fault->path));
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(fault->text, sizeof(fault->text), format, arguments);
	va_end(arguments);
	return false;
}

bool fault_explain(const struct schema_fault *fault, struct why *why)
{
	return because(why, "schema", "%s: %s", fault->path[0] == '\0' ? "body" : fault->path, fault->text);
}

struct shown show(const char *text)
{
	struct shown shown = { 0 };
	size_t length = strnlen(text, SHOWN_CHARACTERS);
	while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) /* not within a character */
		length--;
	for (size_t i = 0; i < length; i++)
		shown.text[i] = iscntrl((unsigned char)text[i]) ? '?' : text[i];
	return shown;
}

size_t field_item_bytes(const struct field *field)
{
	switch (field->kind) {
	case VALUE_TIME:
	case VALUE_INTEGER:
		return sizeof(int64_t);
	case VALUE_NUMBER:
		return sizeof(double);
	case VALUE_BOOLEAN:
		return sizeof(bool);
	case VALUE_ENUM:
		return sizeof(unsigned int);
	case VALUE_OBJECT:
		return field->object->size_bytes;
	case VALUE_TEXT:
	case VALUE_UUID:
	case VALUE_DATE:
		break;
	}
	return sizeof(const char *);
}

bool field_is_present(const struct field *field, const void *in)
{
	const unsigned char *base = in;
	if (field->is_array) {
		size_t count;
		memcpy(&count, base + field->count_offset, sizeof(count));
		return count > 0 || field->is_required || field->has_default;
	}
	if (field->kind == VALUE_ENUM) {
		unsigned int value;
		memcpy(&value, base + field->offset, sizeof(value));
		return value != 0;
	}
	if (field->kind == VALUE_TEXT || field->kind == VALUE_UUID || field->kind == VALUE_DATE
		|| field->kind == VALUE_OBJECT) {
		const void *pointer;
		memcpy(&pointer, base + field->offset, sizeof(pointer));
		return pointer != NULL;
	}
	return field->presence_offset == 0 || *(const bool *)(base + field->presence_offset);
}

static bool uuid_is_canonical(const char *text)
{
	char canonical[UUID_TEXT_BYTES];
	return uuid_canonical(text, canonical) && strcmp(canonical, text) == 0;
}

/* Characters, not bytes: what is no continuation byte begins one. */
static size_t count_characters(const char *text)
{
	size_t count = 0;
	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xC0) != 0x80;
	return count;
}

static bool rule_text(const struct field *field, const char *text, const struct place *place,
	struct fault_list *faults)
{
	size_t length = count_characters(text);
	if (length < field->length_min)
		return fault_at(place, faults, "%zu characters, at least %u are needed", length, field->length_min);
	if (length > field->length_max)
		return fault_at(place, faults, "%zu characters, at most %u are allowed", length, field->length_max);
	if (field->matches != NULL && !field->matches(text))
		return fault_at(place, faults, "'%s' has not the form it must have", show(text).text);
	if (field->kind == VALUE_UUID && !uuid_is_canonical(text))
		return fault_at(place, faults, "'%s' is not a uuid", show(text).text);
	if (field->kind == VALUE_DATE && !date_is_valid(text))
		return fault_at(place, faults, "'%s' is not a date", show(text).text);
	return true;
}

static bool rule_integer(const struct field *field, int64_t value, const struct place *place,
	struct fault_list *faults)
{
	if (value < field->integer_min)
		return fault_at(place, faults, "%lld is below %lld", (long long)value, (long long)field->integer_min);
	if (value > field->integer_max)
		return fault_at(place, faults, "%lld is above %lld", (long long)value, (long long)field->integer_max);
	return true;
}

static bool rule_number(const struct field *field, double value, const struct place *place,
	struct fault_list *faults)
{
	if (!isfinite(value))
		return fault_at(place, faults, "is not a number");
	if (value < field->number_min)
		return fault_at(place, faults, "%g is below %g", value, field->number_min);
	if (value > field->number_max)
		return fault_at(place, faults, "%g is above %g", value, field->number_max);
	return true;
}

static bool rule_enum(const struct field *field, unsigned int value, const struct place *place,
	struct fault_list *faults)
{
	const char *name = enumeration_name(field->enumeration, value);
	if (name == NULL)
		return fault_at(place, faults, "%u is no value", value);
	if ((field->allowed >> value & 1) == 0)
		return fault_at(place, faults, "'%s' is not allowed here", name);
	return true;
}

static bool rule_time(int64_t value, const struct place *place, struct fault_list *faults)
{
	static const int64_t first = INT64_C(-62135596800) * MICROSECONDS_PER_SECOND;
	static const int64_t end = INT64_C(253402300800) * MICROSECONDS_PER_SECOND;
	return (value >= first && value < end) || fault_at(place, faults, "is outside of the years 1 to 9999");
}

bool rule_value(const struct field *field, const void *value, const struct place *place,
	struct fault_list *faults)
{
	switch (field->kind) {
	case VALUE_TEXT:
	case VALUE_UUID:
	case VALUE_DATE: {
		const char *text;
		memcpy(&text, value, sizeof(text));
		return text != NULL ? rule_text(field, text, place, faults) : fault_at(place, faults, "is missing");
	}
	case VALUE_TIME:
		return rule_time(*(const int64_t *)value, place, faults);
	case VALUE_INTEGER:
		return rule_integer(field, *(const int64_t *)value, place, faults);
	case VALUE_NUMBER:
		return rule_number(field, *(const double *)value, place, faults);
	case VALUE_ENUM:
		return rule_enum(field, *(const unsigned int *)value, place, faults);
	case VALUE_BOOLEAN:
	case VALUE_OBJECT:
		break;
	}
	return true;
}

static bool items_are_equal(const struct field *field, const void *left, const void *right)
{
	if (field->kind == VALUE_TEXT || field->kind == VALUE_UUID || field->kind == VALUE_DATE) {
		const char *texts[2];
		memcpy(&texts[0], left, sizeof(texts[0]));
		memcpy(&texts[1], right, sizeof(texts[1]));
		return strcmp(texts[0], texts[1]) == 0;
	}
	if (field->kind != VALUE_NUMBER)
		return memcmp(left, right, field_item_bytes(field)) == 0;
	const double *numbers[2] = { left, right }; /* 0 and -0 are equal, their bytes are not */
	return !(*numbers[0] < *numbers[1]) && !(*numbers[0] > *numbers[1]);
}

static bool rule_unique(const struct field *field, const void *items, size_t count, const struct place *place,
	struct fault_list *faults)
{
	const unsigned char *bytes = items;
	size_t size = field_item_bytes(field);
	for (size_t i = 1; i < count; i++)
		for (size_t k = 0; k < i; k++)
			if (items_are_equal(field, bytes + i * size, bytes + k * size))
				return fault_at(place, faults, "items %zu and %zu are the same", k, i);
	return true;
}

bool rule_count(const struct field *field, size_t count, const struct place *place, struct fault_list *faults)
{
	if (count < field->count_min)
		return fault_at(place, faults, "%zu items, at least %u are needed", count, field->count_min);
	if (count > field->count_max)
		return fault_at(place, faults, "%zu items, at most %u are allowed", count, field->count_max);
	return true;
}

bool rule_array(const struct field *field, const void *items, size_t count, const struct place *place,
	struct fault_list *faults)
{
	return rule_count(field, count, place, faults)
		&& (!field->is_unique || rule_unique(field, items, count, place, faults));
}

bool rule_one_of(const struct schema *schema, uint64_t present, const struct place *place,
	struct fault_list *faults)
{
	size_t matching = 0;
	for (size_t i = 0; i < schema->one_of_count; i++)
		matching += (present & schema->one_of[i]) == schema->one_of[i];
	if (schema->one_of_count == 0 || matching == 1)
		return true;
	return fault_at(place, faults, "%s of the members of which exactly one set must be there",
		matching == 0 ? "has none" : "has more than one");
}
