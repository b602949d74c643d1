/* Rows of an answer, in PostgreSQL's binary format. */
#include "database_internal.h"

#include <string.h>

#include "uuid.h"

static const int64_t EPOCH_2000_US = INT64_C(946684800000000);

static uint64_t read_big_endian(const unsigned char *bytes, size_t length)
{
	uint64_t value = 0;
	for (size_t i = 0; i < length; i++)
		value = value << 8 | bytes[i];
	return value;
}

static const unsigned char *cell(const struct rows *rows, size_t row, unsigned column, size_t *length)
{
	*length = (size_t)PQgetlength(rows->result, (int)row, (int)column);
	return (const unsigned char *)PQgetvalue(rows->result, (int)row, (int)column);
}

size_t rows_count(const struct rows *rows)
{
	return (size_t)PQntuples(rows->result);
}

bool rows_is_null(const struct rows *rows, size_t row, unsigned column)
{
	return PQgetisnull(rows->result, (int)row, (int)column);
}

const char *rows_text(const struct rows *rows, size_t row, unsigned column, struct arena *arena)
{
	if (rows_is_null(rows, row, column))
		return NULL;
	size_t length;
	const unsigned char *bytes = cell(rows, row, column, &length);
	return arena_bytes(arena, bytes, length);
}

const char *rows_uuid(const struct rows *rows, size_t row, unsigned column, struct arena *arena)
{
	size_t length;
	const unsigned char *bytes = cell(rows, row, column, &length);
	if (rows_is_null(rows, row, column) || length != UUID_BYTES)
		return NULL;
	char *text = arena_new(arena, UUID_TEXT_BYTES);
	uuid_print(bytes, text);
	return text;
}

int64_t rows_int(const struct rows *rows, size_t row, unsigned column)
{
	if (rows_is_null(rows, row, column))
		return 0;
	size_t length;
	const unsigned char *bytes = cell(rows, row, column, &length);
	uint64_t value = read_big_endian(bytes, length);
	return length == 4 ? (int32_t)value : (int64_t)value;
}

int64_t rows_time(const struct rows *rows, size_t row, unsigned column)
{
	return rows_is_null(rows, row, column) ? 0 : rows_int(rows, row, column) + EPOCH_2000_US;
}

bool rows_bool(const struct rows *rows, size_t row, unsigned column)
{
	size_t length;
	const unsigned char *bytes = cell(rows, row, column, &length);
	return !rows_is_null(rows, row, column) && length == 1 && bytes[0] != 0;
}

const void *rows_bytes(const struct rows *rows, size_t row, unsigned column, size_t *length)
{
	const unsigned char *bytes = cell(rows, row, column, length);
	return rows_is_null(rows, row, column) ? NULL : bytes;
}

const char **rows_texts(const struct rows *rows, size_t row, unsigned column, size_t *count,
	struct arena *arena)
{
	enum { HEADER_BYTES = 20 };
	size_t length;
	const unsigned char *bytes = cell(rows, row, column, &length);
	*count = 0;
	if (rows_is_null(rows, row, column) || length < HEADER_BYTES)
		return NULL;
	size_t elements = read_big_endian(bytes + 12, 4);
	const char **texts = arena_array(arena, elements, sizeof(*texts));
	const unsigned char *at = bytes + HEADER_BYTES, *end = bytes + length;
	while (*count < elements && end - at >= 4) {
		int32_t size = (int32_t)read_big_endian(at, 4);
		at += 4;
		if (size < 0 || size > end - at)
			break;
		texts[(*count)++] = arena_bytes(arena, at, (size_t)size);
		at += size;
	}
	return texts;
}
