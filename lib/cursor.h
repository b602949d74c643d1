/*
 * Cursors of lists that go from the newest to the oldest: time and id of the last item that was shown, so that what is added
 * meanwhile shifts nothing. Opaque to callers, plain text to us: "1780000000000000.11111111-1111-4111-8111-111111111111".
 * Whoever takes a cursor from outside checks it with cursor_parse and refuses a malformed one: workers cannot refuse a question.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "uuid.h"

enum { CURSOR_TEXT_BYTES = 20 + UUID_TEXT_BYTES };

struct cursor {
	int64_t time_us; /* since 1970 */
	char id[UUID_TEXT_BYTES];
};

/* In front of the newest item. */
extern const struct cursor cursor_start;

/* The time is from 1970 to 9999. */
void cursor_print(const struct cursor *cursor, char out[CURSOR_TEXT_BYTES]);

/* The same of an item, in the arena. The id is a uuid. */
const char *cursor_text(int64_t time_us, const char *id, struct arena *arena);

/* Reads what cursor_print writes, and nothing else. False: malformed, `out` is untouched. */
bool cursor_parse(const char *text, struct cursor *out);

/* Lists of units go by their id: that of the last one is the cursor. False: malformed. */
bool cursor_is_unit_id(const char *text);
