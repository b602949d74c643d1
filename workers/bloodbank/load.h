/* How a batch is loaded: what it needs is collected, then everything is read behind the shelves' locks. */
#pragma once

#include "need.h"
#include "state.h"
#include "worker.h"

/* Answers that are under way. -1: not asked for. */
struct tickets {
	int shelves, stock, bins, services, banks, requests, waiting, units;
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

/* Locks and reads all that is needed, and gives the need back. */
enum outcome load_finish(struct load *load, struct why *why);
