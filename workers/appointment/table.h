/* What a batch holds of one kind: found by its identifier, and walked through in the order in which it was added. */
#pragma once

#include "lookup.h"

struct table {
	struct lookup by_id;
	void **items;
	size_t count, capacity;
};

void table_init(struct table *table, struct arena *arena);

/* NULL: not there. */
void *table_find(const struct table *table, const char *id);

/* The id is borrowed and must not be there yet. */
void table_add(struct table *table, const char *id, void *item);
