/* How a batch is loaded: what it needs is collected, then everything is read behind the shelves' locks. */
#pragma once

#include "need.h"
#include "state.h"
#include "worker.h"

/* Answers that are under way. -1: not asked for. */
struct tickets {
	int shelves, stock, bins, services, banks, requests, tombstones, waiting, units;
};

struct load {
	struct batch *batch;
	struct database *database;
	struct state *state;
	struct need need;
	struct tickets tickets;
};

/* An empty state for the batch, and an empty need to be filled. */
void load_start(struct load *load, struct batch *batch, struct database *database);

/* Sends a statement whose parameters are lists of the need, and one number or time behind them (or NULL). */
int load_send(struct load *load, const struct query *query, const enum need_list lists[], size_t count,
	struct parameter *last);

/* What the cancels of the batch may set free, and what waits for it. */
enum outcome load_cancelled(struct load *load, struct why *why);

/* Locks and reads all that is needed, and gives the need back. */
enum outcome load_finish(struct load *load, struct why *why);
