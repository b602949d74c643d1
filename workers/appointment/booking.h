/* An appointment as the worker keeps it: one patient at one slot, and how far it came. */
#pragma once

#include "arena.h"
#include "slot.h"

struct booking {
	const char *appointment_id;
	int64_t version;
	enum appointment_status status;
	const char *slot_id, *provider_id, *clinic_id;
	const char *room_id;          /* NULL: none */
	const char *zone;             /* of the clinic, when it was booked */
	const char *appointment_type; /* NULL: any */
	const char *date;
	int64_t starts_at, ends_at;
	const char *patient_ref;
	const char *content; /* what was asked, as canonical JSON */
	bool is_flagged;     /* the provider is away at that time */
	int64_t booked_at;
	int64_t arrived_at; /* 0: not */
	int64_t ended_at;   /* completed, missed or cancelled; 0: not */
	const char *ended_by;
	const char *reason; /* of a cancellation */
	const char *correlation_id;
	const char *traceparent;
	bool is_stored, is_changed;
};

/* Who wants to change an appointment, as far as is known. */
struct caller {
	const char *by;
	const char *facility_id; /* staff of; NULL: of none */
	const char *role;        /* NULL: unknown */
	const char *patient_ref; /* NULL: not a patient */
};

/* What was asked, without secrets: what is stored of a booking. */
const char *booking_content(const struct appointment_slot_book *command, struct arena *arena);

/* A new one; the slot becomes its own. */
void booking_make(struct booking *booking, struct slot *slot, int64_t now);

/* Whether it takes up time: of its provider, its patient, its room. */
bool booking_is_live(const struct booking *booking);
bool booking_overlaps(const struct booking *booking, const struct slot *slot);

/* Whether it is theirs: the patient's own, or of the clinic whose staff it is. */
bool booking_belongs_to(const struct booking *booking, const struct caller *caller);

/* Whether it is no longer to be cancelled or moved. */
bool booking_is_cut_off(const struct booking *booking, const struct terms *terms, int64_t now);

/* Each raises the version. */
void booking_move(struct booking *booking, struct slot *from, struct slot *to);
void booking_cancel(struct booking *booking, struct slot *slot, const char *by, const char *reason,
	int64_t now);
void booking_arrive(struct booking *booking, int64_t now);
void booking_end(struct booking *booking, enum appointment_status status, const char *by, int64_t now);
void booking_flag(struct booking *booking);

/* As others see it. */
void booking_describe(const struct booking *booking, struct arena *arena, struct appointment *out);
