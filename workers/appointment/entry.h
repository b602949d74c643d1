/* An entry of the waitlist: a patient who would take a slot that becomes free. It waits, is offered one, and ends booked or left. */
#pragma once

#include "slot.h"

enum entry_status { ENTRY_WAITING, ENTRY_OFFERED, ENTRY_BOOKED, ENTRY_LEFT };

struct entry {
	const char *waitlist_id;
	int64_t version;
	enum entry_status status;
	const char *provider_id;
	const char *patient_ref;
	const char *from, *to; /* as they were said; NULL: open */
	int64_t priority;      /* higher ones first */
	int64_t joined_at;
	const char *slot_id; /* that is offered; NULL: none */
	const char *correlation_id;
	const char *traceparent;
	bool is_stored, is_changed;
};

/* A day or a time, as a patient says it. */
struct moment {
	const char *date; /* NULL: a time */
	int64_t at;
};

const char *entry_status_name(enum entry_status status);
enum entry_status entry_status_find(const char *name);

/* False: neither a day nor a time. */
bool moment_read(const char *text, struct moment *moment);

/* Whether the slot is within what the patient can take. */
bool entry_wants(const struct entry *entry, const struct slot *slot);

/* Whether `a` comes before `b`. */
bool entry_precedes(const struct entry *a, const struct entry *b);

/* Each raises the version. */
void entry_offer(struct entry *entry, const char *slot_id);
void entry_end_offer(struct entry *entry);
void entry_end(struct entry *entry, enum entry_status status);
