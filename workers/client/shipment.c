/* Rows become JSON objects; then both kinds of file are read by the contract's own reader. */
#include "shipment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "csv.h"
#include "digest.h"

static const struct field *find_field(const char *name)
{
	const struct schema *schema = &received_unit_schema;
	for (size_t i = 0; name != NULL && i < schema->field_count; i++)
		if (strcmp(schema->fields[i].name, name) == 0)
			return &schema->fields[i];
	return NULL;
}

static bool refuse_name(const char *name, struct why *why)
{
	struct buffer known;
	buffer_init(&known);
	for (size_t i = 0; i < received_unit_schema.field_count; i++)
		buffer_print(&known, "%s%s", i == 0 ? "" : ", ", received_unit_schema.fields[i].name);
	because(why, "schema", "a unit has no \"%.40s\", but %s", name, buffer_text(&known));
	buffer_clear(&known);
	return false;
}

/* Unknown members are tolerated on the bus; of people they are slips of the pen. */
static bool check_names(json_t *unit, struct why *why)
{
	const char *name;
	json_t *value;
	json_object_foreach (unit, name, value)
		if (find_field(name) == NULL)
			return refuse_name(name, why);
	return true;
}

static bool read_unit(json_t *object, struct arena *arena, struct received_unit *out, struct why *why)
{
	if (!json_is_object(object))
		return because(why, "schema", "not an object");
	void *unit;
	char *text = json_dumps(object, JSON_COMPACT);
	if (text == NULL)
		abort();
	bool is_good =
		check_names(object, why) && schema_read(&received_unit_schema, text, strlen(text), arena, &unit, why);
	free(text);
	if (is_good)
		memcpy(out, unit, sizeof(*out));
	return is_good;
}

static bool place(const char *what, size_t number, struct why *why)
{
	char text[WHY_TEXT_MAX];
	memcpy(text, why->text, sizeof(text));
	return because(why, "schema", "%s %zu: %.280s", what, number, text);
}

static bool read_json(const char *text, size_t length, struct arena *arena, struct shipment *shipment,
	struct why *why)
{
	json_error_t fault;
	json_t *array = json_loadb(text, length, JSON_REJECT_DUPLICATES, &fault);
	if (array == NULL)
		return because(why, "schema", "line %d: not JSON: %s", fault.line, fault.text);
	size_t count = json_array_size(array);
	bool is_good = count <= SHIPMENT_UNITS_MAX
		|| because(why, "schema", "%zu units are more than %d; cut the file", count, SHIPMENT_UNITS_MAX);
	shipment->units = arena_array(arena, is_good ? count : 0, sizeof(*shipment->units));
	for (size_t i = 0; is_good && i < count; i++) {
		is_good =
			read_unit(json_array_get(array, i), arena, &shipment->units[i], why) || place("unit", i + 1, why);
		shipment->count++;
	}
	json_decref(array);
	return is_good;
}

static json_t *split(const char *cell)
{
	json_t *list = json_array();
	for (const char *at = cell; *at != '\0';) {
		size_t length = strcspn(at, ";");
		json_array_append_new(list, json_stringn(at, length));
		at += length + (at[length] == ';');
	}
	return list;
}

/* What is no integer stays a text, which the contract then refuses by name. */
static json_t *integer_or_text(const char *cell)
{
	char *end;
	errno = 0;
	long long number = strtoll(cell, &end, 10);
	bool is_integer = end != cell && *end == '\0' && errno == 0;
	return is_integer ? json_integer(number) : json_string(cell);
}

static json_t *to_value(const struct field *field, const char *cell)
{
	if (field->is_array)
		return split(cell);
	return field->kind == VALUE_INTEGER ? integer_or_text(cell) : json_string(cell);
}

/* A file whose header was understood. */
struct sheet {
	struct csv csv;
	const struct field *fields[CSV_COLUMNS_MAX]; /* of the columns */
};

