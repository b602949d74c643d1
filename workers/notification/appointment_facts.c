/* Facts about appointments: the clinic is told, and the patient, each once for each transition. */
#include "telling.h"
#include "wording.h"

static const char *appointment_entity(struct arena *arena, const char *appointment_id)
{
	return arena_print(arena, "appointment:%s", appointment_id);
}

void tell_booked(struct telling *telling)
{
	const struct appointment_slot_booked *booked = telling->message->body;
	struct arena *arena = telling->message->arena;
	tell(telling,
		(struct fact){
			.facility_id = booked->clinic_id,
			.recipient_ref = booked->patient_ref,
			.entity = appointment_entity(arena, booked->appointment_id),
			.transition = "booked",
			.text = wording_booked(booked, arena),
			.happened_at = booked->booked_at,
		});
}

void tell_appointment_cancelled(struct telling *telling)
{
	const struct appointment_slot_cancelled *cancelled = telling->message->body;
	struct arena *arena = telling->message->arena;
	tell(telling,
		(struct fact){
			.facility_id = cancelled->clinic_id,
			.recipient_ref = cancelled->patient_ref,
			.entity = appointment_entity(arena, cancelled->appointment_id),
			.transition = "cancelled",
			.text = wording_appointment_cancelled(cancelled, arena),
			.happened_at = cancelled->ended_at,
		});
}

/* Each move is a transition of its own, also back to where it was. */
void tell_moved(struct telling *telling)
{
	const struct appointment_slot_moved *moved = telling->message->body;
	struct arena *arena = telling->message->arena;
	tell(telling,
		(struct fact){
			.facility_id = moved->clinic_id,
			.recipient_ref = moved->patient_ref,
			.entity = appointment_entity(arena, moved->appointment_id),
			.transition = arena_print(arena, "moved:%lld", (long long)moved->version),
			.text = wording_moved(moved, arena),
		});
}

/* Whoever is told that the provider is away at that time is not told again because the absence became longer. */
void tell_flagged(struct telling *telling)
{
	const struct appointment_schedule_blocked *blocked = telling->message->body;
	struct arena *arena = telling->message->arena;
	for (size_t i = 0; i < blocked->flagged_count; i++) {
		const struct flagged_appointment *flagged = &blocked->flagged[i];
		tell(telling,
			(struct fact){
				.facility_id = flagged->clinic_id,
				.recipient_ref = flagged->patient_ref,
				.entity = appointment_entity(arena, flagged->appointment_id),
				.transition = arena_print(arena, "provider_away:%s", flagged->slot_id),
				.text = wording_flagged(flagged, blocked->provider_id, arena),
			});
	}
}

/* A slot can be offered to the same patient again, later. */
void tell_offered(struct telling *telling)
{
	const struct appointment_slot_offered *offered = telling->message->body;
	struct arena *arena = telling->message->arena;
	tell(telling,
		(struct fact){
			.facility_id = offered->clinic_id,
			.recipient_ref = offered->patient_ref,
			.entity = arena_print(arena, "waitlist:%s", offered->waitlist_id),
			.transition =
				arena_print(arena, "offered:%s:%lld", offered->slot_id, (long long)offered->version),
			.text = wording_offered(offered, arena),
			.happened_at = offered->held_until,
		});
}

void tell_offer_expired(struct telling *telling)
{
	const struct appointment_slot_offer_expired *expired = telling->message->body;
	struct arena *arena = telling->message->arena;
	tell(telling,
		(struct fact){
			.facility_id = expired->clinic_id,
			.recipient_ref = expired->patient_ref,
			.entity = arena_print(arena, "waitlist:%s", expired->waitlist_id),
			.transition =
				arena_print(arena, "offer_expired:%s:%lld", expired->slot_id, (long long)expired->version),
			.text = wording_offer_expired(expired, arena),
		});
}
