/* What a batch of messages, or a timer, is about. */
#pragma once

#include "stock_digest.h"

struct state {
	const struct rules *rules;
	struct notice *notices; /* by id; each once */
	size_t notices_count;
	struct notice *created, **created_last; /* in this batch, in the order of their creation */
	struct shelf *shelves;                  /* by bank, component, group; each once */
	size_t shelves_count;
	struct window *windows; /* by bank; each once */
	size_t windows_count;
	struct notice **due; /* of a timer: emergencies to escalate */
	size_t due_count;
	bool is_more_due;
	struct arena *arena;
};

struct state *state_new(const struct batch *batch);

/* Sorts what was listed, and leaves out what was listed twice. */
void state_index(struct state *state);

/* NULL when the batch is not about it. */
struct notice *state_notice(const struct state *state, const char *notification_id);
struct shelf *state_shelf(const struct state *state, const char *bank_id, enum component component,
	enum blood_group group);
struct window *state_window(const struct state *state, const char *bank_id);

/* The shelves of one bank, side by side. Returns how many. */
size_t state_shelves_of(const struct state *state, const char *bank_id, struct shelf **first);

/* Adds the notification unless it is there, by its key. Its item in the state, or NULL: it was there. */
struct notice *state_create(struct state *state, const struct notice *notice);
