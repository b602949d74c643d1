/* A hospital took a request back: what it holds is free again, and what waits for that is served. */
#include <string.h>

#include "backorder.h"
#include "bloodbank.h"
#include "release.h"
#include "state.h"

/* Units of one request. */
struct holding {
	struct bag **bags;
	size_t count;
};

static size_t count_given(const struct request *request)
{
	size_t count = 0;
	for (const struct decision_record *decision = request->decisions; decision != NULL;
		 decision = decision->next)
		if (decision_approval(decision) != NULL)
			count += decision_approval(decision)->units_count;
	return count;
}

/* A unit may have been given, released, and given again. */
static void add_held(struct holding *holding, const struct request *request, struct bag *bag)
{
	if (bag->status != UNIT_STATUS_RESERVED || strcmp(bag->request_id, request->request_id) != 0)
		return;
	for (size_t i = 0; i < holding->count; i++)
		if (holding->bags[i] == bag)
			return;
	holding->bags[holding->count++] = bag;
}

/* Of all that a request was given, what it holds. False: some was given after the batch had looked, and is not loaded. */
static bool find_held(const struct state *state, const struct request *request, struct holding *holding)
{
	*holding = (struct holding){ arena_array(state->arena, count_given(request), sizeof(struct bag *)), 0 };
	for (const struct decision_record *decision = request->decisions; decision != NULL;
		 decision = decision->next) {
		const struct bloodbank_blood_approved *approval = decision_approval(decision);
		for (size_t i = 0; approval != NULL && i < approval->units_count; i++) {
			struct bag *bag = state_bag(state, approval->units[i].unit_id);
			if (bag == NULL)
				return false;
			add_held(holding, request, bag);
		}
	}
	return true;
}

static void cancel(struct state *state, struct request *request, const struct holding *holding,
	struct outbox *outbox)
{
	request->progress = PROGRESS_CANCELLED;
	if (holding->count == 0) {
		request_touch(request);
		return;
	}
	release_held(state, request, holding->bags, holding->count, RELEASE_REASON_CANCELLED, outbox);
	backorders_fill(state, request->asked->component, outbox);
}

/* The request itself is still on its way: it will find this. */
static void bury(struct state *state, const char *request_id)
{
	struct ending *ending = state_ending(state, request_id);
	ending->is_new = ending->is_new || !ending->is_buried;
	ending->is_buried = true;
}

enum outcome decide_cancelled(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	struct state *state = batch->state;
	const struct hospital_blood_cancelled *cancelled = message->body;
	struct request *request = state_request(state, cancelled->request_id);
	struct holding holding;
	(void)why;
	if (request == NULL)
		bury(state, cancelled->request_id);
	else if (request->progress == PROGRESS_REJECTED || request->progress == PROGRESS_CANCELLED)
		return DONE;
	else if (find_held(state, request, &holding))
		cancel(state, request, &holding, outbox);
	else
		batch->wants_more = true;
	batch->wants_more = batch->wants_more || state->shelves.wants_more || state->wants_more_waiting;
	return DONE;
}
