/* Days. */
#include "day.h"

#include "cache_names.h"

const char *day_key(const char *provider_id, const char *date, struct arena *arena)
{
	char key[LRU_KEY_MAX + 1];
	cache_day_key(provider_id, date, key);
	return arena_text(arena, key);
}

void days_changed(const struct state *state, struct table *days)
{
	table_init(days, state->arena);
	for (size_t i = 0; i < state->slots.count; i++) {
		struct slot *slot = state->slots.items[i];
		if (!slot->is_listed_anew)
			continue;
		const char *key = day_key(slot->provider_id, slot->date, state->arena);
		if (table_find(days, key) == NULL)
			table_add(days, key, slot);
	}
}
