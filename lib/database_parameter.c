/* Statement parameters in PostgreSQL's binary format: single values and one-dimensional arrays. */
#include "database.h"

#include <string.h>

#include "uuid.h"

/* Wire format of an array: dimensions, has-null flag, element type, then per dimension its size and lower bound. */
enum {
	ARRAY_FLAG_OFFSET = 4,
	ARRAY_COUNT_OFFSET = 12,
	NULL_LENGTH = -1,
};

static const int64_t EPOCH_2000_US = INT64_C(946684800000000);

/* Object ids of the element types, fixed in PostgreSQL's catalog (pg_type.dat). */
static uint32_t element_oid(enum parameter_type type)
{
	static const uint32_t oids[] = {
		[PARAMETER_TEXT] = 25,
		[PARAMETER_UUID] = 2950,
		[PARAMETER_INT] = 20,
		[PARAMETER_TIME] = 1184,
		[PARAMETER_BOOL] = 16,
		[PARAMETER_BYTES] = 17,
	};
	return oids[type];
}

static void add_value(struct parameter *parameter, const void *bytes, size_t length)
{
	if (!parameter->is_array) {
		buffer_reset(&parameter->buffer);
		buffer_add(&parameter->buffer, bytes, length);
		parameter->is_null = false;
		return;
	}
	buffer_add_u32(&parameter->buffer, (uint32_t)length);
	buffer_add(&parameter->buffer, bytes, length);
	parameter->count++;
	buffer_set_u32(&parameter->buffer, ARRAY_COUNT_OFFSET, (uint32_t)parameter->count);
}

void parameter_init(struct parameter *parameter, enum parameter_type type, bool is_array)
{
	*parameter = (struct parameter){ .type = type, .is_array = is_array, .is_null = !is_array };
	if (!is_array)
		return;
	const uint32_t header[] = { 1, 0, element_oid(type), 0, 1 };
	for (size_t i = 0; i < sizeof(header) / sizeof(header[0]); i++)
		buffer_add_u32(&parameter->buffer, header[i]);
}

void parameter_clear(struct parameter *parameter)
{
	buffer_clear(&parameter->buffer);
}

void parameters_clear(struct parameter parameters[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		parameter_clear(&parameters[i]);
}

void parameters_arrays(struct parameter parameters[], const char *letters)
{
	static const char known[] = "tuizby"; /* in the order of enum parameter_type */
	for (size_t i = 0; letters[i] != '\0'; i++) {
		const char *place = strchr(known, letters[i]);
		parameter_init(&parameters[i], place == NULL ? PARAMETER_TEXT : (enum parameter_type)(place - known),
			true);
	}
}

void parameter_null(struct parameter *parameter)
{
	if (!parameter->is_array) {
		parameter->is_null = true;
		return;
	}
	buffer_add_u32(&parameter->buffer, (uint32_t)NULL_LENGTH);
	buffer_set_u32(&parameter->buffer, ARRAY_FLAG_OFFSET, 1);
	parameter->count++;
	buffer_set_u32(&parameter->buffer, ARRAY_COUNT_OFFSET, (uint32_t)parameter->count);
}

void parameter_text(struct parameter *parameter, const char *text)
{
	if (text == NULL)
		parameter_null(parameter);
	else
		add_value(parameter, text, strlen(text));
}

void parameter_uuid(struct parameter *parameter, const char *text)
{
	unsigned char bytes[UUID_BYTES];
	if (text == NULL || !uuid_parse(text, bytes))
		parameter_null(parameter);
	else
		add_value(parameter, bytes, sizeof(bytes));
}

void parameter_int(struct parameter *parameter, int64_t value)
{
	unsigned char bytes[8];
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)((uint64_t)value >> (56 - 8 * i));
	add_value(parameter, bytes, sizeof(bytes));
}

void parameter_time(struct parameter *parameter, int64_t time_us)
{
	parameter_int(parameter, time_us - EPOCH_2000_US);
}

void parameter_bool(struct parameter *parameter, bool value)
{
	unsigned char byte = value;
	add_value(parameter, &byte, 1);
}

void parameter_bytes(struct parameter *parameter, const void *bytes, size_t length)
{
	add_value(parameter, bytes, length);
}
