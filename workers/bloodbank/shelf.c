/* Shelves: filling, sorting, taking. */
#include "shelf.h"

#include <assert.h>
#include <string.h>

enum {
	INDEX_SIZE_FIRST = 256,
	QUEUE_CAPACITY_FIRST = 16,
};

void shelves_init(struct shelves *shelves, struct arena *arena)
{
	*shelves = (struct shelves){ .arena = arena };
}

static struct bank *new_bank(struct shelves *shelves, const char *bank_id)
{
	struct bank *bank = arena_new(shelves->arena, sizeof(*bank));
	bank->bank_id = arena_text(shelves->arena, bank_id);
	for (size_t component = 0; component < COMPONENTS; component++) {
		for (size_t group = 0; group < BLOOD_GROUPS; group++) {
			struct shelf *shelf = &bank->shelves[component][group];
			shelf->bank = bank;
			shelf->component = (enum component)component;
			shelf->group = (enum blood_group)group;
		}
	}
	return bank;
}

static struct bank *find_bank(const struct shelves *shelves, const char *bank_id)
{
	for (size_t i = 0; i < shelves->banks_count; i++)
		if (strcmp(shelves->banks[i]->bank_id, bank_id) == 0)
			return shelves->banks[i];
	return NULL;
}

struct bank *shelves_bank(struct shelves *shelves, const char *bank_id)
{
	struct bank *bank = find_bank(shelves, bank_id);
	if (bank != NULL || shelves->banks_count == BANKS_MAX)
		return bank;
	bank = new_bank(shelves, bank_id);
	shelves->banks[shelves->banks_count++] = bank;
	return bank;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

struct bin *shelves_bin(struct shelves *shelves, struct bank *bank, enum component component,
	enum blood_group group, uint32_t attributes, const char *designated_for)
{
	struct shelf *shelf = &bank->shelves[component][group];
	for (struct bin *bin = shelf->bins; bin != NULL; bin = bin->next)
		if (bin->attributes == attributes && same_text(bin->designated_for, designated_for))
			return bin;
	struct bin *bin = arena_new(shelves->arena, sizeof(*bin));
	bin->shelf = shelf;
	bin->attributes = attributes;
	bin->designated_for = arena_text(shelves->arena, designated_for);
	bin->next = shelf->bins;
	shelf->bins = bin;
	bin->next_of_all = shelves->bins;
	shelves->bins = bin;
	return bin;
}

/* Counts `change` units of a bin in (or out). */
static void count_units(struct bin *bin, int64_t change)
{
	if (bin->designated_for != NULL)
		return;
	bin->available_count += change;
	bin->shelf->available_count += change;
}

void bin_count(struct bin *bin, int64_t available_count)
{
	count_units(bin, available_count - bin->available_count);
}

/* FNV-1a: identifiers come from outside, but no more than a batch's worth of them. */
static size_t hash_text(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return (size_t)hash;
}

/* The place of that id in the index, or the free place where it belongs. */
static struct unit **find_place(const struct shelves *shelves, const char *unit_id)
{
	size_t mask = shelves->index_size - 1;
	size_t place = hash_text(unit_id) & mask;
	while (shelves->index[place] != NULL && strcmp(shelves->index[place]->unit_id, unit_id) != 0)
		place = (place + 1) & mask;
	return &shelves->index[place];
}

static void grow_index(struct shelves *shelves)
{
	struct unit **old = shelves->index;
	size_t old_size = shelves->index_size;
	shelves->index_size = old_size == 0 ? INDEX_SIZE_FIRST : old_size * 2;
	shelves->index = arena_array(shelves->arena, shelves->index_size, sizeof(struct unit *));
	for (size_t i = 0; i < old_size; i++)
		if (old[i] != NULL)
			*find_place(shelves, old[i]->unit_id) = old[i];
}

struct unit *shelves_find(const struct shelves *shelves, const char *unit_id)
{
	return shelves->index_size == 0 ? NULL : *find_place(shelves, unit_id);
}

/* The shelves' own copy of a unit; `is_new` says whether it was made now. */
static struct unit *keep_unit(struct shelves *shelves, struct bank *bank, const struct unit *unit,
	bool *is_new)
{
	if (shelves->index_count * 2 >= shelves->index_size)
		grow_index(shelves);
	struct unit **place = find_place(shelves, unit->unit_id);
	*is_new = *place == NULL;
	if (!*is_new)
		return *place;
	struct unit *copy = arena_new(shelves->arena, sizeof(*copy));
	*copy = *unit;
	copy->bank_id = bank->bank_id;
	copy->is_taken = false;
	copy->bin =
		shelves_bin(shelves, bank, unit->component, unit->group, unit->attributes, unit->designated_for);
	shelves->index_count++;
	*place = copy;
	return copy;
}

static void make_room(struct shelves *shelves, struct queue *queue)
{
	if (queue->count < queue->capacity)
		return;
	size_t capacity = queue->capacity == 0 ? QUEUE_CAPACITY_FIRST : queue->capacity * 2;
	struct unit **units = arena_array(shelves->arena, capacity, sizeof(struct unit *));
	if (queue->count > 0)
		memcpy(units, queue->units, queue->count * sizeof(struct unit *));
	queue->units = units;
	queue->capacity = capacity;
}

bool shelves_add(struct shelves *shelves, const struct unit *unit, enum shelf_order order)
{
	struct bank *bank = find_bank(shelves, unit->bank_id);
	if (bank == NULL)
		return false;
	bool is_new;
	struct unit *kept = keep_unit(shelves, bank, unit, &is_new);
	struct queue *queue = &kept->bin->queues[order];
	make_room(shelves, queue);
	queue->units[queue->count++] = kept;
	return true;
}

/* Whether `a` comes before `b`. */
static bool is_before(const struct unit *a, const struct unit *b, enum shelf_order order)
{
	if (order == FRESHEST_FIRST && a->collected_at != b->collected_at)
		return a->collected_at > b->collected_at;
	if (order == OLDEST_FIRST && a->expires_at != b->expires_at)
		return a->expires_at < b->expires_at;
	return strcmp(a->unit_id, b->unit_id) < 0;
}

static bool is_sorted(const struct queue *queue, enum shelf_order order)
{
	for (size_t i = 1; i < queue->count; i++)
		if (!is_before(queue->units[i - 1], queue->units[i], order))
			return false;
	return true;
}

/* Merges from[low, middle) and from[middle, high), both sorted, to the same place in `to`. */
static void merge_runs(struct unit **from, struct unit **to, size_t low, size_t middle, size_t high,
	enum shelf_order order)
{
	size_t left = low;
	size_t right = middle;
	for (size_t i = low; i < high; i++) {
		bool is_right = left == middle || (right < high && is_before(from[right], from[left], order));
		to[i] = is_right ? from[right++] : from[left++];
	}
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Rows mostly come sorted; the merge sort is for those that don't. */
static void sort_queue(struct shelves *shelves, struct queue *queue, enum shelf_order order)
{
	if (is_sorted(queue, order))
		return;
	struct unit **from = queue->units;
	struct unit **to = arena_array(shelves->arena, queue->capacity, sizeof(struct unit *));
	for (size_t width = 1; width < queue->count; width *= 2) {
		for (size_t low = 0; low < queue->count; low += 2 * width)
			merge_runs(from, to, low, smaller(low + width, queue->count),
				smaller(low + 2 * width, queue->count), order);
		struct unit **swap = from;
		from = to;
		to = swap;
	}
	queue->units = from;
}

/* The same row loaded twice counts once. */
static void drop_doubles(struct queue *queue)
{
	size_t kept = 0;
	for (size_t i = 0; i < queue->count; i++)
		if (kept == 0 || queue->units[kept - 1] != queue->units[i])
			queue->units[kept++] = queue->units[i];
	queue->count = kept;
}

static int64_t count_expired(const struct queue *queue, int64_t now)
{
	int64_t expired = 0;
	for (size_t i = 0; i < queue->count && queue->units[i]->expires_at <= now; i++)
		expired++;
	return expired;
}

static void ready_bin(struct shelves *shelves, struct bin *bin, int64_t now)
{
	for (enum shelf_order order = 0; order < SHELF_ORDERS; order++) {
		struct queue *queue = &bin->queues[order];
		sort_queue(shelves, queue, order);
		drop_doubles(queue);
		queue->is_truncated = bin->designated_for == NULL && queue->count >= queue->asked
			&& (int64_t)queue->count < bin->available_count;
	}
	count_units(bin, -count_expired(&bin->queues[OLDEST_FIRST], now));
}

void shelves_ready(struct shelves *shelves, int64_t now)
{
	for (struct bin *bin = shelves->bins; bin != NULL; bin = bin->next_of_all)
		ready_bin(shelves, bin, now);
}

/* Behind the last unit of a truncated queue lies what was not loaded: there the new one isn't seen either. */
static void insert_sorted(struct shelves *shelves, struct queue *queue, struct unit *unit,
	enum shelf_order order)
{
	size_t place = queue->count;
	while (place > 0 && is_before(unit, queue->units[place - 1], order))
		place--;
	if (place == queue->count && queue->is_truncated)
		return;
	make_room(shelves, queue);
	memmove(queue->units + place + 1, queue->units + place, (queue->count - place) * sizeof(struct unit *));
	queue->units[place] = unit;
	queue->count++;
	if (queue->first > place)
		queue->first = place;
}

bool shelves_insert(struct shelves *shelves, const struct unit *unit)
{
	struct bank *bank = find_bank(shelves, unit->bank_id);
	if (bank == NULL)
		return false;
	bool is_new;
	struct unit *kept = keep_unit(shelves, bank, unit, &is_new);
	if (!is_new)
		return false;
	count_units(kept->bin, 1);
	for (enum shelf_order order = 0; order < SHELF_ORDERS; order++)
		insert_sorted(shelves, &kept->bin->queues[order], kept, order);
	return true;
}

void shelves_take(struct shelves *shelves, struct unit *unit)
{
	assert(!unit->is_taken);
	struct taken *taken = arena_new(shelves->arena, sizeof(*taken));
	taken->unit = unit;
	taken->before = shelves->taken;
	shelves->taken = taken;
	unit->is_taken = true;
	count_units(unit->bin, -1);
}

static void rewind_bin(struct bin *bin)
{
	for (enum shelf_order order = 0; order < SHELF_ORDERS; order++)
		bin->queues[order].first = 0;
}

void shelves_rewind(struct shelves *shelves)
{
	for (const struct taken *taken = shelves->taken; taken != NULL; taken = taken->before) {
		taken->unit->is_taken = false;
		count_units(taken->unit->bin, 1);
	}
	shelves->taken = NULL;
	shelves->wants_more = false;
	for (struct bin *bin = shelves->bins; bin != NULL; bin = bin->next_of_all)
		rewind_bin(bin);
}

void queue_settle(struct queue *queue)
{
	while (queue->first < queue->count && queue->units[queue->first]->is_taken)
		queue->first++;
}
