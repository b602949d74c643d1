/* Requests: their content, the facts about them, and their description. */
#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "holding.h"
#include "lifecycle.h"

enum { QUANTITY_MAX = 100 }; /* of the contract */

void requested_from_request(const struct hospital_blood_request *command, const char *request_id,
	struct hospital_blood_requested *out)
{
	*out = (struct hospital_blood_requested){
		.request_id = request_id,
		.order_id = command->order_id,
		.hospital_id = command->hospital_id,
		.component = command->component,
		.group = command->group,
		.quantity = command->quantity,
		.urgency = command->urgency,
		.needed_at = command->needed_at,
		.has_needed_at = command->has_needed_at,
		.attributes = command->attributes,
		.attributes_count = command->attributes_count,
		.max_age_days = command->max_age_days,
		.has_max_age_days = command->has_max_age_days,
		.patient = command->patient,
		.sample = command->sample,
		.signed_by = command->signed_by,
		.accept_partial = command->accept_partial,
		.overrides = command->overrides,
		.overrides_count = command->overrides_count,
		.requested_by = command->requested_by,
		.note = command->note,
	};
}

const char *request_content(const struct hospital_blood_requested *requested, struct arena *arena)
{
	struct hospital_blood_requested bare = *requested;
	bare.has_requested_at = false;
	bare.has_version = false;
	struct buffer text;
	buffer_init(&text);
	if (!schema_write(&hospital_blood_requested_schema, &bare, &text))
		abort(); /* it was read by the same schema */
	const char *content = arena_bytes(arena, buffer_text(&text), text.length_bytes);
	buffer_clear(&text);
	return content;
}

bool request_has_content(const struct request *request, const char *content)
{
	return request->content != NULL && strcmp(request->content, content) == 0;
}

static void note_change(struct request *request)
{
	request->version++;
	request->status = lifecycle_status(request);
	request->is_changed = true;
}

/* A sender's clock may be ahead of ours: what was asked was not asked later than now. */
static int64_t asked_at(const struct hospital_blood_requested *requested, int64_t now)
{
	return requested->has_requested_at && requested->requested_at < now ? requested->requested_at : now;
}

/* Emergencies never wait. */
static bool is_scheduled(const struct hospital_blood_requested *requested, int64_t now)
{
	return requested->has_needed_at && requested->urgency != URGENCY_EMERGENCY
		&& requested->needed_at > now + HOURS_US(LIFECYCLE_SCHEDULE_HOURS);
}

void request_fill(struct request *request, const struct hospital_blood_requested *requested,
	const char *content, int64_t now)
{
	request->content = content;
	request->order_id = requested->order_id;
	request->hospital_id = requested->hospital_id;
	request->component = requested->component;
	request->group = requested->group;
	request->urgency = requested->urgency;
	request->quantity = requested->quantity;
	request->needed_at = requested->needed_at;
	request->has_needed_at = requested->has_needed_at;
	request->requested_at = asked_at(requested, now);
	request->has_requested_at = true;
	request->is_scheduled = is_scheduled(requested, now);
	note_change(request);
}

void request_event(const struct request *request, struct arena *arena, struct hospital_blood_requested *out)
{
	struct why why;
	void *content;
	if (!schema_read(&hospital_blood_requested_schema, request->content, strlen(request->content), arena,
			&content, &why))
		abort(); /* it was written by the same schema, or a migration brought it there */
	*out = *(const struct hospital_blood_requested *)content;
	out->requested_at = request->requested_at;
	out->has_requested_at = true;
	out->version = 1;
	out->has_version = true;
}

/* What a decision tells of a request that was not heard yet. */
static void note_decision(struct request *request, const char *hospital_id, enum urgency urgency)
{
	if (request->hospital_id == NULL)
		request->hospital_id = hospital_id;
	if (request->urgency == URGENCY_NONE)
		request->urgency = urgency;
}

bool request_add_approval(struct request *request, const struct bloodbank_blood_approved *approved,
	struct arena *arena)
{
	struct allocation *allocation = arena_new(arena, sizeof(*allocation));
	*allocation = (struct allocation){
		.allocation_no = approved->allocation_no,
		.decision = approved->decision,
		.quantity_requested = approved->quantity_requested,
		.backordered = approved->backordered,
		.rules_version = approved->rules_version,
		.decided_at = approved->decided_at,
		.units = approved->units,
		.units_count = approved->units_count,
		.warnings = approved->warnings,
		.warnings_count = approved->warnings_count,
		.is_new = true,
	};
	if (!holding_add_allocation(request, allocation))
		return false;
	note_decision(request, approved->hospital_id, approved->urgency);
	note_change(request);
	return true;
}

