/* Memory with one lifetime: many allocations, freed at once. */
#pragma once

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *block; /* the newest block; older ones hang behind it */
	size_t used_bytes;         /* of the newest block */
};

/* An empty arena; allocates nothing yet. */
void arena_init(struct arena *arena);

/* Gives all blocks but the newest back and makes that one empty again. Everything allocated is gone. */
void arena_reset(struct arena *arena);

/* Gives everything back. The arena may be used again. */
void arena_clear(struct arena *arena);

/* Zeroed memory, aligned for any type; never NULL (ends the process when memory is out). */
void *arena_new(struct arena *arena, size_t bytes);

/* Zeroed array; `count` x `bytes` is checked for overflow. */
void *arena_array(struct arena *arena, size_t count, size_t bytes);

/* Copies. NULL in gives NULL out. */
char *arena_text(struct arena *arena, const char *text);
char *arena_bytes(struct arena *arena, const void *bytes, size_t length); /* with a NUL behind */

/* Formatted text. */
char *arena_print(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
