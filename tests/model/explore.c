/* The explorer: all worlds in one array in the order of their finding, and a hash table of their places. */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE_FIRST = 1 << 16 };

struct origin {
	uint32_t parent;
	struct path_step step;
	uint16_t depth;
};

struct explorer {
	const struct limits *limits;
	struct world *worlds;
	struct origin *origins;
	size_t count, capacity;
	uint32_t *table; /* place + 1; 0 = empty */
	size_t size;     /* a power of two, at least twice the capacity */
};

static void *resize(void *memory, size_t count, size_t bytes)
{
	void *new = reallocarray(memory, count, bytes);
	if (new == NULL)
		abort();
	return new;
}

/* By words: worlds are many, and all of one size. */
static uint64_t hash_world(const struct world *world)
{
	uint64_t words[(sizeof(*world) + 7) / 8] = { 0 }, hash = 0;
	memcpy(words, world, sizeof(*world));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		hash = (hash ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return hash;
}

static uint32_t *find_place(const struct explorer *explorer, const struct world *world)
{
	size_t place = hash_world(world) & (explorer->size - 1);
	while (explorer->table[place] != 0
		&& memcmp(&explorer->worlds[explorer->table[place] - 1], world, sizeof(*world)) != 0)
		place = (place + 1) & (explorer->size - 1);
	return &explorer->table[place];
}

static void grow(struct explorer *explorer)
{
	explorer->capacity = explorer->capacity == 0 ? SIZE_FIRST : explorer->capacity * 2;
	explorer->worlds = resize(explorer->worlds, explorer->capacity, sizeof(*explorer->worlds));
	explorer->origins = resize(explorer->origins, explorer->capacity, sizeof(*explorer->origins));
	explorer->size = explorer->capacity * 2;
	free(explorer->table);
	explorer->table = calloc(explorer->size, sizeof(*explorer->table));
	if (explorer->table == NULL)
		abort();
	for (uint32_t i = 0; i < explorer->count; i++)
		*find_place(explorer, &explorer->worlds[i]) = i + 1;
}

/* False: it was there. */
static bool add(struct explorer *explorer, const struct world *world, struct origin origin)
{
	if (explorer->count == explorer->capacity)
		grow(explorer);
	uint32_t *place = find_place(explorer, world);
	if (*place != 0)
		return false;
	explorer->worlds[explorer->count] = *world;
	explorer->origins[explorer->count] = origin;
	*place = (uint32_t)++explorer->count;
	return true;
}

static void tell_path(const struct explorer *explorer, uint32_t place, struct path_step last,
	struct exploration *result)
{
	size_t length = explorer->origins[place].depth + 1U;
	result->is_wrong = true;
	result->path_length = length;
	for (size_t i = length; i > 0; i--) {
		if (i <= PATH_MAX_STEPS)
			result->path[i - 1] = last;
		last = explorer->origins[place].step;
		place = explorer->origins[place].parent;
	}
}

static void try_step(struct explorer *explorer, uint32_t from, struct path_step step,
	struct exploration *result)
{
	struct world world = explorer->worlds[from];
	enum step done = world_step(&world, explorer->limits, (enum action_kind)step.kind, step.argument);
	if (done == STEP_NONE)
		return;
	result->steps++;
	world_normalise(&world);
	struct origin origin = {
		.parent = from, .step = step, .depth = (uint16_t)(explorer->origins[from].depth + 1)
	};
	bool is_new = add(explorer, &world, origin);
	if (done == STEP_WRONG || (is_new && world_is_wrong(&world, explorer->limits)))
		tell_path(explorer, from, step, result);
}

static void try_all(struct explorer *explorer, uint32_t from, struct exploration *result)
{
	for (uint8_t kind = 0; kind < ACTION_COUNT; kind++)
		for (unsigned argument = 0, end = action_arguments((enum action_kind)kind, explorer->limits);
			 argument < end && !result->is_wrong; argument++)
			try_step(explorer, from, (struct path_step){ kind, (uint8_t)argument }, result);
}

struct exploration explore(const struct limits *limits, size_t worlds_max)
{
	struct explorer explorer = { .limits = limits };
	struct exploration result = { .worlds = 0 };
	struct world world;
	uint32_t from = 0;
	world_start(&world, limits);
	add(&explorer, &world, (struct origin){ .depth = 0 });
	for (; from < explorer.count && !result.is_wrong && explorer.count < worlds_max; from++)
		try_all(&explorer, from, &result);
	result.worlds = explorer.count;
	result.depth = explorer.origins[explorer.count - 1].depth;
	result.is_complete = from == explorer.count;
	free(explorer.worlds);
	free(explorer.origins);
	free(explorer.table);
	return result;
}
