/* Demand: the allocator's walk over the bins, with counters in place of units. */
#include "demand.h"

#include "sourcing.h"

enum {
	SLACK_UNITS = 4,  /* for units that expire before they are needed */
	PICKY_FACTOR = 8, /* units looked at for each one found, when units of one bin differ */
	DEEPER_UNITS_FIRST = 8,
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

/* What one bank would give by the counters. */
struct forecast {
	int64_t given, ranks, penalties;
};

/*
 * How many more units a bin will have, up to `quantity`. The bank that is taken from is asked for all that the batch takes;
 * a bank that is only compared with it must show the next units, again and again the same.
 */
static int64_t ask_bin(const struct asking *asking, struct bin *bin, int64_t quantity, bool is_taken)
{
	int64_t given = smaller(quantity, count_left(asking->wish, bin));
	struct queue *queue = &bin->queues[asking->wish->order];
	ask_for_oldest(asking->wish, bin->shelf);
	if (given <= 0)
		return 0;
	size_t shown = SLACK_UNITS + (size_t)(bin->demanded + given) * asking->factor;
	if (queue->asked < shown)
		queue->asked = shown;
	if (is_taken) {
		bin->demanded += given;
		bin->shelf->planned += given;
	}
	return given;
}

/* The supplier's units in the wish's order. */
static struct forecast ask_supplier(struct asking *asking, unsigned int concession, size_t supplier,
	int64_t quantity, bool is_taken)
{
	struct forecast forecast = { 0 };
	for (int32_t rank = 0; rank < RANKS_MAX && forecast.given < quantity; rank++) {
		struct cursors *cursors = &asking->cursors;
		cursors_find(asking->wish, concession, rank, supplier, supplier + 1, asking->arena, cursors);
		for (size_t i = 0; i < cursors->count && forecast.given < quantity; i++) {
			const struct cursor *cursor = &cursors->list[i];
			int64_t given = ask_bin(asking, cursor->bin, quantity - forecast.given, is_taken);
			forecast.given += given;
			forecast.ranks += given * cursor->rank;
			forecast.penalties += given * cursor->penalty;
		}
	}
	return forecast;
}

static bool is_better(const struct forecast *a, const struct forecast *b)
{
	return a->ranks != b->ranks ? a->ranks < b->ranks : a->penalties < b->penalties;
}

/* The supplier that will most probably give it all, as sourcing chooses it; the number of suppliers when none is able. */
static size_t find_source(struct asking *asking, unsigned int concession, int64_t quantity)
{
	const struct wish *wish = asking->wish;
	size_t count = wish->wanted->suppliers_count, source = count;
	struct forecast best = { 0 };
	for (size_t i = 0; i < count; i++) {
		struct forecast forecast = ask_supplier(asking, concession, i, quantity, false);
		if (forecast.given < quantity || (source < count && !is_better(&forecast, &best)))
			continue;
		source = i;
		best = forecast;
		if (wish->recipient.is_emergency)
			break;
	}
	return source;
}

/* Where no bank is able to fill it all, each may have to give all it has. */
static int64_t ask_all(struct asking *asking, unsigned int concession, int64_t quantity)
{
	size_t count = asking->wish->wanted->suppliers_count;
	size_t source = find_source(asking, concession, quantity);
	if (source < count)
		return ask_supplier(asking, concession, source, quantity, true).given;
	int64_t given = 0;
	for (size_t i = 0; i < count; i++)
		given += ask_supplier(asking, concession, i, quantity, true).given;
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

void demand_deeper(struct shelves *shelves, unsigned round)
{
	size_t deeper = (size_t)DEEPER_UNITS_FIRST << (DEMAND_DEEPER_SHIFT * round);
	for (struct bin *bin = shelves->bins; bin != NULL; bin = bin->next_of_all)
		for (enum shelf_order order = 0; order < SHELF_ORDERS; order++)
			if (bin->queues[order].asked < deeper)
				bin->queues[order].asked = deeper;
}
