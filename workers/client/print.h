/* What commands print for people: colours where there is a terminal, texts from outside without control characters, tables. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#define COLOR_RED "\033[31m"
#define COLOR_GREEN "\033[32m"
#define COLOR_YELLOW "\033[33m"
#define COLOR_DIM "\033[2m"
#define COLOR_PLAIN "\033[0m"

enum { TABLE_COLUMNS_MAX = 12, CELL_BYTES_MAX = 128 };

struct column {
	const char *title; /* upper case; NULL ends the columns */
	bool is_number;    /* stands at the right */
	bool is_colored;   /* takes the row's colour */
};

/* Rows are kept until the widths are known. */
struct table {
	const struct column *columns;
	size_t column_count;
	json_t *rows; /* each an array of cells, the colour behind them */
};

/* Standard output is a terminal, and NO_COLOR is not set. */
bool print_has_color(void);

/* The text with ? for control characters, cut to what `out` holds. NULL is "". */
void print_safe(const char *text, char *out, size_t size);

/* Indented JSON and a line feed, on standard output. */
void print_json_value(const json_t *value);

/* An object's members, a line each; an array of objects has a line for each of them. */
void print_members(json_t *object);

void table_init(struct table *table, const struct column columns[]);
void table_clear(struct table *table);

/* Adds a row with a cell for each column (NULL = ""); `color` (NULL = none) is of the columns that take one. */
void table_add(struct table *table, const char *const cells[], const char *color);
void table_print(const struct table *table, FILE *out);
