/* Facts and the people whom they concern. */
#include "audience.h"

#include <string.h>

#include "alert.h"
#include "telling.h"
#include "wording.h"

struct notice *audience_notice(const struct fact *fact, const struct rules *rules, int64_t now,
	struct arena *arena)
{
	bool is_history = fact->happened_at != 0 && fact->happened_at < now - rules->kept_us;
	if (fact->facility_id == NULL || is_history)
		return NULL;
	struct notice *notice = arena_new(arena, sizeof(*notice));
	*notice = (struct notice){
		.facility_id = fact->facility_id,
		.role = fact->role,
		.recipient_ref = fact->recipient_ref,
		.kind = fact->kind,
		.is_emergency = fact->is_emergency,
		.entity = fact->entity,
		.transition = fact->transition,
		.text = fact->text,
		.created_at = now,
		.escalate_at = fact->is_emergency ? now + rules->acknowledge_within_us : 0,
	};
	notice->notification_id = notice_id(notice, arena);
	return notice;
}

void tell(struct telling *telling, struct fact fact)
{
	const struct message *message = telling->message;
	fact.role = telling->row->role;
	fact.kind = telling->row->kind;
	if (!telling->row->is_to_patient)
		fact.recipient_ref = NULL;
	struct notice *notice = audience_notice(&fact, telling->rules, message->now, message->arena);
	if (notice == NULL)
		return;
	notice->correlation_id = message->correlation_id;
	notice->traceparent = message->traceparent;
	*telling->last = notice;
	telling->last = &notice->next;
}

static const char *request_entity(struct arena *arena, const char *request_id)
{
	return arena_print(arena, "request:%s", request_id);
}

static void tell_requested(struct telling *telling)
{
	const struct hospital_blood_requested *requested = telling->message->body;
	struct arena *arena = telling->message->arena;
	tell(telling,
		(struct fact){
			.facility_id = requested->hospital_id,
			.entity = request_entity(arena, requested->request_id),
			.transition = "requested",
			.text = wording_requested(requested, arena),
			.is_emergency = requested->urgency == URGENCY_EMERGENCY,
			.happened_at = requested->requested_at,
		});
}

/* Each refused command is a transition of its own. */
static void tell_refused(struct telling *telling)
{
	const struct hospital_blood_refused *refused = telling->message->body;
	struct arena *arena = telling->message->arena;
	tell(telling,
		(struct fact){
			.facility_id = refused->hospital_id,
			.entity = refused->request_id == NULL ? arena_print(arena, "command:%s", refused->causation)
												  : request_entity(arena, refused->request_id),
			.transition = arena_print(arena, "refused:%s", refused->causation),
			.text = wording_refused(refused, arena),
		});
}

/* The banks learn it from the units that are free again. */
static void tell_cancelled(struct telling *telling)
{
	const struct hospital_blood_cancelled *cancelled = telling->message->body;
	struct arena *arena = telling->message->arena;
	tell(telling,
		(struct fact){
			.facility_id = cancelled->hospital_id,
			.entity = request_entity(arena, cancelled->request_id),
			.transition = "cancelled",
			.text = wording_cancelled(cancelled, arena),
			.is_emergency = cancelled->urgency == URGENCY_EMERGENCY,
			.happened_at = cancelled->cancelled_at,
		});
}

/* Of a request's states only the one that no other event tells of. */
static void tell_expired(struct telling *telling)
{
	const struct hospital_request_updated *updated = telling->message->body;
	struct arena *arena = telling->message->arena;
	if (updated->status != REQUEST_STATUS_EXPIRED)
		return;
	tell(telling,
		(struct fact){
			.facility_id = updated->hospital_id,
			.entity = request_entity(arena, updated->request_id),
			.transition = "expired",
			.text = wording_expired(updated, arena),
			.is_emergency = updated->urgency == URGENCY_EMERGENCY,
		});
}

static const char *approved_transition(struct arena *arena, const struct bloodbank_blood_approved *approved)
{
	return arena_print(arena, "approved:%d", (int)approved->allocation_no);
}

/* Each allocation is a transition: the first decision, then what fills a back-order or replaces a lost unit. */
static void tell_approved(struct telling *telling)
{
	const struct bloodbank_blood_approved *approved = telling->message->body;
	struct arena *arena = telling->message->arena;
	tell(telling,
		(struct fact){
			.facility_id = approved->hospital_id,
			.entity = request_entity(arena, approved->request_id),
			.transition = approved_transition(arena, approved),
			.text = wording_approved(approved, arena),
			.is_emergency = approved->urgency == URGENCY_EMERGENCY,
			.happened_at = approved->decided_at,
		});
}

