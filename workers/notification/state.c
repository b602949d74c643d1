/* Sorted arrays: few, short, searched often. */
#include "state.h"

#include <stdlib.h>
#include <string.h>

typedef int compare_fn(const void *a, const void *b);

static int notice_compare(const void *a, const void *b)
{
	const struct notice *one = a, *other = b;
	return strcmp(one->notification_id, other->notification_id);
}

static int shelf_compare(const void *a, const void *b)
{
	const struct shelf *one = a, *other = b;
	int order = strcmp(one->bank_id, other->bank_id);
	if (order == 0)
		order = (int)one->component - (int)other->component;
	return order != 0 ? order : (int)one->group - (int)other->group;
}

static int window_compare(const void *a, const void *b)
{
	return strcmp(((const struct window *)a)->bank_id, ((const struct window *)b)->bank_id);
}

/* Sorted, each once. Returns how many are left. */
static size_t sort_unique(void *items, size_t count, size_t bytes, compare_fn *compare)
{
	char *item = items;
	size_t kept = 0;
	if (count > 1)
		qsort(items, count, bytes, compare);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || compare(item + (kept - 1) * bytes, item + i * bytes) != 0)
			memmove(item + kept++ * bytes, item + i * bytes, bytes);
	return kept;
}

struct state *state_new(const struct batch *batch)
{
	struct state *state = arena_new(batch->arena, sizeof(*state));
	state->rules = &rules_default;
	state->arena = batch->arena;
	state->created_last = &state->created;
	return state;
}

void state_index(struct state *state)
{
	state->notices_count =
		sort_unique(state->notices, state->notices_count, sizeof(*state->notices), notice_compare);
	state->shelves_count =
		sort_unique(state->shelves, state->shelves_count, sizeof(*state->shelves), shelf_compare);
	state->windows_count =
		sort_unique(state->windows, state->windows_count, sizeof(*state->windows), window_compare);
}

static void *find(const void *key, void *items, size_t count, size_t bytes, compare_fn *compare)
{
	return count == 0 ? NULL : bsearch(key, items, count, bytes, compare);
}

struct notice *state_notice(const struct state *state, const char *notification_id)
{
	const struct notice key = { .notification_id = notification_id };
	return find(&key, state->notices, state->notices_count, sizeof(key), notice_compare);
}

struct shelf *state_shelf(const struct state *state, const char *bank_id, enum component component,
	enum blood_group group)
{
	const struct shelf key = { .bank_id = bank_id, .component = component, .group = group };
	return find(&key, state->shelves, state->shelves_count, sizeof(key), shelf_compare);
}

struct window *state_window(const struct state *state, const char *bank_id)
{
	const struct window key = { .bank_id = bank_id };
	return find(&key, state->windows, state->windows_count, sizeof(key), window_compare);
}

size_t state_shelves_of(const struct state *state, const char *bank_id, struct shelf **first)
{
	size_t count = 0;
	*first = NULL;
	for (size_t i = 0; i < state->shelves_count; i++)
		if (strcmp(state->shelves[i].bank_id, bank_id) == 0 && count++ == 0)
			*first = &state->shelves[i];
	return count;
}

struct notice *state_create(struct state *state, const struct notice *notice)
{
	struct notice *item = state_notice(state, notice->notification_id);
	if (item->is_there)
		return NULL;
	*item = *notice;
	item->is_there = true;
	item->next = NULL;
	*state->created_last = item;
	state->created_last = &item->next;
	return item;
}
