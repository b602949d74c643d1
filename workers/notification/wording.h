/*
 * What people read. Facilities, units, numbers and codes, never a person's name: what people wrote (a reason, a note) is left to the
 * request itself.
 */
#pragma once

#include "alert.h"
#include "notice.h"

const char *wording_requested(const struct hospital_blood_requested *requested, struct arena *arena);
const char *wording_refused(const struct hospital_blood_refused *refused, struct arena *arena);
const char *wording_cancelled(const struct hospital_blood_cancelled *cancelled, struct arena *arena);
const char *wording_expired(const struct hospital_request_updated *updated, struct arena *arena);
const char *wording_approved(const struct bloodbank_blood_approved *approved, struct arena *arena);
const char *wording_rejected(const struct bloodbank_blood_rejected *rejected, struct arena *arena);

/* To a bank: which of its units are meant. */
const char *wording_allocated(const struct bloodbank_blood_approved *approved, const char *bank_id,
	struct arena *arena);

const char *wording_alert(const struct alert *alert, struct arena *arena);

/* Days and times are the clinic's own. */
const char *wording_booked(const struct appointment_slot_booked *booked, struct arena *arena);
const char *wording_appointment_cancelled(const struct appointment_slot_cancelled *cancelled,
	struct arena *arena);
const char *wording_moved(const struct appointment_slot_moved *moved, struct arena *arena);
const char *wording_flagged(const struct flagged_appointment *flagged, const char *provider_id,
	struct arena *arena);
const char *wording_offered(const struct appointment_slot_offered *offered, struct arena *arena);
const char *wording_offer_expired(const struct appointment_slot_offer_expired *expired, struct arena *arena);

/* To a supervisor: what nobody acknowledged. */
const char *wording_escalated(const struct notice *notice, int64_t waited_us, struct arena *arena);
