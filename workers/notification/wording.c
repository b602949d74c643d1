/* One function for each kind of notification. */
#include "wording.h"

#include <string.h>

#include "clock.h"
#include "text.h"

static const char *units(int64_t count)
{
	return count == 1 ? "unit" : "units";
}

const char *wording_requested(const struct hospital_blood_requested *requested, struct arena *arena)
{
	return arena_print(arena, "Request received: %d %s of %s %s, %s. Request %s", (int)requested->quantity,
		units(requested->quantity), component_name(requested->component), blood_group_name(requested->group),
		urgency_name(requested->urgency), requested->request_id);
}

const char *wording_refused(const struct hospital_blood_refused *refused, struct arena *arena)
{
	bool has_request = refused->request_id != NULL, has_detail = refused->detail != NULL;
	return text_cut(arena_print(arena, "Refused: %s%s%s, %s%s%s", refused->command,
		has_request ? " for request " : "", has_request ? refused->request_id : "",
		request_refusal_name(refused->reason), has_detail ? ": " : "", has_detail ? refused->detail : ""));
}

const char *wording_cancelled(const struct hospital_blood_cancelled *cancelled, struct arena *arena)
{
	return arena_print(arena, "Request %s was cancelled; what was not issued is free again",
		cancelled->request_id);
}

const char *wording_expired(const struct hospital_request_updated *updated, struct arena *arena)
{
	return arena_print(arena, "Request %s expired: its units were not taken in time and are free again",
		updated->request_id);
}

const char *wording_approved(const struct bloodbank_blood_approved *approved, struct arena *arena)
{
	bool is_partial = approved->decision == DECISION_PARTIAL;
	return arena_print(arena, "Request %s is approved%s: %d of %d %s reserved, %d of them now%s",
		approved->request_id, is_partial ? " in part" : "", (int)approved->quantity_allocated,
		(int)approved->quantity_requested, units(approved->quantity_requested), (int)approved->units_count,
		approved->backordered == 0 ? ""
								   : arena_print(arena, "; %d %s back-ordered", (int)approved->backordered,
									   approved->backordered == 1 ? "is" : "are"));
}

const char *wording_rejected(const struct bloodbank_blood_rejected *rejected, struct arena *arena)
{
	bool has_detail = rejected->detail != NULL;
	return text_cut(arena_print(arena, "Request %s is rejected, %s%s%s", rejected->request_id,
		rejection_name(rejected->reason), has_detail ? ": " : "", has_detail ? rejected->detail : ""));
}

const char *wording_allocated(const struct bloodbank_blood_approved *approved, const char *bank_id,
	struct arena *arena)
{
	struct sentence sentence;
	sentence_begin(&sentence,
		arena_print(arena, "Emergency at %s, request %s: these units are reserved for it",
			approved->hospital_id, approved->request_id));
	for (size_t i = 0; i < approved->units_count; i++) {
		const struct allocated_unit *unit = &approved->units[i];
		if (strcmp(unit->bank_id, bank_id) == 0)
			sentence_add(&sentence,
				arena_print(arena, "%s (%s %s)", unit->unit_id, component_name(unit->component),
					blood_group_name(unit->group)));
	}
	return sentence_end(&sentence, arena);
}

const char *wording_alert(const struct alert *alert, struct arena *arena)
{
	const char *days =
		alert->has_days_of_stock ? arena_print(arena, ", %.1f days", alert->days_of_stock) : "";
	return arena_print(arena, "Stock %s: %s %s, %d %s available%s; the threshold is %.1f %s", alert->level,
		blood_group_name(alert->group), component_name(alert->component), (int)alert->available,
		units(alert->available), days, alert->threshold, alert->is_in_days ? "days" : "units");
}

/* A slot's id ends with its day and wall time: ".20300304.0900" (contract). */
static const char *wall_time(const char *slot_id, struct arena *arena)
{
	enum { TIME_CHARACTERS = 13 };
	const char *at = slot_id + strlen(slot_id) - TIME_CHARACTERS;
	return arena_print(arena, "%.4s-%.2s-%.2s %.2s:%.2s", at, at + 4, at + 6, at + 9, at + 11);
}

const char *wording_booked(const struct appointment_slot_booked *booked, struct arena *arena)
{
	return arena_print(arena, "Booked: %s (%s), %s at %s. Appointment %s", wall_time(booked->slot_id, arena),
		booked->zone, booked->provider_id, booked->clinic_id, booked->appointment_id);
}

const char *wording_appointment_cancelled(const struct appointment_slot_cancelled *cancelled,
	struct arena *arena)
{
	return arena_print(arena, "Cancelled: %s (%s), %s at %s. Appointment %s",
		wall_time(cancelled->slot_id, arena), cancelled->zone, cancelled->provider_id, cancelled->clinic_id,
		cancelled->appointment_id);
}

const char *wording_moved(const struct appointment_slot_moved *moved, struct arena *arena)
{
	return arena_print(arena, "Moved: now %s (%s), %s at %s; it was %s. Appointment %s",
		wall_time(moved->slot_id, arena), moved->zone, moved->provider_id, moved->clinic_id,
		wall_time(moved->from_slot_id, arena), moved->appointment_id);
}

const char *wording_flagged(const struct flagged_appointment *flagged, const char *provider_id,
	struct arena *arena)
{
	return arena_print(arena, "%s is away on %s, at %s: move or cancel appointment %s", provider_id,
		wall_time(flagged->slot_id, arena), flagged->clinic_id, flagged->appointment_id);
}

const char *wording_offered(const struct appointment_slot_offered *offered, struct arena *arena)
{
	char until[TIME_TEXT_BYTES];
	time_print(offered->held_until, until);
	return arena_print(arena, "Offered: %s (%s), %s at %s, kept until %s. Book slot %s to accept",
		wall_time(offered->slot_id, arena), offered->zone, offered->provider_id, offered->clinic_id, until,
		offered->slot_id);
}

const char *wording_offer_expired(const struct appointment_slot_offer_expired *expired, struct arena *arena)
{
	return arena_print(arena, "The offer of %s, %s at %s, is over; you stay on the waitlist",
		wall_time(expired->slot_id, arena), expired->provider_id, expired->clinic_id);
}

const char *wording_escalated(const struct notice *notice, int64_t waited_us, struct arena *arena)
{
	return text_cut(arena_print(arena, "Not acknowledged by role %s within %d minutes: %s", notice->role,
		(int)(waited_us / (60 * MICROSECONDS_PER_SECOND)), notice->text));
}
