/* Demand: the allocator's walk over the bins, with counters in place of units. */
#include "demand.h"

#include "sourcing.h"

enum {
	SLACK_UNITS = 4,  /* for units that expire before they are needed */
	PICKY_FACTOR = 8, /* units looked at for each one found, when units of one bin differ */
	DEEPER_FACTOR = 4,
	DEEPER_UNITS_MIN = 64,
};

struct asking {
	const struct wish *wish;
	struct arena *arena;
	struct cursors cursors;
	size_t factor;
};

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What a bin can still give by the counters, the earlier requests of the batch served, its floor kept. */
static int64_t count_left(const struct wish *wish, const struct bin *bin)
{
	const struct shelf *shelf = bin->shelf;
	int64_t floor = wish->keeps_floor ? wish->rules->floors[shelf->component][shelf->group] : 0;
	return smaller(bin->available_count - bin->demanded, shelf->available_count - floor - shelf->planned);
}

/* A floor is measured against units in date: of each bin of its shelf the oldest must be seen. */
static void ask_for_oldest(const struct wish *wish, const struct shelf *shelf)
{
	if (!wish->keeps_floor || wish->rules->floors[shelf->component][shelf->group] == 0)
		return;
	for (struct bin *bin = shelf->bins; bin != NULL; bin = bin->next)
		if (bin->queues[OLDEST_FIRST].asked < SLACK_UNITS)
			bin->queues[OLDEST_FIRST].asked = SLACK_UNITS;
}

/* Asks a bin for up to `quantity` more units; how many it will have. */
static int64_t ask_bin(const struct asking *asking, struct bin *bin, int64_t quantity)
{
	int64_t given = smaller(quantity, count_left(asking->wish, bin));
	struct queue *queue = &bin->queues[asking->wish->order];
	ask_for_oldest(asking->wish, bin->shelf);
	if (given <= 0)
		return 0;
	bin->demanded += given;
	bin->shelf->planned += given;
	if (queue->asked == 0)
		queue->asked = SLACK_UNITS;
	queue->asked += (size_t)given * asking->factor;
	return given;
}

/* Any bank may have to fill it all: each is asked for the whole quantity, in the wish's order. */
static int64_t ask_supplier(struct asking *asking, unsigned int concession, size_t supplier, int64_t quantity)
{
	int64_t given = 0;
	for (int32_t rank = 0; rank < RANKS_MAX && given < quantity; rank++) {
		struct cursors *cursors = &asking->cursors;
		cursors_find(asking->wish, concession, rank, supplier, supplier + 1, asking->arena, cursors);
		for (size_t i = 0; i < cursors->count && given < quantity; i++)
			given += ask_bin(asking, cursors->list[i].bin, quantity - given);
	}
	return given;
}

static int64_t ask_all(struct asking *asking, unsigned int concession, int64_t quantity)
{
	int64_t given = 0;
	for (size_t i = 0; i < asking->wish->wanted->suppliers_count; i++)
		given += ask_supplier(asking, concession, i, quantity);
	return given;
}

static void ask_for(const struct rules *rules, const struct wanted *wanted, int64_t now, struct arena *arena)
{
	struct wish wish;
	wish_read(rules, wanted, now, arena, &wish);
	struct asking asking = {
		.wish = &wish, .arena = arena, .factor = wish_is_picky(&wish) ? PICKY_FACTOR : 1
	};
	int64_t left = wanted->quantity;
	for (unsigned int concession = 0; concession < CONCESSIONS_END && left > 0; concession++)
		if ((concession & ~wish.concessions) == 0)
			left -= ask_all(&asking, concession, left);
}

void demand_batch(const struct rules *rules, const struct wanted *wanted, size_t wanted_count, int64_t now,
	struct arena *arena, struct shelves *shelves)
{
	for (struct bin *bin = shelves->bins; bin != NULL; bin = bin->next_of_all) {
		bin->demanded = 0;
		bin->shelf->planned = 0;
	}
	for (size_t i = 0; i < wanted_count; i++)
		ask_for(rules, &wanted[i], now, arena);
}

void demand_deeper(const struct shelves *before, struct shelves *shelves)
{
	for (const struct bin *bin = before->bins; bin != NULL; bin = bin->next_of_all) {
		const struct shelf *shelf = bin->shelf;
		struct bank *bank = shelves_bank(shelves, shelf->bank->bank_id);
		if (bank == NULL)
			continue;
		struct bin *next =
			shelves_bin(shelves, bank, shelf->component, shelf->group, bin->attributes, bin->designated_for);
		for (enum shelf_order order = 0; order < SHELF_ORDERS; order++) {
			size_t asked = bin->queues[order].asked;
			if (bin->wants_more[order])
				asked = asked * DEEPER_FACTOR > DEEPER_UNITS_MIN ? asked * DEEPER_FACTOR : DEEPER_UNITS_MIN;
			next->queues[order].asked = asked;
		}
	}
}
