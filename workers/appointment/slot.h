/* A slot: a time of a provider that one patient can have. It is free, held for someone, booked, or blocked. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "events.h"

/* On what terms a provider can be booked at a clinic. */
struct terms {
	const char *provider_id, *clinic_id;
	int64_t version; /* 0: nothing was published yet */
	int64_t horizon_days;
	int64_t notice_minutes;
	int64_t cutoff_minutes;
	bool is_changed;
};

struct slot {
	const char *slot_id;
	int64_t version;
	const char *provider_id, *clinic_id;
	const char *room_id;          /* NULL: none */
	const char *appointment_type; /* NULL: any */
	const char *zone;             /* of the clinic */
	const char *date;             /* of the start, in wall time */
	int64_t starts_at, ends_at;
	bool is_blocked;            /* the provider is away */
	const char *appointment_id; /* who has it; NULL: nobody */
	int64_t held_until;         /* 0: not held */
	const char *held_for;       /* a patient's reference */
	const char *hold_token;     /* of the hold, or of the last one; NULL: an offer */
	const char *hold_correlation_id;
	const char *waitlist_id; /* the hold is an offer to this entry */
	bool is_stored;          /* has its row already */
	bool is_gone;            /* its row is to go */
	bool is_changed;         /* since it was loaded */
	bool is_listed_anew;     /* what the list of its day shows of it changed */
};

/* What someone brings along who wants a slot. */
struct claim {
	const char *patient_ref;
	const char *token; /* NULL: none */
};

enum slot_state slot_state(const struct slot *slot);
bool slot_overlaps(const struct slot *slot, int64_t from_at, int64_t to_at);

/* A hold whose time is over is there until it is ended, but keeps nobody out; an offer does, so that the next one gets it. */
bool slot_is_held(const struct slot *slot, int64_t now);

/* Why the slot cannot be had, by what is known of it and its terms; 0: it can. Who else is where is not looked at. */
enum appointment_refusal slot_refusal(const struct slot *slot, const struct terms *terms,
	const struct claim *claim, int64_t now);

/* Whether it is too late, or too early, to do something about it at all; 0: neither. */
enum appointment_refusal slot_time_refusal(const struct slot *slot, const struct terms *terms, int64_t now);

/* Why a hold cannot be given back with this token; 0: it can. */
enum appointment_refusal slot_release_refusal(const struct slot *slot, const char *token, int64_t now);

/* Each raises the version. */
void slot_hold(struct slot *slot, const char *patient_ref, int64_t until, const char *token,
	const char *correlation_id);
void slot_offer(struct slot *slot, const char *patient_ref, int64_t until, const char *waitlist_id);
void slot_end_hold(struct slot *slot);
void slot_take(struct slot *slot, const char *appointment_id); /* ends a hold as well */
void slot_leave(struct slot *slot);
void slot_block(struct slot *slot);
