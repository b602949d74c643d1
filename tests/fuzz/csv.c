/* libFuzzer: comma-separated values. What is read, written with every cell quoted, is read as the same. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "csv.h"

static void add_cell(struct buffer *out, size_t column, const char *cell)
{
	buffer_add_text(out, column > 0 ? ",\"" : "\"");
	for (const char *c = cell; *c != '\0'; c++) {
		if (*c == '"')
			buffer_add_byte(out, '"');
		buffer_add_byte(out, (unsigned char)*c);
	}
	buffer_add_byte(out, '"');
}

static void write_quoted(const struct csv *csv, struct buffer *out)
{
	for (size_t column = 0; column < csv->column_count; column++)
		add_cell(out, column, csv->names[column]);
	buffer_add_text(out, "\r\n");
	for (size_t row = 0; row < csv->count; row++) {
		for (size_t column = 0; column < csv->column_count; column++)
			add_cell(out, column, csv->rows[row].cells[column]);
		buffer_add_text(out, "\r\n");
	}
}

static void check_same(const struct csv *first, const struct csv *second)
{
	must(first->column_count == second->column_count && first->count == second->count,
		"as many rows and columns");
	for (size_t column = 0; column < first->column_count; column++)
		must(strcmp(first->names[column], second->names[column]) == 0, "of the same names");
	for (size_t row = 0; row < first->count; row++)
		for (size_t column = 0; column < first->column_count; column++)
			must(strcmp(first->rows[row].cells[column], second->rows[row].cells[column]) == 0,
				"with the same cells");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan scan = { .next = data, .left_bytes = size };
	struct arena arena;
	struct csv csv, again;
	struct why why = { 0 };
	struct buffer quoted;
	size_t length;
	char *text = fuzz_rest(&scan, &length);
	arena_init(&arena);
	buffer_init(&quoted);
	if (csv_read(text, length, &arena, &csv, &why)) {
		must(csv.column_count >= 1 && csv.column_count <= CSV_COLUMNS_MAX, "columns keep their limit");
		write_quoted(&csv, &quoted);
		must(csv_read(buffer_text(&quoted), quoted.length_bytes, &arena, &again, &why),
			"what was written can be read");
		check_same(&csv, &again);
	} else {
		must(why.text[0] != '\0', "a refusal says why");
	}
	buffer_clear(&quoted);
	arena_clear(&arena);
	free(text);
	return 0;
}
