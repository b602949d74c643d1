/* Reads event bodies: jansson's values into the structs of the generated tables. */
#include "schema_rules.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "clock.h"

struct reading {
	struct arena *arena;
	struct fault_list *faults;
};

static bool read_object(const struct schema *schema, const json_t *json, void *out, const struct place *place,
	const struct reading *reading);

static const char *kind_of(const json_t *json)
{
	static const char *const names[] = { [JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array",
		[JSON_STRING] = "a text",
		[JSON_INTEGER] = "an integer",
		[JSON_REAL] = "a number with a fraction",
		[JSON_TRUE] = "true",
		[JSON_FALSE] = "false",
		[JSON_NULL] = "null" };
	return names[json_typeof(json)];
}

static bool wrong_kind(const json_t *json, const char *wanted, const struct place *place,
	const struct reading *reading)
{
	return fault_at(place, reading->faults, "%s where %s must be", kind_of(json), wanted);
}

static bool read_text(const struct field *field, const json_t *json, void *out, const struct place *place,
	const struct reading *reading)
{
	if (!json_is_string(json))
		return wrong_kind(json, "a text", place, reading);
	char *text = arena_bytes(reading->arena, json_string_value(json), json_string_length(json));
	if (field->kind == VALUE_UUID)
		for (char *c = text; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
	memcpy(out, &text, sizeof(text));
	return true;
}

static bool read_time(const json_t *json, int64_t *out, const struct place *place,
	const struct reading *reading)
{
	if (!json_is_string(json))
		return wrong_kind(json, "a text", place, reading);
	if (!time_parse(json_string_value(json), out))
		return fault_at(place, reading->faults, "'%s' is not a time as RFC 3339 writes it",
			show(json_string_value(json)).text);
	return true;
}

static bool read_integer(const json_t *json, int64_t *out, const struct place *place,
	const struct reading *reading)
{
	if (!json_is_integer(json))
		return wrong_kind(json, "an integer", place, reading);
	*out = json_integer_value(json);
	return true;
}

static bool read_number(const json_t *json, double *out, const struct place *place,
	const struct reading *reading)
{
	if (!json_is_number(json))
		return wrong_kind(json, "a number", place, reading);
	*out = json_number_value(json);
	return true;
}

static bool read_boolean(const json_t *json, bool *out, const struct place *place,
	const struct reading *reading)
{
	if (!json_is_boolean(json))
		return wrong_kind(json, "true or false", place, reading);
	*out = json_is_true(json);
	return true;
}

static bool read_enum(const struct field *field, const json_t *json, unsigned int *out,
	const struct place *place, const struct reading *reading)
{
	if (!json_is_string(json))
		return wrong_kind(json, "a text", place, reading);
	*out = enumeration_find(field->enumeration, json_string_value(json));
	if (*out == 0)
		return fault_at(place, reading->faults, "'%s' is not one of the values allowed",
			show(json_string_value(json)).text);
	return true;
}

/* `out` is where the struct, or the array, keeps the value. */
static bool read_value(const struct field *field, const json_t *json, void *out, const struct place *place,
	const struct reading *reading)
{
	switch (field->kind) {
	case VALUE_TEXT:
	case VALUE_UUID:
	case VALUE_DATE:
		return read_text(field, json, out, place, reading);
	case VALUE_TIME:
		return read_time(json, out, place, reading);
	case VALUE_INTEGER:
		return read_integer(json, out, place, reading);
	case VALUE_NUMBER:
		return read_number(json, out, place, reading);
	case VALUE_BOOLEAN:
		return read_boolean(json, out, place, reading);
	case VALUE_ENUM:
		return read_enum(field, json, out, place, reading);
	case VALUE_OBJECT:
		return read_object(field->object, json, out, place, reading);
	}
	return false;
}

static bool is_full(const struct reading *reading)
{
	return reading->faults->count == reading->faults->max;
}

static bool read_items(const struct field *field, const json_t *json, unsigned char *items,
	const struct place *place, const struct reading *reading)
{
	bool is_good = true;
	size_t count = json_array_size(json), size = field_item_bytes(field);
	for (size_t i = 0; i < count && !is_full(reading); i++) {
		const struct place item = { place, NULL, i };
		unsigned char *value = items + i * size;
		is_good &= read_value(field, json_array_get(json, i), value, &item, reading)
			&& rule_value(field, value, &item, reading->faults);
	}
	return is_good;
}

static bool read_array(const struct field *field, const json_t *json, unsigned char *base,
	const struct place *place, const struct reading *reading)
{
	if (!json_is_array(json))
		return wrong_kind(json, "an array", place, reading);
	size_t count = json_array_size(json);
	if (count > field->count_max) /* before any memory is spent on it */
		return rule_count(field, count, place, reading->faults);
	unsigned char *items = count > 0 ? arena_array(reading->arena, count, field_item_bytes(field)) : NULL;
	memcpy(base + field->offset, &items, sizeof(items));
	memcpy(base + field->count_offset, &count, sizeof(count));
	if (read_items(field, json, items, place, reading))
		return rule_array(field, items, count, place, reading->faults);
	return rule_count(field, count, place, reading->faults) && false;
}

static bool read_single(const struct field *field, const json_t *json, unsigned char *base,
	const struct place *place, const struct reading *reading)
{
	void *value = base + field->offset;
	if (field->presence_offset != 0)
		*(bool *)(base + field->presence_offset) = true;
	if (field->kind != VALUE_OBJECT)
		return read_value(field, json, value, place, reading)
			&& rule_value(field, value, place, reading->faults);
	void *object = arena_new(reading->arena, field->object->size_bytes);
	memcpy(value, &object, sizeof(object));
	return read_object(field->object, json, object, place, reading);
}

static void set_default(const struct field *field, void *value)
{
	if (!field->has_default || field->is_array)
		return;
	if (field->kind == VALUE_ENUM)
		*(unsigned int *)value = (unsigned int)field->default_integer;
	else if (field->kind == VALUE_BOOLEAN)
		*(bool *)value = field->default_integer != 0;
	else if (field->kind == VALUE_NUMBER)
		*(double *)value = field->default_number;
	else if (field->kind == VALUE_INTEGER)
		*(int64_t *)value = field->default_integer;
	else if (field->kind == VALUE_TEXT)
		memcpy(value, &field->default_text, sizeof(field->default_text));
}

static bool read_field(const struct field *field, const json_t *member, unsigned char *base,
	const struct place *place, const struct reading *reading)
{
	if (member == NULL && field->is_required)
		return fault_at(place, reading->faults, "is missing");
	if (member == NULL || (field->is_nullable && json_is_null(member))) {
		set_default(field, base + field->offset);
		return true;
	}
	if (field->is_array)
		return read_array(field, member, base, place, reading);
	return read_single(field, member, base, place, reading);
}

/* Calls itself as deep as the schema is (the generator refuses schemas that contain themselves). */
static bool read_object(const struct schema *schema, const json_t *json, void *out, const struct place *place,
	const struct reading *reading)
{
	if (!json_is_object(json))
		return wrong_kind(json, "an object", place, reading);
	uint64_t present = 0;
	bool is_good = true;
	for (size_t i = 0; i < schema->field_count && !is_full(reading); i++) {
		const struct field *field = &schema->fields[i];
		const json_t *member = json_object_get(json, field->name);
		const struct place inner = { place, field->name, 0 };
		is_good &= read_field(field, member, out, &inner, reading);
		present |= (uint64_t)(member != NULL) << i;
	}
	return rule_one_of(schema, present, place, reading->faults) && is_good;
}

/* jansson's messages end in an excerpt of the body, which has no place in a log. */
static bool not_json(json_error_t *error, struct fault_list *faults)
{
	char *excerpt = strstr(error->text, " near ");
	if (excerpt != NULL)
		*excerpt = '\0';
	return fault_at(NULL, faults, "not JSON, byte %d: %s", error->position, error->text);
}

static bool read_body(const struct schema *schema, const json_t *json, struct arena *arena, void **out,
	struct fault_list *faults)
{
	const struct reading reading = { arena, faults };
	void *object = arena_new(arena, schema->size_bytes);
	if (!read_object(schema, json, object, NULL, &reading))
		return false;
	*out = object;
	return true;
}

/* `*is_json` only tells why it failed. */
static bool read_text_body(const struct schema *schema, const char *text, size_t length, struct arena *arena,
	void **out, struct fault_list *faults, bool *is_json)
{
	json_error_t error;
	json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	*is_json = json != NULL;
	if (json == NULL)
		return not_json(&error, faults);
	bool is_good = read_body(schema, json, arena, out, faults);
	json_decref(json);
	return is_good;
}

bool schema_read(const struct schema *schema, const char *text, size_t length, struct arena *arena,
	void **out, struct why *why)
{
	bool is_json;
	struct schema_fault fault;
	struct fault_list first = { &fault, 0, 1 };
	if (read_text_body(schema, text, length, arena, out, &first, &is_json))
		return true;
	return is_json ? fault_explain(&fault, why) : because(why, "schema", "%s", fault.text);
}

bool schema_read_all(const struct schema *schema, const char *text, size_t length, struct arena *arena,
	void **out, struct schema_faults *faults)
{
	struct fault_list all = { faults->items, 0, SCHEMA_FAULTS_MAX };
	bool is_good = read_text_body(schema, text, length, arena, out, &all, &faults->is_json);
	faults->count = all.count;
	return is_good;
}
