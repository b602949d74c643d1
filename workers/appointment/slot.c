/* The life of a slot. */
#include "slot.h"

#include <string.h>

#include "clock.h"

#define MINUTES_US(n) ((int64_t)(n)*60 * MICROSECONDS_PER_SECOND)

enum slot_state slot_state(const struct slot *slot)
{
	if (slot->appointment_id != NULL)
		return SLOT_STATE_BOOKED;
	if (slot->is_blocked)
		return SLOT_STATE_BLOCKED;
	return slot->held_until != 0 ? SLOT_STATE_HELD : SLOT_STATE_FREE;
}

bool slot_overlaps(const struct slot *slot, int64_t from_at, int64_t to_at)
{
	return slot->starts_at < to_at && from_at < slot->ends_at;
}

bool slot_is_held(const struct slot *slot, int64_t now)
{
	return slot->held_until != 0 && (slot->waitlist_id != NULL || slot->held_until > now);
}

enum appointment_refusal slot_time_refusal(const struct slot *slot, const struct terms *terms, int64_t now)
{
	if (slot->starts_at <= now || slot->starts_at < now + MINUTES_US(terms->notice_minutes))
		return APPOINTMENT_REFUSAL_TOO_LATE;
	if (slot->starts_at > now + DAYS_US(terms->horizon_days))
		return APPOINTMENT_REFUSAL_BEYOND_HORIZON;
	return APPOINTMENT_REFUSAL_NONE;
}

static bool is_token(const struct slot *slot, const char *token)
{
	return token != NULL && slot->hold_token != NULL && strcmp(slot->hold_token, token) == 0;
}

/* An offer is proven by who asks, a hold by its token and who asks. */
static enum appointment_refusal hold_refusal(const struct slot *slot, const struct claim *claim, int64_t now)
{
	if (!slot_is_held(slot, now))
		return claim->token != NULL ? APPOINTMENT_REFUSAL_HOLD_EXPIRED : APPOINTMENT_REFUSAL_NONE;
	bool is_for_them = strcmp(slot->held_for, claim->patient_ref) == 0;
	if (slot->waitlist_id != NULL && is_for_them)
		return slot->held_until > now ? APPOINTMENT_REFUSAL_NONE : APPOINTMENT_REFUSAL_HOLD_EXPIRED;
	if (claim->token == NULL)
		return APPOINTMENT_REFUSAL_HELD;
	return is_for_them && is_token(slot, claim->token) ? APPOINTMENT_REFUSAL_NONE
													   : APPOINTMENT_REFUSAL_NOT_OWNER;
}

enum appointment_refusal slot_refusal(const struct slot *slot, const struct terms *terms,
	const struct claim *claim, int64_t now)
{
	enum appointment_refusal reason = slot_time_refusal(slot, terms, now);
	if (reason != APPOINTMENT_REFUSAL_NONE)
		return reason;
	if (slot->appointment_id != NULL)
		return APPOINTMENT_REFUSAL_TAKEN;
	if (slot->is_blocked)
		return APPOINTMENT_REFUSAL_BLOCKED;
	return hold_refusal(slot, claim, now);
}

enum appointment_refusal slot_release_refusal(const struct slot *slot, const char *token, int64_t now)
{
	if (!slot_is_held(slot, now))
		return is_token(slot, token) ? APPOINTMENT_REFUSAL_HOLD_EXPIRED : APPOINTMENT_REFUSAL_WRONG_STATE;
	return is_token(slot, token) ? APPOINTMENT_REFUSAL_NONE : APPOINTMENT_REFUSAL_NOT_OWNER;
}

static void note_change(struct slot *slot)
{
	slot->version++;
	slot->is_changed = true;
	slot->is_listed_anew = true;
}

static void clear_hold(struct slot *slot)
{
	slot->held_until = 0;
	slot->held_for = NULL;
	slot->waitlist_id = NULL;
	slot->hold_correlation_id = NULL;
}

void slot_hold(struct slot *slot, const char *patient_ref, int64_t until, const char *token,
	const char *correlation_id)
{
	slot->held_until = until;
	slot->held_for = patient_ref;
	slot->hold_token = token;
	slot->hold_correlation_id = correlation_id;
	slot->waitlist_id = NULL;
	note_change(slot);
}

void slot_offer(struct slot *slot, const char *patient_ref, int64_t until, const char *waitlist_id)
{
	slot_hold(slot, patient_ref, until, NULL, NULL);
	slot->waitlist_id = waitlist_id;
}

void slot_end_hold(struct slot *slot)
{
	clear_hold(slot);
	note_change(slot);
}

void slot_take(struct slot *slot, const char *appointment_id)
{
	clear_hold(slot);
	slot->appointment_id = appointment_id;
	note_change(slot);
}

void slot_leave(struct slot *slot)
{
	slot->appointment_id = NULL;
	note_change(slot);
}

void slot_block(struct slot *slot)
{
	slot->is_blocked = true;
	note_change(slot);
}
