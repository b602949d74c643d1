/* From rows to the state of a batch: one function for each statement that reads. */
#pragma once

#include "database.h"
#include "outcome.h"
#include "state.h"

enum {
	WAITING_MAX = 65536
}; /* back-orders of one component and urgency looked at; the rest is served at the next arrival */

/* The locked shelves: their banks are those the batch may choose from. REJECT: more banks than one batch can hold. */
enum outcome read_shelves(struct state *state, const struct rows *rows, struct why *why);
void read_stock(struct state *state, const struct rows *rows);
void read_bins(struct state *state, const struct rows *rows);
void read_services(struct state *state, const struct rows *rows);
void read_banks(struct state *state, const struct rows *rows);
void read_tombstones(struct state *state, const struct rows *rows);
void read_blind(struct state *state, const struct rows *rows);

/* Requests with their decisions. STOP: a body that our own schema refuses. */
enum outcome read_requests(struct state *state, const struct rows *rows, struct why *why);

/* Requests that wait; `limit` is what was asked for of each component and urgency. */
enum outcome read_waiting(struct state *state, const struct rows *rows, int64_t limit, struct why *why);

/* Units by their id: bags. */
void read_units(struct state *state, const struct rows *rows);

/* Units to choose from; `bins` are those that were asked for, in that order. */
void read_candidates(struct state *state, const struct rows *rows, const struct bin *const bins[],
	enum shelf_order order);
void read_designated(struct state *state, const struct rows *rows);
