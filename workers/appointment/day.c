/* Days. */
#include "day.h"

const char *day_key(const char *provider_id, const char *date, struct arena *arena)
{
	return arena_print(arena, "%s %s", provider_id, date);
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
