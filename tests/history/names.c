/* Names in an arena, found by open addressing; the table doubles when it is half full. */
#include "names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "hash.h"

enum { SIZE_FIRST = 1024 };

struct names {
	struct arena arena;
	const char **texts; /* by number */
	size_t count, capacity;
	uint32_t *table; /* number + 1; 0 = empty */
	size_t size;     /* a power of two */
};

static void *resize(void *memory, size_t count, size_t bytes)
{
	void *new = reallocarray(memory, count, bytes);
	if (new == NULL)
		abort();
	return new;
}

struct names *names_new(void)
{
	struct names *names = calloc(1, sizeof(*names));
	if (names == NULL)
		abort();
	arena_init(&names->arena);
	names->size = SIZE_FIRST;
	names->table = calloc(names->size, sizeof(*names->table));
	if (names->table == NULL)
		abort();
	return names;
}

void names_free(struct names *names)
{
	if (names == NULL)
		return;
	arena_clear(&names->arena);
	free(names->texts);
	free(names->table);
	free(names);
}

static uint32_t *find_place(const struct names *names, const char *name, size_t length)
{
	size_t place = hash_bytes(name, length) & (names->size - 1);
	while (names->table[place] != 0) {
		const char *text = names->texts[names->table[place] - 1];
		if (strncmp(text, name, length) == 0 && text[length] == '\0')
			break;
		place = (place + 1) & (names->size - 1);
	}
	return &names->table[place];
}

static void grow(struct names *names)
{
	names->size *= 2;
	free(names->table);
	names->table = calloc(names->size, sizeof(*names->table));
	if (names->table == NULL)
		abort();
	for (uint32_t number = 0; number < names->count; number++)
		*find_place(names, names->texts[number], strlen(names->texts[number])) = number + 1;
}

uint32_t names_number(struct names *names, const char *name, size_t length)
{
	uint32_t *place = find_place(names, name, length);
	if (*place != 0)
		return *place - 1;
	assert(names->count < UINT32_MAX - 1);
	if (names->count == names->capacity) {
		names->capacity = names->capacity == 0 ? SIZE_FIRST : names->capacity * 2;
		names->texts = resize(names->texts, names->capacity, sizeof(*names->texts));
	}
	names->texts[names->count++] = arena_bytes(&names->arena, name, length);
	*place = (uint32_t)names->count;
	if (names->count * 2 > names->size)
		grow(names);
	return (uint32_t)names->count - 1;
}

const char *names_text(const struct names *names, uint32_t number)
{
	assert(number < names->count);
	return names->texts[number];
}

size_t names_count(const struct names *names)
{
	return names->count;
}
