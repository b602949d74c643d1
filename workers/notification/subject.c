/* Every notification that a message can lead to has a known id, so that all can be looked for at once. */
#include "subject.h"

static const char *named_notification(const struct message *message)
{
	if (message->event == NOTIFICATION_MESSAGE_CREATED)
		return ((const struct notification_message_created *)message->body)->notification_id;
	if (message->event == NOTIFICATION_MESSAGE_ACKNOWLEDGE)
		return ((const struct notification_message_acknowledge *)message->body)->notification_id;
	return NULL;
}

static void list_stock(struct state *state, const struct message *message)
{
	const struct bloodbank_inventory_updated *updated = message->body;
	state->shelves[state->shelves_count++] = (struct shelf){
		.bank_id = updated->bank_id,
		.component = updated->component,
		.group = updated->group,
	};
	state->windows[state->windows_count++].bank_id = updated->bank_id;
}

static size_t list_length(const struct notice *notice)
{
	size_t length = 0;
	for (; notice != NULL; notice = notice->next)
		length++;
	return length;
}

static void list_notices(struct state *state, const struct batch *batch, struct notice *const told[])
{
	size_t count = batch->count; /* those that are named */
	for (size_t i = 0; i < batch->count; i++)
		count += list_length(told[i]);
	state->notices = arena_array(state->arena, count, sizeof(*state->notices));
	for (size_t i = 0; i < batch->count; i++) {
		const char *named = named_notification(batch->messages[i]);
		if (named != NULL)
			state->notices[state->notices_count++].notification_id = named;
		for (const struct notice *notice = told[i]; notice != NULL; notice = notice->next)
			state->notices[state->notices_count++].notification_id = notice->notification_id;
	}
}

struct state *subject_state(const struct batch *batch)
{
	struct state *state = state_new(batch);
	struct notice **told = arena_array(state->arena, batch->count, sizeof(*told));
	state->shelves = arena_array(state->arena, batch->count, sizeof(*state->shelves));
	state->windows = arena_array(state->arena, batch->count, sizeof(*state->windows));
	for (size_t i = 0; i < batch->count; i++) {
		told[i] = audience_notices(batch->messages[i], state->rules);
		if (batch->messages[i]->event == BLOODBANK_INVENTORY_UPDATED)
			list_stock(state, batch->messages[i]);
	}
	list_notices(state, batch, told);
	state_index(state);
	return state;
}
