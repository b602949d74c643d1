/* What a batch has to lock and load, gathered before anything is asked for. */
#pragma once

#include "database.h"
#include "period.h"
#include "state.h"

/* Where an appointment or an entry was when it was looked at without a lock. */
struct looked {
	bool is_found; /* else it was not there, and nothing else is known */
	const char *provider_id;
	const char *slot_id;     /* NULL: an entry to which nothing is offered */
	const char *patient_ref; /* of an appointment */
};

struct need {
	const struct batch *batch;
	struct arena *arena;
	const struct rules *rules;
	int64_t now;
	struct table looked_appointments, looked_entries; /* struct looked, by the ids that commands name */
	struct parameter commands;                        /* message ids */
	struct parameter keys;                            /* to lock */
	struct parameter appointments, entries;           /* named by commands */
	struct parameter slots, freed;                    /* freed: may be offered to those who wait */
	struct parameter wanted[2];                       /* slots, and the patients who want them */
	struct parameter providers, clinics;
	struct parameter ranges[3];   /* providers, and the times in which their slots are needed */
	struct parameter absences[3]; /* the same, of those whose appointments are needed too */
	struct parameter zones[3];    /* clinics, and the times in which their wall time is needed */
};

void need_init(struct need *need, const struct batch *batch);
void need_clear(struct need *need);

/* Names whose place has to be looked up first. */
void need_look(struct need *need, const struct message *message);
void need_look_appointment(struct need *need, const char *appointment_id);

/* Everything that a message needs; of what was looked up, its place is known. */
void need_message(struct need *need, const struct message *message);

/* A slot that is due: its hold may be an offer. */
void need_due_slot(struct need *need, const char *slot_id);

/* An appointment that was looked at. */
void need_appointment(struct need *need, const char *appointment_id);
