/* Sourcing: cursors over bins, merged in the one total order, for one bank or for all. */
#include "sourcing.h"

#include <assert.h>
#include <string.h>

enum { CURSORS_FIRST = 16 };

/* What one bank, or all together, would give. */
struct plan {
	struct unit *units[PICKS_MAX];
	size_t count;
	int64_t ranks, penalties; /* sums */
	bool is_floor_met;
};

/* What stays the same while one wish is sourced with one concession. */
struct walk {
	const struct wish *wish;
	struct shelves *shelves;
	struct arena *arena;
	struct cursors cursors; /* of the rank at hand */
	unsigned int concession;
};

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static void make_room(struct cursors *cursors, struct arena *arena)
{
	if (cursors->count < cursors->capacity)
		return;
	size_t capacity = cursors->capacity == 0 ? CURSORS_FIRST : 2 * cursors->capacity;
	struct cursor *list = arena_array(arena, capacity, sizeof(*list));
	if (cursors->count > 0)
		memcpy(list, cursors->list, cursors->count * sizeof(*list));
	cursors->list = list;
	cursors->capacity = capacity;
}

/* By insertion: one rank has a dozen bins. */
static void add_cursor(struct cursors *cursors, const struct cursor *cursor, struct arena *arena)
{
	make_room(cursors, arena);
	size_t place = cursors->count++;
	while (place > 0 && cursor->penalty < cursors->list[place - 1].penalty) {
		cursors->list[place] = cursors->list[place - 1];
		place--;
	}
	cursors->list[place] = *cursor;
}

/* Whether a bin may hold units that fall short in exactly this way. */
static bool may_hold(const struct wish *wish, const struct bin *bin, unsigned int concession)
{
	const struct donor *donor = &wish->compatibility.donors[bin->shelf->group];
	if ((donor->strict_attributes & ~bin->attributes) != 0)
		return false;
	if (bin->designated_for != NULL
		&& (wish->patient_ref == NULL || strcmp(bin->designated_for, wish->patient_ref) != 0))
		return false;
	unsigned int shared = wish_bin_concession(wish, bin);
	return (shared & ~concession) == 0 && (shared == concession || wish_is_picky(wish));
}

static bool is_bare(const struct bin *bin)
{
	return bin->designated_for == NULL && bin->available_count <= 0;
}

static void find_on_shelf(const struct wish *wish, int64_t distance_m, const struct shelf *shelf,
	unsigned int concession, struct arena *arena, struct cursors *cursors)
{
	for (struct bin *bin = shelf->bins; bin != NULL; bin = bin->next) {
		struct queue *queue = &bin->queues[wish->order];
		if (is_bare(bin) || !may_hold(wish, bin, concession))
			continue;
		queue_settle(queue);
		const struct cursor cursor = {
			.bin = bin,
			.queue = queue,
			.position = queue->first,
			.distance_m = distance_m,
			.rank = wish->compatibility.donors[shelf->group].rank,
			.penalty = wish_penalty(wish, bin),
		};
		add_cursor(cursors, &cursor, arena);
	}
}

void cursors_find(const struct wish *wish, unsigned int concession, int32_t rank, size_t from, size_t to,
	struct arena *arena, struct cursors *cursors)
{
	const struct donor *donors = wish->compatibility.donors;
	cursors->count = 0;
	for (size_t group = 0; group < BLOOD_GROUPS; group++) {
		if (!donors[group].is_compatible || donors[group].rank != rank)
			continue;
		for (size_t i = from; i < to; i++) {
			const struct supplier *supplier = &wish->wanted->suppliers[i];
			find_on_shelf(wish, supplier->distance_m,
				&supplier->bank->shelves[wish->request->component][group], concession, arena, cursors);
		}
	}
}

/* The next unit of a cursor that fits, or NULL; says so when there may be one that was not loaded. */
static struct unit *look_ahead(const struct walk *walk, struct cursor *cursor)
{
	for (; cursor->position < cursor->queue->count; cursor->position++) {
		struct unit *unit = cursor->queue->units[cursor->position];
		if (wish_can_use(walk->wish, unit) && wish_concession(walk->wish, unit) == walk->concession)
			return unit;
	}
	if (cursor->queue->is_truncated)
		walk->shelves->wants_more = true;
	return NULL;
}

/*
 * Counters don't know what has expired; a floor is measured against units in date. So of each bin of the shelf as many
 * of the oldest must have been loaded as reach into the good ones.
 */
static void check_count(const struct walk *walk, const struct shelf *shelf)
{
	for (struct bin *bin = shelf->bins; bin != NULL; bin = bin->next) {
		const struct queue *oldest = &bin->queues[OLDEST_FIRST];
		if (!oldest->is_truncated)
			continue;
		if (oldest->count > 0 && oldest->units[oldest->count - 1]->expires_at > walk->wish->now)
			continue;
		walk->shelves->wants_more = true;
	}
}

/* Whether the floor of a shelf keeps its next unit back. */
static bool is_kept(const struct walk *walk, const struct bin *bin)
{
	const struct shelf *shelf = bin->shelf;
	int64_t floor = walk->wish->rules->floors[shelf->component][shelf->group];
	if (!walk->wish->keeps_floor || floor == 0 || bin->designated_for != NULL)
		return false;
	check_count(walk, shelf);
	return shelf->available_count - shelf->planned <= floor;
}

