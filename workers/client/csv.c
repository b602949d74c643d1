/* One walk over the text, cell by cell. */
#include "csv.h"

#include <string.h>

#include "buffer.h"

struct walk {
	const char *at, *end;
	size_t line;
	struct arena *arena;
	struct buffer cell;
	struct why *why;
};

static bool is_at(const struct walk *walk, char c)
{
	return walk->at < walk->end && *walk->at == c;
}

/* Between quotes, where a doubled one is one. */
static bool read_quoted(struct walk *walk)
{
	size_t first_line = walk->line;
	for (walk->at++; walk->at < walk->end; walk->at++) {
		bool is_doubled = *walk->at == '"' && walk->at + 1 < walk->end && walk->at[1] == '"';
		if (*walk->at == '"' && !is_doubled) {
			walk->at++;
			return true;
		}
		walk->at += is_doubled;
		walk->line += *walk->at == '\n';
		buffer_add_byte(&walk->cell, (unsigned char)*walk->at);
	}
	return because(walk->why, "csv", "line %zu: a quote is not closed", first_line);
}

static bool is_line_end(const struct walk *walk)
{
	return walk->at == walk->end || *walk->at == '\n'
		|| (*walk->at == '\r' && (walk->at + 1 == walk->end || walk->at[1] == '\n'));
}

/* The cell as text in the arena; the cursor stands at what ends it. */
static bool read_cell(struct walk *walk, const char **out)
{
	buffer_reset(&walk->cell);
	if (is_at(walk, '"')) {
		if (!read_quoted(walk))
			return false;
		if (!is_line_end(walk) && !is_at(walk, ','))
			return because(walk->why, "csv", "line %zu: a comma has to follow the quote", walk->line);
	}
	for (; !is_line_end(walk) && *walk->at != ','; walk->at++)
		buffer_add_byte(&walk->cell, (unsigned char)*walk->at);
	if (memchr(buffer_text(&walk->cell), '\0', walk->cell.length_bytes) != NULL)
		return because(walk->why, "csv", "line %zu: holds a NUL byte", walk->line);
	*out = arena_text(walk->arena, buffer_text(&walk->cell));
	return true;
}

static void skip_line_end(struct walk *walk)
{
	walk->at += is_at(walk, '\r');
	walk->line += is_at(walk, '\n');
	walk->at += is_at(walk, '\n');
}

/* A line's cells, at most `limit` of them. */
static bool read_row(struct walk *walk, const char *cells[], size_t limit, size_t *count)
{
	size_t line = walk->line;
	for (*count = 0;; walk->at++) {
		if (*count == limit)
			return because(walk->why, "csv", "line %zu: more than %zu cells", line, limit);
		if (!read_cell(walk, &cells[(*count)++]))
			return false;
		if (!is_at(walk, ','))
			break;
	}
	skip_line_end(walk);
	return true;
}

static void skip_empty_lines(struct walk *walk)
{
	while (walk->at < walk->end && is_line_end(walk))
		skip_line_end(walk);
}

static bool read_rows(struct walk *walk, struct csv *csv)
{
	for (skip_empty_lines(walk); walk->at < walk->end; skip_empty_lines(walk)) {
		size_t count;
		if (csv->count == CSV_ROWS_MAX)
			return because(walk->why, "csv", "line %zu: more than %d rows; cut the file", walk->line,
				CSV_ROWS_MAX);
		struct csv_row *row = &csv->rows[csv->count++];
		row->line = walk->line;
		if (!read_row(walk, row->cells, csv->column_count, &count))
			return false;
		if (count < csv->column_count)
			return because(walk->why, "csv", "line %zu: %zu cells, the header has %zu", row->line, count,
				csv->column_count);
	}
	return true;
}

static size_t count_lines(const struct walk *walk)
{
	size_t count = 1;
	for (const char *at = walk->at; at < walk->end && count < CSV_ROWS_MAX; at++)
		count += *at == '\n';
	return count;
}

bool csv_read(const char *text, size_t length, struct arena *arena, struct csv *out, struct why *why)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct csv csv = { .count = 0 };
	struct walk walk = { .at = text, .end = text + length, .line = 1, .arena = arena, .why = why };
	if (length >= 3 && memcmp(text, mark, 3) == 0)
		walk.at += 3;
	buffer_init(&walk.cell);
	skip_empty_lines(&walk);
	bool is_good = walk.at < walk.end || because(why, "csv", "line 1: there is no header");
	is_good = is_good && read_row(&walk, csv.names, CSV_COLUMNS_MAX, &csv.column_count);
	if (is_good) {
		csv.rows = arena_array(arena, count_lines(&walk), sizeof(*csv.rows));
		is_good = read_rows(&walk, &csv);
	}
	buffer_clear(&walk.cell);
	if (is_good)
		*out = csv;
	return is_good;
}
