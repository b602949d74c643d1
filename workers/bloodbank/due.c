/* What time brings: scheduled requests to allocate, reservations that end, units that expire. */
#include <string.h>

#include "backorder.h"
#include "bloodbank.h"
#include "decision.h"
#include "release.h"
#include "state.h"

bool is_more_due(const struct batch *batch)
{
	const struct state *state = batch->state;
	return state->is_more_due;
}

/* A run that changed nothing isn't followed by another at once: it would get no further. */
static void finish_run(struct batch *batch, bool is_progress)
{
	struct state *state = batch->state;
	state->is_more_due = state->is_more_due && is_progress;
	batch->wants_more = state->shelves.wants_more || state->wants_more_waiting;
}

/* Between the look at what is due and the locks, another process may have decided it. */
void decide_due_requests(struct batch *batch, struct outbox *outbox)
{
	struct state *state = batch->state;
	bool is_progress = false;
	for (size_t i = 0; i < state->due_requests_count; i++) {
		struct request *request = state->due_requests[i];
		if (request->progress != PROGRESS_SCHEDULED || request->allocate_at > state->now)
			continue;
		decide_due_request(state, request, outbox);
		is_progress = true;
	}
	finish_run(batch, is_progress);
}

/* As it was loaded, not yet dealt with, and its time has come. */
static bool is_due(const struct state *state, const struct bag *bag)
{
	if (bag->status != bag->before)
		return false;
	if (bag->status == UNIT_STATUS_RESERVED)
		return bag->reserved_until <= state->now && state_request(state, bag->request_id) != NULL;
	return bag->status == UNIT_STATUS_AVAILABLE && bag->unit.expires_at <= state->now;
}

/* All due units of one request end together, in one event. */
static void end_reservations(struct state *state, struct request *request, size_t from, struct outbox *outbox)
{
	struct bag **bags = arena_array(state->arena, state->due_bags_count - from, sizeof(struct bag *));
	size_t count = 0;
	for (size_t i = from; i < state->due_bags_count; i++) {
		struct bag *bag = state->due_bags[i];
		if (bag->status == UNIT_STATUS_RESERVED && is_due(state, bag)
			&& strcmp(bag->request_id, request->request_id) == 0)
			bags[count++] = bag;
	}
	release_held(state, request, bags, count, RELEASE_REASON_EXPIRED, outbox);
}

/* Those that the allocator has seen on its shelves were counted out there; of the others it knows the counter only. */
static void expire_available(struct state *state, struct bag *bag, struct outbox *outbox)
{
	const struct unit *unit = &bag->unit;
	struct bank *bank = shelves_bank(&state->shelves, unit->bank_id);
	struct bin *bin = shelves_bin(&state->shelves, bank, unit->component, unit->group, unit->attributes,
		unit->designated_for);
	if (shelves_find(&state->shelves, unit->unit_id) == NULL)
		bin_count(bin, bin->available_count - 1);
	release_unit(state, bag);
	send_expired(bag, outbox, NULL);
}

void decide_due_units(struct batch *batch, struct outbox *outbox)
{
	struct state *state = batch->state;
	bool is_touched[COMPONENTS] = { false };
	bool is_progress = false;
	for (size_t i = 0; i < state->due_bags_count; i++) {
		struct bag *bag = state->due_bags[i];
		if (!is_due(state, bag))
			continue;
		is_touched[bag->unit.component] = true;
		is_progress = true;
		if (bag->status == UNIT_STATUS_AVAILABLE)
			expire_available(state, bag, outbox);
		else
			end_reservations(state, state_request(state, bag->request_id), i, outbox);
	}
	for (size_t component = 0; component < COMPONENTS; component++)
		if (is_touched[component])
			backorders_fill(state, (enum component)component, outbox);
	finish_run(batch, is_progress);
}
