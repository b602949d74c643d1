/* PURE. Comma-separated values (RFC 4180) with a header line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "outcome.h"

enum { CSV_COLUMNS_MAX = 32, CSV_ROWS_MAX = 100000 };

struct csv_row {
	const char *cells[CSV_COLUMNS_MAX]; /* as many as the header has */
	size_t line;                        /* in which it begins, from 1 */
};

struct csv {
	const char *names[CSV_COLUMNS_MAX];
	size_t column_count;
	struct csv_row *rows;
	size_t count;
};

/* Everything is in the arena. Empty lines are skipped, a byte-order mark too. False: why names the line. */
bool csv_read(const char *text, size_t length, struct arena *arena, struct csv *out, struct why *why);
