/* Sourcing: cursors over bins, merged in the one total order, for one bank or for all. */
#include "sourcing.h"

#include <assert.h>
#include <string.h>

/* What one bank, or all together, would give. */
struct plan {
	struct unit *units[PICKS_MAX];
	size_t count;
	int64_t ranks, penalties; /* sums */
	bool is_floor_met;
};

/* A walk over the cursors for one plan. */
struct walk {
	const struct wish *wish;
	struct shelves *shelves;
	unsigned int concession;
	enum cursor_order order;
};

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* Whether cursors give units of the same class, which are merged by age. */
static int compare_classes(const struct cursor *a, const struct cursor *b, enum cursor_order order)
{
	int result = order == BY_DISTANCE ? compare_numbers(a->distance_m, b->distance_m) : 0;
	if (result == 0)
		result = compare_numbers(a->rank, b->rank);
	return result != 0 ? result : compare_numbers(a->penalty, b->penalty);
}

/* Insertion: there are a few dozen bins at most, and shelves come nearly in order. */
static void insert_cursor(struct cursors *cursors, struct cursor cursor, enum cursor_order order)
{
	size_t place = cursors->count++;
	while (place > 0 && compare_classes(&cursor, &cursors->list[place - 1], order) < 0) {
		cursors->list[place] = cursors->list[place - 1];
		place--;
	}
	cursors->list[place] = cursor;
}

/* Whether a bin may hold units that fall short in exactly this way. */
static bool may_hold(const struct wish *wish, const struct bin *bin, unsigned int concession)
{
	const struct donor *donor = &wish->compatibility.donors[bin->shelf->group];
	if ((donor->strict_attributes & ~bin->attributes) != 0)
		return false;
	if (bin->designated_for != NULL &&
		(wish->patient_ref == NULL || strcmp(bin->designated_for, wish->patient_ref) != 0))
		return false;
	unsigned int shared = wish_bin_concession(wish, bin);
	return (shared & ~concession) == 0 && (shared == concession || wish_is_picky(wish));
}

static bool is_bare(const struct bin *bin)
{
	return bin->designated_for == NULL && bin->available_count <= 0;
}

static void find_on_shelf(const struct wish *wish, size_t supplier, const struct shelf *shelf, unsigned int concession,
	enum cursor_order order, struct cursors *out)
{
	for (struct bin *bin = shelf->bins; bin != NULL; bin = bin->next) {
		struct queue *queue = &bin->queues[wish->order];
		if (is_bare(bin) || !may_hold(wish, bin, concession))
			continue;
		queue_settle(queue);
		struct cursor cursor = {
			.bin = bin,
			.queue = queue,
			.position = queue->first,
			.supplier = supplier,
			.distance_m = wish->wanted->suppliers[supplier].distance_m,
			.rank = wish->compatibility.donors[shelf->group].rank,
			.penalty = wish_penalty(wish, bin),
		};
		insert_cursor(out, cursor, order);
	}
}

static size_t count_bins(const struct wish *wish)
{
	size_t count = 0;
	for (size_t i = 0; i < wish->wanted->suppliers_count; i++) {
		const struct shelf *shelves = wish->wanted->suppliers[i].bank->shelves[wish->request->component];
		for (size_t group = 0; group < BLOOD_GROUPS; group++)
			for (const struct bin *bin = shelves[group].bins; bin != NULL; bin = bin->next)
				count++;
	}
	return count;
}

void cursors_find(const struct wish *wish, unsigned int concession, enum cursor_order order, struct arena *arena,
	struct cursors *out)
{
	*out = (struct cursors){ .list = arena_array(arena, count_bins(wish), sizeof(struct cursor)) };
	for (size_t i = 0; i < wish->wanted->suppliers_count; i++) {
		const struct shelf *shelves = wish->wanted->suppliers[i].bank->shelves[wish->request->component];
		for (size_t group = 0; group < BLOOD_GROUPS; group++)
			if (wish->compatibility.donors[group].is_compatible)
				find_on_shelf(wish, i, &shelves[group], concession, order, out);
	}
}

