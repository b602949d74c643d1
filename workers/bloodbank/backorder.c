/* Filling back-orders in the order of priority. */
#include "backorder.h"

#include <stdlib.h>

#include "decision.h"
#include "priority.h"

struct place {
	struct waiting waiting;
	struct request *request;
	const struct state *state;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *left = a;
	const struct place *right = b;
	return priority_compare(left->state->rules, &left->waiting, &right->waiting, left->state->now);
}

static size_t line_up(struct state *state, enum component component, struct place places[])
{
	size_t count = 0;
	for (size_t i = 0; i < state->waiting_count; i++) {
		struct request *request = state->waiting[i];
		if (request->asked->component == component && request->progress == PROGRESS_WAITING
			&& !state_is_ending(state, request->request_id))
			places[count++] =
				(struct place){ { request->asked->urgency, request->received_at, request->request_id },
					request, state };
	}
	qsort(places, count, sizeof(*places), compare_places);
	return count;
}

/* What lies on the shelves of that component, for anyone. */
static int64_t count_available(const struct state *state, enum component component)
{
	int64_t available = 0;
	for (size_t i = 0; i < state->shelves.banks_count; i++)
		for (size_t group = 0; group < BLOOD_GROUPS; group++)
			available += state->shelves.banks[i]->shelves[component][group].available_count;
	return available;
}

void backorders_fill(struct state *state, enum component component, struct outbox *outbox)
{
	struct place *places = arena_array(state->arena, state->waiting_count, sizeof(*places));
	size_t count = line_up(state, component, places);
	for (size_t i = 0; i < count; i++)
		decide_more(state, places[i].request, outbox);
	if (state->is_waiting_truncated && count_available(state, component) > 0)
		state->wants_more_waiting = true;
}
