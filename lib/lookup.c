/* A hash table with open addressing, at most half full. */
#include "lookup.h"

#include <string.h>

#include "hash.h"

enum { SIZE_FIRST = 64 };

void lookup_init(struct lookup *lookup, struct arena *arena)
{
	*lookup = (struct lookup){ .arena = arena };
}

/* The place of that key, or the free place where it belongs. */
static struct lookup_entry *find_place(const struct lookup *lookup, const char *key)
{
	size_t mask = lookup->size - 1;
	size_t place = hash_bytes(key, strlen(key)) & mask;
	while (lookup->entries[place].key != NULL && strcmp(lookup->entries[place].key, key) != 0)
		place = (place + 1) & mask;
	return &lookup->entries[place];
}

static void grow(struct lookup *lookup)
{
	struct lookup old = *lookup;
	lookup->size = old.size == 0 ? SIZE_FIRST : old.size * 2;
	lookup->entries = arena_array(lookup->arena, lookup->size, sizeof(struct lookup_entry));
	for (size_t i = 0; i < old.size; i++)
		if (old.entries[i].key != NULL)
			*find_place(lookup, old.entries[i].key) = old.entries[i];
}

void *lookup_find(const struct lookup *lookup, const char *key)
{
	return lookup->size == 0 ? NULL : find_place(lookup, key)->value;
}

void lookup_put(struct lookup *lookup, const char *key, void *value)
{
	if (lookup->count * 2 >= lookup->size)
		grow(lookup);
	struct lookup_entry *place = find_place(lookup, key);
	if (place->key == NULL)
		lookup->count++;
	*place = (struct lookup_entry){ key, value };
}
