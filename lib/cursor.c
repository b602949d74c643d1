/* Cursors: one text for one place. */
#include "cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "events.h"

#define TIME_MAX INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */
enum { TIME_DIGITS_MAX = 18 };

const struct cursor cursor_start = { TIME_MAX, "ffffffff-ffff-ffff-ffff-ffffffffffff" };

void cursor_print(const struct cursor *cursor, char out[CURSOR_TEXT_BYTES])
{
	snprintf(out, CURSOR_TEXT_BYTES, "%" PRId64 ".%s", cursor->time_us, cursor->id);
}

const char *cursor_text(int64_t time_us, const char *id, struct arena *arena)
{
	struct cursor cursor = { .time_us = time_us };
	char text[CURSOR_TEXT_BYTES];
	uuid_canonical(id, cursor.id);
	cursor_print(&cursor, text);
	return arena_text(arena, text);
}

/* The digits before the point; -1: something else. */
static int64_t parse_time(const char *text, size_t *length)
{
	int64_t time_us = 0;
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > TIME_DIGITS_MAX || (digits > 1 && text[0] == '0'))
		return -1;
	for (size_t i = 0; i < digits; i++)
		time_us = time_us * 10 + (text[i] - '0');
	*length = digits;
	return time_us > TIME_MAX ? -1 : time_us;
}

bool cursor_parse(const char *text, struct cursor *out)
{
	size_t digits = 0;
	struct cursor cursor = { .time_us = parse_time(text, &digits) };
	if (cursor.time_us < 0 || text[digits] != '.')
		return false;
	const char *id = text + digits + 1;
	if (!uuid_canonical(id, cursor.id) || strcmp(id, cursor.id) != 0)
		return false;
	*out = cursor;
	return true;
}

bool cursor_is_unit_id(const char *text)
{
	const struct bloodbank_query_unit question = { .unit_id = text };
	struct why why;
	return schema_check(&bloodbank_query_unit_schema, &question, &why);
}
