/* Lists and single things of the HTTP door, printed. */
#pragma once

#include "door.h"
#include "print.h"

enum { LISTING_ITEMS_MAX = 10000 };

/* Adds an item's row. */
typedef void listing_row_fn(struct table *table, const json_t *item);

struct listing {
	const char *what; /* "reading the requests" */
	const char *path; /* may have a query */
	size_t limit;     /* items at most, over all pages */
	bool is_json;
	const struct column *columns;
	listing_row_fn *add_row;
};

enum ending listing_show(struct door *door, const struct listing *listing);

/* One thing, member by member. */
enum ending listing_show_one(struct door *door, const char *what, const char *path, bool is_json);

/* A member that is a text, or NULL. */
const char *listing_text(const json_t *item, const char *name);