static bool is_first_of_its_bank(const struct bloodbank_blood_approved *approved, size_t unit)
{
	for (size_t i = 0; i < unit; i++)
		if (strcmp(approved->units[i].bank_id, approved->units[unit].bank_id) == 0)
			return false;
	return true;
}

/* An emergency's units have to leave at once: each bank that holds some is told of its own. */
static void tell_banks(struct telling *telling)
{
	const struct bloodbank_blood_approved *approved = telling->message->body;
	struct arena *arena = telling->message->arena;
	for (size_t i = 0; i < approved->units_count && approved->urgency == URGENCY_EMERGENCY; i++)
		if (is_first_of_its_bank(approved, i))
			tell(telling,
				(struct fact){
					.facility_id = approved->units[i].bank_id,
					.entity = request_entity(arena, approved->request_id),
					.transition = approved_transition(arena, approved),
					.text = wording_allocated(approved, approved->units[i].bank_id, arena),
					.is_emergency = true,
					.happened_at = approved->decided_at,
				});
}

static void tell_rejected(struct telling *telling)
{
	const struct bloodbank_blood_rejected *rejected = telling->message->body;
	struct arena *arena = telling->message->arena;
	tell(telling,
		(struct fact){
			.facility_id = rejected->hospital_id,
			.entity = request_entity(arena, rejected->request_id),
			.transition = "rejected",
			.text = wording_rejected(rejected, arena),
			.is_emergency = rejected->urgency == URGENCY_EMERGENCY,
			.happened_at = rejected->decided_at,
		});
}

static void tell_stock(struct telling *telling)
{
	struct arena *arena = telling->message->arena;
	const struct alert alert = alert_of(telling->message);
	tell(telling,
		(struct fact){
			.facility_id = alert.bank_id,
			.entity = arena_print(arena, "stock:%s/%s/%s", alert.bank_id, component_name(alert.component),
				blood_group_name(alert.group)),
			.transition = arena_print(arena, "%s:%lld", alert.level, (long long)alert.version),
			.text = wording_alert(&alert, arena),
			.happened_at = alert.at,
		});
}

static const struct row rows[] = {
	{ HOSPITAL_BLOOD_REQUESTED, "hospital", "request_received", false, tell_requested },
	{ HOSPITAL_BLOOD_REFUSED, "hospital", "request_refused", false, tell_refused },
	{ HOSPITAL_BLOOD_CANCELLED, "hospital", "request_cancelled", false, tell_cancelled },
	{ HOSPITAL_REQUEST_UPDATED, "hospital", "request_expired", false, tell_expired },
	{ BLOODBANK_BLOOD_APPROVED, "hospital", "request_approved", false, tell_approved },
	{ BLOODBANK_BLOOD_APPROVED, "bank", "emergency_allocated", false, tell_banks },
	{ BLOODBANK_BLOOD_REJECTED, "hospital", "request_rejected", false, tell_rejected },
	{ BLOODBANK_STOCK_LOW, "bank", "stock_low", false, tell_stock },
	{ BLOODBANK_STOCK_CRITICAL, "bank", "stock_critical", false, tell_stock },
	{ BLOODBANK_STOCK_RECOVERED, "bank", "stock_recovered", false, tell_stock },
	{ APPOINTMENT_SLOT_BOOKED, "clinic", "appointment_booked", false, tell_booked },
	{ APPOINTMENT_SLOT_BOOKED, "patient", "appointment_booked", true, tell_booked },
	{ APPOINTMENT_SLOT_CANCELLED, "clinic", "appointment_cancelled", false, tell_appointment_cancelled },
	{ APPOINTMENT_SLOT_CANCELLED, "patient", "appointment_cancelled", true, tell_appointment_cancelled },
	{ APPOINTMENT_SLOT_MOVED, "clinic", "appointment_moved", false, tell_moved },
	{ APPOINTMENT_SLOT_MOVED, "patient", "appointment_moved", true, tell_moved },
	{ APPOINTMENT_SCHEDULE_BLOCKED, "clinic", "provider_away", false, tell_flagged },
	{ APPOINTMENT_SCHEDULE_BLOCKED, "patient", "provider_away", true, tell_flagged },
	{ APPOINTMENT_SLOT_OFFERED, "clinic", "slot_offered", false, tell_offered },
	{ APPOINTMENT_SLOT_OFFERED, "patient", "slot_offered", true, tell_offered },
	{ APPOINTMENT_SLOT_OFFER_EXPIRED, "patient", "offer_expired", true, tell_offer_expired },
};

struct notice *audience_notices(const struct message *message, const struct rules *rules)
{
	struct telling telling = { .message = message, .rules = rules };
	telling.last = &telling.first;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		telling.row = &rows[i];
		if (rows[i].event == message->event)
			rows[i].tell(&telling);
	}
	return telling.first;
}