size_t cursors_class_end(const struct cursors *cursors, size_t from, enum cursor_order order)
{
	size_t end = from;
	while (end < cursors->count && compare_classes(&cursors->list[from], &cursors->list[end], order) == 0)
		end++;
	return end;
}

/* The next unit of a cursor that fits, or NULL; says so when there may be one that was not loaded. */
static struct unit *look_ahead(const struct walk *walk, struct cursor *cursor)
{
	for (; cursor->position < cursor->queue->count; cursor->position++) {
		struct unit *unit = cursor->queue->units[cursor->position];
		if (wish_can_use(walk->wish, unit) && wish_concession(walk->wish, unit) == walk->concession)
			return unit;
	}
	if (cursor->queue->is_truncated) {
		cursor->bin->wants_more[walk->wish->order] = true;
		walk->shelves->wants_more = true;
	}
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
		bin->wants_more[OLDEST_FIRST] = true;
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
	int result = wish->order == FRESHEST_FIRST ? compare_numbers(b->collected_at, a->collected_at) :
						     compare_numbers(a->expires_at, b->expires_at);
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

static void plan_unit(struct plan *plan, struct cursor *cursor)
{
	plan->units[plan->count++] = cursor->queue->units[cursor->position++];
	plan->ranks += cursor->rank;
	plan->penalties += cursor->penalty;
	if (cursor->bin->designated_for == NULL)
		cursor->bin->shelf->planned++;
}

/* Class by class, each merged; the cursors are used up. */
static void fill_plan(const struct walk *walk, struct cursors *cursors, size_t quantity, struct plan *plan)
{
	*plan = (struct plan){ .count = 0 };
	for (size_t i = 0; i < cursors->count; i++)
		cursors->list[i].bin->shelf->planned = 0;
	for (size_t from = 0; from < cursors->count && plan->count < quantity;) {
		size_t end = cursors_class_end(cursors, from, walk->order);
		struct cursor *best = find_best(walk, cursors->list + from, end - from, plan);
		if (best == NULL)
			from = end;
		else
			plan_unit(plan, best);
	}
}

/* The plan of one bank alone, on copies of its cursors. */
static void plan_bank(const struct walk *walk, const struct cursors *all, size_t supplier, size_t quantity,
	struct arena *arena, struct plan *plan)
{
	struct cursors own = { .list = arena_array(arena, all->count, sizeof(struct cursor)) };
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].supplier == supplier)
			own.list[own.count++] = all->list[i];
	fill_plan(walk, &own, quantity, plan);
}

/* Suppliers come nearest first, so between equals the earlier one is better. */
static bool is_better_plan(const struct plan *a, const struct plan *b)
{
	if (a->ranks != b->ranks)
		return a->ranks < b->ranks;
	return a->penalties < b->penalties;
}

/* The best bank able to fill it all; false when there is none. */
static bool plan_one_bank(const struct walk *walk, const struct cursors *cursors, size_t quantity, struct arena *arena,
	struct plan *best)
{
	bool is_found = false;
	struct plan plan;
	for (size_t i = 0; i < walk->wish->wanted->suppliers_count; i++) {
		plan_bank(walk, cursors, i, quantity, arena, &plan);
		if (plan.count < quantity || (is_found && !is_better_plan(&plan, best)))
			continue;
		*best = plan;
		is_found = true;
		if (walk->order == BY_DISTANCE)
			return true; /* an emergency: the nearest will do */
	}
	return is_found;
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
	enum cursor_order order = wish->recipient.is_emergency ? BY_DISTANCE : BY_RANK;
	struct walk walk = { wish, shelves, concession, order };
	struct cursors cursors;
	struct plan plan;
	cursors_find(wish, concession, order, arena, &cursors);
	if (wish->wanted->suppliers_count < 2 || !plan_one_bank(&walk, &cursors, quantity, arena, &plan))
		fill_plan(&walk, &cursors, quantity, &plan);
	add_picks(&plan, concession, picks);
}
