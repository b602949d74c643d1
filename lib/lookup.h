/* Finds what a batch holds by its identifier. */
#pragma once

#include <stddef.h>

#include "arena.h"

struct lookup_entry {
	const char *key; /* borrowed; NULL: free */
	void *value;
};

struct lookup {
	struct arena *arena; /* borrowed; holds the table */
	struct lookup_entry *entries;
	size_t size, count; /* size is a power of two, or 0 */
};

void lookup_init(struct lookup *lookup, struct arena *arena);

/* The value of that key, or NULL. */
void *lookup_find(const struct lookup *lookup, const char *key);

/* Adds or replaces. The key is borrowed and must live as long as the lookup. */
void lookup_put(struct lookup *lookup, const char *key, void *value);
