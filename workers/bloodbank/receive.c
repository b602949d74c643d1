/* Units arrive at a bank: all of a command are taken in, or none. Then what waits for them is served. */
#include "arrival.h"
#include "backorder.h"
#include "bloodbank.h"
#include "state.h"

/* What the allocator knows of it. */
static struct unit as_unit(const struct arrival *arrival, const struct stored_unit *stored_unit)
{
	return (struct unit){
		.unit_id = stored_unit->unit_id,
		.bank_id = arrival->command->bank_id,
		.designated_for = stored_unit->designated_for,
		.antigens = stored_unit->antigens,
		.antigens_count = stored_unit->antigens_count,
		.codes = stored_unit->attributes,
		.codes_count = stored_unit->attributes_count,
		.collected_at = stored_unit->collected_at,
		.expires_at = stored_unit->expires_at,
		.attributes = attribute_set_of_unit(stored_unit->attributes, stored_unit->attributes_count,
			stored_unit->antigens, stored_unit->antigens_count),
		.component = stored_unit->component,
		.group = stored_unit->group,
	};
}

static void take_in(struct arrival *arrival, const struct stored_unit *stored_unit)
{
	struct state *state = arrival->state;
	if (state_bag(state, stored_unit->unit_id) != NULL)
		return;
	struct unit unit = as_unit(arrival, stored_unit);
	struct bag *bag = state_add_bag(state, &unit, (enum unit_status)0);
	bag->facts = stored_unit;
	state_change_unit(state, bag, stored_unit->initial_status, NULL, 0);
	if (bag->status == UNIT_STATUS_AVAILABLE)
		shelves_insert(&state->shelves, &bag->unit);
}

static void send_received(const struct arrival *arrival, struct outbox *outbox)
{
	const struct bloodbank_unit_received body = {
		.bank_id = arrival->command->bank_id,
		.units = arrival->units,
		.units_count = arrival->command->units_count,
		.received_by = arrival->command->received_by,
		.received_at = arrival->state->now,
		.has_received_at = true,
	};
	outbox_answer(outbox, BLOODBANK_UNIT_RECEIVED, &body, false);
}

static void send_refused(const struct arrival *arrival, const struct message *message, struct outbox *outbox)
{
	const char *unit_ids[] = { arrival->unit_id };
	const struct bloodbank_unit_refused body = {
		.bank_id = arrival->command->bank_id,
		.unit_ids = unit_ids,
		.unit_ids_count = arrival->unit_id != NULL,
		.command = event_type(message->event)->name,
		.causation = message->message_id,
		.reason = arrival->refusal,
		.detail = arrival->detail,
		.state = arrival->met,
	};
	outbox_answer(outbox, BLOODBANK_UNIT_REFUSED, &body, false);
}

enum outcome decide_receive(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	struct state *state = batch->state;
	const struct bloodbank_unit_receive *command = message->body;
	struct arrival arrival;
	bool has_come[COMPONENTS] = { false };
	(void)why;
	if (!arrival_check(state, command, &arrival)) {
		send_refused(&arrival, message, outbox);
		return DONE;
	}
	for (size_t i = 0; i < command->units_count; i++) {
		take_in(&arrival, &arrival.units[i]);
		has_come[command->units[i].component] = true;
	}
	send_received(&arrival, outbox);
	for (size_t component = 0; component < COMPONENTS; component++)
		if (has_come[component])
			backorders_fill(state, (enum component)component, outbox);
	batch->wants_more = batch->wants_more || state->shelves.wants_more || state->wants_more_waiting;
	return DONE;
}

void refuse_receive(const struct message *message, const char *reason, const char *detail,
	struct outbox *outbox)
{
	const struct bloodbank_unit_receive *command = message->body;
	const struct bloodbank_unit_refused body = {
		.bank_id = command->bank_id,
		.command = event_type(message->event)->name,
		.causation = message->message_id,
		.reason = unit_refusal_find(reason),
		.detail = detail,
	};
	outbox_answer(outbox, BLOODBANK_UNIT_REFUSED, &body, false);
}
