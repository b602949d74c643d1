/* An arena: a list of blocks, the newest being filled from the front. */
#include "arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct arena_block {
	struct arena_block *older;
	size_t size_bytes;
	alignas(max_align_t) unsigned char data[];
};

static void drop_blocks(struct arena_block *block)
{
	while (block != NULL) {
		struct arena_block *older = block->older;
		free(block);
		block = older;
	}
}

static void add_block(struct arena *arena, size_t bytes)
{
	size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
	struct arena_block *block = malloc(sizeof(*block) + size);
	if (block == NULL)
		abort();
	block->older = arena->block;
	block->size_bytes = size;
	arena->block = block;
	arena->used_bytes = 0;
}

void arena_init(struct arena *arena)
{
	*arena = (struct arena){ 0 };
}

void arena_reset(struct arena *arena)
{
	if (arena->block == NULL)
		return;
	drop_blocks(arena->block->older);
	arena->block->older = NULL;
	arena->used_bytes = 0;
}

void arena_clear(struct arena *arena)
{
	drop_blocks(arena->block);
	arena_init(arena);
}

void *arena_new(struct arena *arena, size_t bytes)
{
	if (bytes > SIZE_MAX / 2)
		abort();
	size_t size = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (arena->block == NULL || arena->block->size_bytes - arena->used_bytes < size)
		add_block(arena, size);
	void *memory = arena->block->data + arena->used_bytes;
	arena->used_bytes += size;
	return memset(memory, 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t bytes)
{
	size_t total;
	if (__builtin_mul_overflow(count, bytes, &total))
		abort();
	return arena_new(arena, total);
}

char *arena_bytes(struct arena *arena, const void *bytes, size_t length)
{
	char *copy = arena_new(arena, length + 1);
	if (length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
	return text == NULL ? NULL : arena_bytes(arena, text, strlen(text));
}

char *arena_print(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	assert(format != NULL);
	va_start(arguments, format);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		abort();
	char *text = arena_new(arena, (size_t)length + 1);
	va_start(arguments, format);
	vsnprintf(text, (size_t)length + 1, format, arguments);
	va_end(arguments);
	return text;
}
