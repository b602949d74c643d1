/* Rows of the audience's table: which event is told to whom, and by which function. */
#pragma once

#include "audience.h"

/* A message while its facts are told, one row of the table after the other. */
struct telling {
	const struct message *message;
	const struct rules *rules;
	const struct row *row;
	struct notice *first, **last;
};

struct row {
	enum event event;
	const char *role; /* who of the facility */
	const char *kind;
	bool is_to_patient;
	void (*tell)(struct telling *telling);
};

/* Adds a notification. Role and kind are the row's, and whether the patient gets it. */
void tell(struct telling *telling, struct fact fact);

/* appointment_facts.c */
void tell_booked(struct telling *telling);
void tell_appointment_cancelled(struct telling *telling);
void tell_moved(struct telling *telling);
void tell_flagged(struct telling *telling);
void tell_offered(struct telling *telling);
void tell_offer_expired(struct telling *telling);