static bool read_row(const struct sheet *sheet, const struct csv_row *row, struct arena *arena,
	struct received_unit *out, struct why *why)
{
	json_t *object = json_object();
	bool is_good = true;
	for (size_t i = 0; i < sheet->csv.column_count && is_good; i++) {
		if (row->cells[i][0] == '\0')
			continue;
		json_t *value = to_value(sheet->fields[i], row->cells[i]);
		is_good = value != NULL || because(why, "schema", "/%s: not UTF-8", sheet->csv.names[i]);
		json_object_set_new(object, sheet->csv.names[i], value);
	}
	is_good = is_good && read_unit(object, arena, out, why);
	json_decref(object);
	return is_good || place("line", row->line, why);
}

static bool read_header(struct sheet *sheet, struct why *why)
{
	for (size_t i = 0; i < sheet->csv.column_count; i++) {
		const char *name = sheet->csv.names[i];
		sheet->fields[i] = find_field(name);
		if (sheet->fields[i] == NULL)
			return refuse_name(name, why) || place("line", 1, why);
		for (size_t j = 0; j < i; j++)
			if (sheet->fields[i] == sheet->fields[j])
				return because(why, "schema", "line 1: the column \"%.40s\" is there twice", name);
	}
	return true;
}

static bool read_csv(const char *text, size_t length, struct arena *arena, struct shipment *shipment,
	struct why *why)
{
	struct sheet sheet;
	if (!csv_read(text, length, arena, &sheet.csv, why) || !read_header(&sheet, why))
		return false;
	shipment->units = arena_array(arena, sheet.csv.count, sizeof(*shipment->units));
	for (; shipment->count < sheet.csv.count; shipment->count++)
		if (!read_row(&sheet, &sheet.csv.rows[shipment->count], arena, &shipment->units[shipment->count],
				why))
			return false;
	return true;
}

bool shipment_read(const char *text, size_t length, struct arena *arena, struct shipment *out,
	struct why *why)
{
	struct shipment shipment = { .bank_id = out->bank_id, .received_by = out->received_by };
	size_t start = 0;
	while (start < length && strchr(" \t\r\n", text[start]) != NULL && text[start] != '\0')
		start++;
	bool is_json = start < length && text[start] == '[';
	bool is_good = is_json ? read_json(text, length, arena, &shipment, why)
						   : read_csv(text, length, arena, &shipment, why);
	if (is_good && shipment.count == 0)
		return because(why, "schema", "there are no units in it");
	if (is_good)
		*out = shipment;
	return is_good;
}

size_t shipment_parts(const struct shipment *shipment)
{
	return (shipment->count + SHIPMENT_PART_MAX - 1) / SHIPMENT_PART_MAX;
}

size_t shipment_part_units(const struct shipment *shipment, size_t number)
{
	size_t left = shipment->count - number * SHIPMENT_PART_MAX;
	return left < SHIPMENT_PART_MAX ? left : SHIPMENT_PART_MAX;
}

bool shipment_write(const struct shipment *shipment, size_t number, struct buffer *body,
	char key[UUID_TEXT_BYTES], struct why *why)
{
	static const unsigned char namespace_bytes[UUID_BYTES] = "carebus shipment";
	const struct bloodbank_unit_receive receive = {
		.bank_id = shipment->bank_id,
		.units = &shipment->units[number * SHIPMENT_PART_MAX],
		.units_count = shipment_part_units(shipment, number),
		.received_by = shipment->received_by,
	};
	char digest[SHA256_TEXT_BYTES];
	buffer_reset(body);
	if (!schema_check(&bloodbank_unit_receive_schema, &receive, why)
		|| !schema_write(&bloodbank_unit_receive_schema, &receive, body))
		return false;
	sha256_text(buffer_text(body), body->length_bytes, digest);
	uuid_from_names(namespace_bytes, (const char *const[]){ digest, NULL }, key);
	return true;
}