/* Age first (the wish's order), then distance, then id. */
static bool is_better(const struct wish *wish, const struct unit *a, int64_t distance_a, const struct unit *b,
	int64_t distance_b)
{
	int result = wish->order == FRESHEST_FIRST ? compare_numbers(b->collected_at, a->collected_at)
											   : compare_numbers(a->expires_at, b->expires_at);
	if (result == 0)
		result = compare_numbers(distance_a, distance_b);
	return result != 0 ? result < 0 : strcmp(a->unit_id, b->unit_id) < 0;
}

/* The cursor of list[0, count) with the best next unit, or NULL when none has one. */
static struct cursor *find_best(const struct walk *walk, struct cursor *list, size_t count, struct plan *plan)
{
	struct cursor *best = NULL;
	const struct unit *best_unit = NULL;
	for (size_t i = 0; i < count; i++) {
		const struct unit *unit = look_ahead(walk, &list[i]);
		if (unit == NULL)
			continue;
		if (is_kept(walk, list[i].bin)) {
			plan->is_floor_met = true;
			continue;
		}
		if (best == NULL || is_better(walk->wish, unit, list[i].distance_m, best_unit, best->distance_m)) {
			best = &list[i];
			best_unit = unit;
		}
	}
	return best;
}

/* Not the whole struct: most of it is room for units. */
static void plan_clear(struct plan *plan)
{
	plan->count = 0;
	plan->ranks = plan->penalties = 0;
	plan->is_floor_met = false;
}

static void plan_unit(struct plan *plan, struct cursor *cursor)
{
	plan->units[plan->count++] = cursor->queue->units[cursor->position++];
	plan->ranks += cursor->rank;
	plan->penalties += cursor->penalty;
	if (cursor->bin->designated_for == NULL)
		cursor->bin->shelf->planned++;
}

/* Those of one penalty are merged; then comes the next penalty. */
static void fill_from_rank(const struct walk *walk, size_t quantity, struct plan *plan)
{
	const struct cursors *cursors = &walk->cursors;
	for (size_t from = 0; from < cursors->count && plan->count < quantity;) {
		size_t end = from;
		while (end < cursors->count && cursors->list[end].penalty == cursors->list[from].penalty)
			end++;
		struct cursor *best = find_best(walk, cursors->list + from, end - from, plan);
		if (best == NULL)
			from = end;
		else
			plan_unit(plan, best);
	}
}

/* Fills a plan up from suppliers[from, to), rank by rank. */
static void fill_plan(struct walk *walk, size_t from, size_t to, size_t quantity, struct plan *plan)
{
	for (int32_t rank = 0; rank < RANKS_MAX && plan->count < quantity; rank++) {
		cursors_find(walk->wish, walk->concession, rank, from, to, walk->arena, &walk->cursors);
		for (size_t i = 0; i < walk->cursors.count; i++)
			walk->cursors.list[i].bin->shelf->planned = 0;
		fill_from_rank(walk, quantity, plan);
	}
}

/* An emergency goes from the near banks to the far ones, others look at all at once. */
static void fill_pooled(struct walk *walk, size_t quantity, struct plan *plan)
{
	const struct supplier *suppliers = walk->wish->wanted->suppliers;
	size_t count = walk->wish->wanted->suppliers_count;
	plan_clear(plan);
	for (size_t from = 0; from < count;) {
		size_t to = from + 1;
		while (to < count
			&& (!walk->wish->recipient.is_emergency
				|| suppliers[to].distance_m == suppliers[from].distance_m))
			to++;
		fill_plan(walk, from, to, quantity, plan);
		from = to;
	}
}

/* Suppliers come nearest first, so between equals the earlier one is better. */
static bool is_better_plan(const struct plan *a, const struct plan *b)
{
	if (a->ranks != b->ranks)
		return a->ranks < b->ranks;
	return a->penalties < b->penalties;
}

/* The best bank able to fill it all, or NULL; one of the two plans is used up. */
static const struct plan *plan_one_bank(struct walk *walk, size_t quantity, struct plan plans[2])
{
	struct plan *best = NULL;
	struct plan *next = &plans[0];
	for (size_t i = 0; i < walk->wish->wanted->suppliers_count; i++) {
		plan_clear(next);
		fill_plan(walk, i, i + 1, quantity, next);
		if (next->count < quantity || (best != NULL && !is_better_plan(next, best)))
			continue;
		best = next;
		next = next == &plans[0] ? &plans[1] : &plans[0];
		if (walk->wish->recipient.is_emergency)
			break; /* the nearest will do */
	}
	return best;
}

static void add_picks(const struct plan *plan, unsigned int concession, struct picks *picks)
{
	for (size_t i = 0; i < plan->count && picks->count < PICKS_MAX; i++)
		picks->list[picks->count++] = (struct pick){ plan->units[i], concession };
	picks->is_floor_met = picks->is_floor_met || plan->is_floor_met;
}

void source_units(const struct wish *wish, unsigned int concession, size_t quantity, struct shelves *shelves,
	struct arena *arena, struct picks *picks)
{
	assert(quantity <= PICKS_MAX);
	struct walk walk = { .wish = wish, .shelves = shelves, .arena = arena, .concession = concession };
	struct plan plans[2];
	const struct plan *plan = plan_one_bank(&walk, quantity, plans);
	if (plan == NULL) {
		fill_pooled(&walk, quantity, &plans[0]);
		plan = &plans[0];
	}
	add_picks(plan, concession, picks);
}
