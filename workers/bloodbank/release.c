/* From a reservation that ends to a free unit, changed request and event. */
#include "release.h"

void release_unit(struct state *state, struct bag *bag)
{
	bool is_expired = bag->unit.expires_at <= state->now;
	state_change_unit(state, bag, is_expired ? UNIT_STATUS_EXPIRED : UNIT_STATUS_AVAILABLE, NULL, 0);
	if (!is_expired)
		shelves_insert(&state->shelves, &bag->unit);
}

void send_expired(const struct bag *bag, struct outbox *outbox, const struct origin *origin)
{
	const struct bloodbank_unit_expired body = {
		.unit_id = bag->unit.unit_id,
		.bank_id = bag->unit.bank_id,
		.component = bag->unit.component,
		.group = bag->unit.group,
		.expired_at = bag->unit.expires_at,
		.has_expired_at = true,
	};
	outbox_event(outbox, BLOODBANK_UNIT_EXPIRED, &body, bag->unit.unit_id, bag->version + 1, false, origin);
}

/* The clocks of two processes differ, but a release that seems older than its allocation would not end it. */
static int64_t released_at(const struct state *state, const struct request *request)
{
	int64_t moment = state->now;
	for (const struct decision_record *decision = request->decisions; decision != NULL;
		 decision = decision->next) {
		const struct bloodbank_blood_approved *approval = decision_approval(decision);
		if (approval != NULL && approval->decided_at >= moment)
			moment = approval->decided_at + 1;
	}
	return moment;
}

static void send_released(const struct state *state, const struct request *request, const char **unit_ids,
	size_t count, enum release_reason reason, struct outbox *outbox)
{
	const struct bloodbank_reservation_released body = {
		.request_id = request->request_id,
		.hospital_id = request->asked->hospital_id,
		.unit_ids = unit_ids,
		.unit_ids_count = count,
		.reason = reason,
		.quantity_allocated = request->allocated,
		.has_quantity_allocated = true,
		.backordered = request_missing(request),
		.has_backordered = true,
		.released_at = released_at(state, request),
		.has_released_at = true,
	};
	outbox_event(outbox, BLOODBANK_RESERVATION_RELEASED, &body, request->request_id, request->version, false,
		&request->origin);
}

/* The unit's own end comes first when it is what ended the reservation: then the request lost it, and gets another. */
static bool is_lost(const struct bag *bag, enum release_reason reason)
{
	return reason == RELEASE_REASON_EXPIRED && bag->reserved_until == bag->unit.expires_at;
}

/* Ends one unit's reservation in the request's books. */
static void take_from_request(struct state *state, struct request *request, bool is_lost_unit)
{
	request->allocated--;
	if (!is_lost_unit)
		request->lapsed++;
	if (request->progress == PROGRESS_CANCELLED)
		return;
	request->progress = request_missing(request) > 0 ? PROGRESS_WAITING : PROGRESS_SETTLED;
	if (request->progress == PROGRESS_WAITING)
		state_list_waiting(state, request);
}

void release_held(struct state *state, struct request *request, struct bag *const bags[], size_t count,
	enum release_reason reason, struct outbox *outbox)
{
	const char **unit_ids = arena_array(state->arena, count, sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		unit_ids[i] = bags[i]->unit.unit_id;
		take_from_request(state, request, is_lost(bags[i], reason));
		release_unit(state, bags[i]);
	}
	request_touch(request);
	send_released(state, request, unit_ids, count, reason, outbox);
	for (size_t i = 0; i < count; i++)
		if (bags[i]->status == UNIT_STATUS_EXPIRED)
			send_expired(bags[i], outbox, &request->origin);
}
