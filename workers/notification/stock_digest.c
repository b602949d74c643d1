/* At most one notification per bank and window: the window's opening is the transition. */
#include "stock_digest.h"

#include "clock.h"
#include "text.h"

void stock_digest_gather(struct shelf *shelf, struct window *window,
	const struct bloodbank_inventory_updated *updated, int64_t now)
{
	if (updated->version <= shelf->version)
		return;
	shelf->available = updated->available;
	shelf->version = updated->version;
	shelf->is_waiting = true;
	shelf->is_changed = true;
	if (window->opened_at == 0)
		window->opened_at = now;
}

bool stock_digest_is_due(const struct window *window, const struct rules *rules, int64_t now)
{
	return window->opened_at != 0 && window->opened_at <= now - rules->digest_window_us;
}

static size_t count_waiting(const struct shelf *shelves, size_t shelves_count)
{
	size_t waiting = 0;
	for (size_t i = 0; i < shelves_count; i++)
		waiting += shelves[i].is_waiting;
	return waiting;
}

static const char *wording(const struct shelf *shelves, size_t shelves_count, struct arena *arena)
{
	size_t waiting = count_waiting(shelves, shelves_count);
	struct sentence sentence;
	sentence_begin(&sentence,
		arena_print(arena, "%zu %s changed", waiting, waiting == 1 ? "shelf" : "shelves"));
	for (size_t i = 0; i < shelves_count; i++)
		if (shelves[i].is_waiting)
			sentence_add(&sentence,
				arena_print(arena, "%s %s %d available", blood_group_name(shelves[i].group),
					component_name(shelves[i].component), (int)shelves[i].available));
	return sentence_end(&sentence, arena);
}

struct notice *stock_digest_notice(const struct window *window, const struct shelf *shelves,
	size_t shelves_count, const struct rules *rules, int64_t now, struct arena *arena)
{
	char *opened = arena_new(arena, TIME_TEXT_BYTES);
	time_print(window->opened_at, opened);
	const struct fact fact = {
		.facility_id = count_waiting(shelves, shelves_count) == 0 ? NULL : window->bank_id,
		.role = "bank",
		.kind = "stock_digest",
		.entity = arena_print(arena, "stock:%s", window->bank_id),
		.transition = arena_print(arena, "digest:%s", opened),
		.text = wording(shelves, shelves_count, arena),
	};
	return audience_notice(&fact, rules, now, arena);
}

void stock_digest_close(struct window *window, struct shelf *shelves, size_t shelves_count)
{
	window->opened_at = 0;
	for (size_t i = 0; i < shelves_count; i++) {
		shelves[i].is_changed |= shelves[i].is_waiting;
		shelves[i].is_waiting = false;
	}
}
