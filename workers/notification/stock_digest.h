/* Changes of a bank's stock, gathered while its window is open and told together. */
#pragma once

#include "audience.h"

/* One component and group at one bank, as it was last heard of. */
struct shelf {
	const char *bank_id;
	enum component component;
	enum blood_group group;
	int64_t available; /* units */
	int64_t version;   /* 0: not known yet */
	bool is_waiting;   /* changed since the bank was last told */
	bool is_changed;   /* since it was loaded */
};

/* A bank's window: it opens with the first change and is told when it is over. */
struct window {
	const char *bank_id;
	int64_t opened_at; /* 0: closed */
	bool is_stored;    /* has its row already */
};

/* Takes a newer state of the shelf in, and opens the window unless it is open. An older state changes nothing. */
void stock_digest_gather(struct shelf *shelf, struct window *window,
	const struct bloodbank_inventory_updated *updated, int64_t now);

bool stock_digest_is_due(const struct window *window, const struct rules *rules, int64_t now);

/* What is to be told when the window is over; `shelves` are this bank's. NULL: nothing waits to be told. */
struct notice *stock_digest_notice(const struct window *window, const struct shelf *shelves,
	size_t shelves_count, const struct rules *rules, int64_t now, struct arena *arena);

/* It was told: the next change opens the next window. */
void stock_digest_close(struct window *window, struct shelf *shelves, size_t shelves_count);
