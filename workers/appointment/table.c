/* Tables. */
#include "table.h"

#include <string.h>

enum { CAPACITY_FIRST = 32 };

void table_init(struct table *table, struct arena *arena)
{
	*table = (struct table){ .count = 0 };
	lookup_init(&table->by_id, arena);
}

void *table_find(const struct table *table, const char *id)
{
	return id == NULL ? NULL : lookup_find(&table->by_id, id);
}

static void grow(struct table *table)
{
	size_t capacity = table->capacity == 0 ? CAPACITY_FIRST : table->capacity * 2;
	void **items = arena_array(table->by_id.arena, capacity, sizeof(void *));
	if (table->count > 0)
		memcpy(items, table->items, table->count * sizeof(void *));
	table->items = items;
	table->capacity = capacity;
}

void table_add(struct table *table, const char *id, void *item)
{
	if (table->count == table->capacity)
		grow(table);
	table->items[table->count++] = item;
	lookup_put(&table->by_id, id, item);
}