bool request_add_rejection(struct request *request, const struct bloodbank_blood_rejected *rejected)
{
	if (request->reason != REJECTION_NONE)
		return false;
	request->reason = rejected->reason;
	request->detail = rejected->detail;
	request->rejected_at = rejected->decided_at;
	note_decision(request, rejected->hospital_id, rejected->urgency);
	note_change(request);
	return true;
}

bool request_add_release(struct request *request, const struct bloodbank_reservation_released *released,
	int64_t now, struct arena *arena)
{
	bool is_news = false;
	for (size_t i = 0; i < released->unit_ids_count; i++) {
		struct release *release = arena_new(arena, sizeof(*release));
		*release = (struct release){
			.unit_id = released->unit_ids[i],
			.released_at = released->has_released_at ? released->released_at : now,
			.reason = released->reason,
			.backordered = released->backordered,
			.has_backordered = released->has_backordered,
			.is_new = true,
		};
		is_news = holding_add_release(request, release) || is_news;
	}
	if (!is_news)
		return false;
	note_decision(request, released->hospital_id, URGENCY_NONE);
	note_change(request);
	return true;
}

bool request_add_cancellation(struct request *request, const struct hospital_blood_cancel *cancel,
	int64_t now, struct arena *arena)
{
	if (request->cancellation != NULL)
		return false;
	struct cancellation *cancellation = arena_new(arena, sizeof(*cancellation));
	request->cancellation = cancellation;
	note_change(request);
	*cancellation = (struct cancellation){
		.version = request->version,
		.reason = cancel->reason,
		.cancelled_by = cancel->cancelled_by,
		.cancelled_at = now,
		.hospital_id = request->hospital_id,
		.urgency = request->urgency,
		.is_new = true,
	};
	return true;
}

void request_cancelled_event(const struct request *request, struct hospital_blood_cancelled *out)
{
	const struct cancellation *cancellation = request->cancellation;
	*out = (struct hospital_blood_cancelled){
		.request_id = request->request_id,
		.hospital_id = cancellation->hospital_id,
		.urgency = cancellation->urgency,
		.reason = cancellation->reason,
		.cancelled_by = cancellation->cancelled_by,
		.cancelled_at = cancellation->cancelled_at,
		.has_cancelled_at = true,
		.version = cancellation->version,
		.has_version = true,
	};
}

static void describe_holding(const struct request *request, struct arena *arena,
	struct hospital_request_updated *out)
{
	struct allocated_unit units[HOLDING_UNITS_MAX];
	struct warning warnings[HOLDING_WARNINGS_MAX];
	out->units_count = holding_units(request, units);
	out->units = arena_array(arena, out->units_count, sizeof(units[0]));
	memcpy(out->units, units, out->units_count * sizeof(units[0]));
	out->warnings_count = holding_warnings(request, warnings);
	out->warnings = arena_array(arena, out->warnings_count, sizeof(warnings[0]));
	memcpy(out->warnings, warnings, out->warnings_count * sizeof(warnings[0]));
	out->quantity_allocated = out->units_count < QUANTITY_MAX ? (int64_t)out->units_count : QUANTITY_MAX;
}

static void describe_decisions(const struct request *request, struct hospital_request_updated *out)
{
	out->reason = request->reason;
	out->detail = request->detail;
	out->has_decided_at = request->reason != REJECTION_NONE;
	out->decided_at = out->has_decided_at ? request->rejected_at : 0;
	for (const struct allocation *allocation = request->allocations; allocation != NULL;
		 allocation = allocation->next) {
		if (!out->has_decided_at || allocation->decided_at > out->decided_at)
			out->decided_at = allocation->decided_at;
		out->has_decided_at = true;
	}
	if (out->quantity_requested == 0 && request->allocations != NULL)
		out->quantity_requested = request->allocations->quantity_requested;
}

void request_describe(const struct request *request, struct arena *arena,
	struct hospital_request_updated *out)
{
	*out = (struct hospital_request_updated){
		.request_id = request->request_id,
		.order_id = request->order_id,
		.hospital_id = request->hospital_id,
		.component = request->component,
		.group = request->group,
		.urgency = request->urgency,
		.version = request->version,
		.status = request->status,
		.quantity_requested = request->quantity,
		.needed_at = request->needed_at,
		.has_needed_at = request->has_needed_at,
		.requested_at = request->requested_at,
		.has_requested_at = request->has_requested_at,
		.cancelled_at = request->cancellation == NULL ? 0 : request->cancellation->cancelled_at,
		.has_cancelled_at = request->cancellation != NULL,
	};
	describe_decisions(request, out);
	describe_holding(request, arena, out);
}
