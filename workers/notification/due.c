/* What time brings: windows that are over, emergencies that nobody acknowledged. */
#include "announce.h"
#include "escalation.h"
#include "notification.h"

bool is_more_due(const struct batch *batch)
{
	const struct state *state = batch->state;
	return state->is_more_due;
}

void decide_due_digests(struct batch *batch, struct outbox *outbox)
{
	struct state *state = batch->state;
	for (size_t i = 0; i < state->windows_count; i++) {
		struct window *window = &state->windows[i];
		struct shelf *shelves;
		size_t count = state_shelves_of(state, window->bank_id, &shelves);
		if (!stock_digest_is_due(window, state->rules, batch->now))
			continue;
		announce_new(state,
			stock_digest_notice(window, shelves, count, state->rules, batch->now, state->arena), outbox);
		stock_digest_close(window, shelves, count);
	}
}

/* Between the look at what is due and the locks, someone may have acknowledged it. */
void decide_due_escalations(struct batch *batch, struct outbox *outbox)
{
	struct state *state = batch->state;
	for (size_t i = 0; i < state->due_count; i++) {
		struct notice *notice = state->due[i];
		if (!escalation_is_due(notice, batch->now))
			continue;
		notice->escalate_at = 0;
		notice->is_changed = true;
		announce_new(state, escalation_notice(notice, state->rules, batch->now, state->arena), outbox);
	}
}

/* For timers whose loading was all that was to be done. */
void decide_nothing(struct batch *batch, struct outbox *outbox)
{
	(void)batch;
	(void)outbox;
}
