/* Widths count characters, not bytes: what people wrote may be UTF-8. */
#include "print.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buffer.h"
#include "printable.h"

enum { GAP = 2 };

bool print_has_color(void)
{
	return getenv("NO_COLOR") == NULL && isatty(STDOUT_FILENO);
}

void print_safe(const char *text, char *out, size_t size)
{
	snprintf(out, size, "%s", text == NULL ? "" : text);
	printable(out);
}

void print_json_value(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6) | JSON_ENCODE_ANY);
	printf("\n");
}

/* A number, a truth, or a text, as text. */
static void scalar_text(const json_t *value, char out[CELL_BYTES_MAX])
{
	char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
	print_safe(text == NULL ? json_string_value(value) : text, out, CELL_BYTES_MAX);
	free(text);
}

static void print_item(json_t *item)
{
	char text[CELL_BYTES_MAX];
	const char *name;
	json_t *value;
	if (!json_is_object(item)) {
		scalar_text(item, text);
		printf("    %s\n", text);
		return;
	}
	printf("   ");
	json_object_foreach (item, name, value) {
		scalar_text(value, text);
		printf(" %s=%s", name, text);
	}
	printf("\n");
}

void print_members(json_t *object)
{
	char text[CELL_BYTES_MAX];
	const char *name;
	json_t *value, *item;
	size_t number;
	json_object_foreach (object, name, value) {
		if (json_is_array(value)) {
			printf("%s: %zu\n", name, json_array_size(value));
			json_array_foreach (value, number, item)
				print_item(item);
		} else {
			scalar_text(value, text);
			printf("%s: %s\n", name, text);
		}
	}
}

void table_init(struct table *table, const struct column columns[])
{
	*table = (struct table){ .columns = columns, .rows = json_array() };
	while (columns[table->column_count].title != NULL)
		table->column_count++;
}

void table_clear(struct table *table)
{
	json_decref(table->rows);
	table->rows = NULL;
}

void table_add(struct table *table, const char *const cells[], const char *color)
{
	json_t *row = json_array();
	for (size_t i = 0; i < table->column_count; i++) {
		char cell[CELL_BYTES_MAX];
		print_safe(cells[i], cell, sizeof(cell));
		json_array_append_new(row, json_string(cell));
	}
	json_array_append_new(row, json_string(color == NULL ? "" : color));
	json_array_append_new(table->rows, row);
}

static const char *cell_of(const json_t *row, size_t column)
{
	const char *text = json_string_value(json_array_get(row, column));
	return text == NULL ? "" : text;
}

static int characters(const char *text)
{
	int count = 0;
	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static int width_of(const struct table *table, size_t column)
{
	int width = characters(table->columns[column].title);
	size_t number;
	json_t *row;
	json_array_foreach (table->rows, number, row) {
		int own = characters(cell_of(row, column));
		width = own > width ? own : width;
	}
	return width;
}

static void add_blanks(struct buffer *line, int count)
{
	for (; count > 0; count--)
		buffer_add_byte(line, ' ');
}

static void add_cell(struct buffer *line, const struct column *column, const char *text, int width,
	const char *color)
{
	int blanks = width - characters(text);
	bool is_colored = column->is_colored && color[0] != '\0';
	add_blanks(line, column->is_number ? blanks : 0);
	buffer_print(line, "%s%s%s", is_colored ? color : "", text, is_colored ? COLOR_PLAIN : "");
	add_blanks(line, GAP + (column->is_number ? 0 : blanks));
}

static void print_line(const struct table *table, const json_t *row, const int widths[], FILE *out)
{
	struct buffer line;
	buffer_init(&line);
	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *column = &table->columns[i];
		add_cell(&line, column, row == NULL ? column->title : cell_of(row, i), widths[i],
			row == NULL ? "" : cell_of(row, table->column_count));
	}
	while (line.length_bytes > 0 && line.data[line.length_bytes - 1] == ' ')
		line.length_bytes--;
	fprintf(out, "%.*s\n", (int)line.length_bytes, buffer_text(&line));
	buffer_clear(&line);
}

void table_print(const struct table *table, FILE *out)
{
	int widths[TABLE_COLUMNS_MAX];
	size_t number;
	json_t *row;
	assert(table->column_count <= TABLE_COLUMNS_MAX);
	for (size_t i = 0; i < table->column_count; i++)
		widths[i] = width_of(table, i);
	print_line(table, NULL, widths, out);
	json_array_foreach (table->rows, number, row)
		print_line(table, row, widths, out);
}
