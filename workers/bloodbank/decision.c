/* From the allocator's choice to reserved units, changed request and event. */
#include "decision.h"

#include "allocation.h"

/* Sends a decision and keeps it; `body` is in the arena. */
static void answer(struct state *state, struct request *request, enum event event, const void *body,
	struct outbox *outbox)
{
	const char *text = outbox_event(outbox, event, body, request->request_id, request->version,
		request->asked->urgency == URGENCY_EMERGENCY, &request->origin);
	request_add_decision(state, request,
		&(struct decision_record){
			.event = event,
			.version = request->version,
			.body = text,
			.content = body,
			.is_new = true,
		});
}

static void reserve(struct state *state, const struct request *request, const struct allocation *allocation)
{
	for (size_t i = 0; i < allocation->units_count; i++) {
		const struct unit *unit = allocation->chosen[i];
		struct bag *bag = state_bag(state, unit->unit_id);
		if (bag == NULL)
			bag = state_add_bag(state, unit, UNIT_STATUS_AVAILABLE);
		state_change_unit(state, bag, UNIT_STATUS_RESERVED, request->request_id,
			allocation->units[i].reserved_until);
	}
}

static void count_blind(struct state *state, struct request *request, const struct allocation *allocation)
{
	const struct patient *patient = request->asked->patient;
	request->blind_o_negative += allocation->blind_o_negative;
	if (allocation->blind_o_negative > 0 && patient != NULL && patient->ref != NULL)
		state_patient(state, patient->ref)->blind_o_negative += allocation->blind_o_negative;
}

static void approve(struct state *state, struct request *request, struct allocation *allocation,
	struct outbox *outbox)
{
	reserve(state, request, allocation);
	count_blind(state, request, allocation);
	request_touch(request);
	request->allocated += (int64_t)allocation->units_count;
	request->allocation_no++;
	request->progress = request_missing(request) > 0 ? PROGRESS_WAITING : PROGRESS_SETTLED;
	if (request->progress == PROGRESS_WAITING)
		state_list_waiting(state, request);
	struct bloodbank_blood_approved *body = arena_new(state->arena, sizeof(*body));
	*body = (struct bloodbank_blood_approved){
		.request_id = request->request_id,
		.hospital_id = request->asked->hospital_id,
		.urgency = request->asked->urgency,
		.decision = request->progress == PROGRESS_WAITING ? DECISION_PARTIAL : DECISION_FULL,
		.allocation_no = request->allocation_no,
		.quantity_requested = request->asked->quantity,
		.quantity_allocated = request->allocated,
		.backordered = request_missing(request),
		.units = allocation->units,
		.units_count = allocation->units_count,
		.warnings = allocation->warnings,
		.warnings_count = allocation->warnings_count,
		.rules_version = allocation->rules_version,
		.decided_at = state->now,
	};
	answer(state, request, BLOODBANK_BLOOD_APPROVED, body, outbox);
}

static void refuse(struct state *state, struct request *request, const struct allocation *allocation,
	struct outbox *outbox)
{
	request_touch(request);
	request->progress = PROGRESS_REJECTED;
	struct bloodbank_blood_rejected *body = arena_new(state->arena, sizeof(*body));
	*body = (struct bloodbank_blood_rejected){
		.request_id = request->request_id,
		.hospital_id = request->asked->hospital_id,
		.urgency = request->asked->urgency,
		.decision = DECISION_REJECTED,
		.reason = allocation->reason,
		.detail = allocation->detail,
		.rules_version = allocation->rules_version,
		.decided_at = state->now,
	};
	answer(state, request, BLOODBANK_BLOOD_REJECTED, body, outbox);
}

static void decide_first(struct state *state, struct request *request, struct outbox *outbox)
{
	struct allocation allocation;
	struct wanted wanted = state_wanted(state, request, false);
	allocate(state->rules, &wanted, &state->shelves, state->now, state->arena, &allocation);
	if (allocation.decision == DECISION_REJECTED)
		refuse(state, request, &allocation, outbox);
	else
		approve(state, request, &allocation, outbox);
}

/* The hospital took it back before it was heard here, or while it was on its way. */
static void refuse_cancelled(struct state *state, struct request *request, struct outbox *outbox)
{
	const struct allocation allocation = {
		.reason = REJECTION_CANCELLED,
		.detail = "the hospital cancelled it before it was decided",
		.rules_version = state->rules->version,
	};
	refuse(state, request, &allocation, outbox);
}

/* Nobody waits for days to hear that the hospital is unknown or the group is missing: that is decided at once. */
void decide_new_request(struct state *state, struct request *request, struct outbox *outbox)
{
	if (state_is_ending(state, request->request_id)) {
		refuse_cancelled(state, request, outbox);
		return;
	}
	request->allocate_at = allocation_due_at(state->rules, request->asked, state->now);
	struct wanted wanted = state_wanted(state, request, false);
	bool is_later = request->allocate_at > state->now
		&& !allocation_is_refused(state->rules, &wanted, state->now, state->arena);
	if (is_later) {
		request_touch(request);
		request->progress = PROGRESS_SCHEDULED;
	} else {
		decide_first(state, request, outbox);
	}
}

void decide_due_request(struct state *state, struct request *request, struct outbox *outbox)
{
	decide_first(state, request, outbox);
}

bool decide_more(struct state *state, struct request *request, struct outbox *outbox)
{
	struct allocation allocation;
	struct wanted wanted = state_wanted(state, request, true);
	allocate(state->rules, &wanted, &state->shelves, state->now, state->arena, &allocation);
	if (allocation.decision == DECISION_REJECTED || allocation.units_count == 0)
		return false;
	approve(state, request, &allocation, outbox);
	return true;
}

void repeat_decisions(const struct request *request, struct outbox *outbox)
{
	for (const struct decision_record *record = request->decisions; record != NULL; record = record->next)
		outbox_event(outbox, record->event, record->content, request->request_id, record->version,
			request->asked->urgency == URGENCY_EMERGENCY, &request->origin);
}
