/* What a batch needs from the database, collected before the first statement is sent. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "database.h"
#include "events.h"
#include "lookup.h"
#include "message.h"
#include "rules.h"

/* Arrays for the statements; the pairs have the same length. */
enum need_list {
	NEED_HOSPITALS,           /* pairs: requests of this hospital .. */
	NEED_HOSPITAL_COMPONENTS, /* .. for this component */
	NEED_BANKS,               /* pairs: arrivals (or losses) at this bank .. */
	NEED_BANK_COMPONENTS,     /* .. of this component */
	NEED_REQUESTS,
	NEED_CANCELLED, /* requests that come to their end */
	NEED_UNITS,
	NEED_PATIENTS,       /* for whom units may be designated */
	NEED_BLIND_PATIENTS, /* whose group is unknown */
	NEED_GROUPS,         /* of recipients whose back-orders the arrivals may fill */
	NEED_LISTS,
};

struct need {
	struct parameter lists[NEED_LISTS];
	struct lookup pairs;                       /* those that were added */
	bool recipients[COMPONENTS][BLOOD_GROUPS]; /* groups that the arrivals fit */
	struct arena *arena;                       /* borrowed */
};

void need_init(struct need *need, struct arena *arena);
void need_clear(struct need *need);

/* A request of a hospital, by its id alone when nothing else is known of it. */
void need_request(struct need *need, const char *request_id, const char *hospital_id,
	enum component component);

/* What a hospital's requests for that component may touch. */
void need_hospital(struct need *need, const char *hospital_id, enum component component);

/* What an accepted request may need besides. */
void need_patient(struct need *need, const struct hospital_blood_requested *asked);

/* Units of that component and group come or go at a bank: what waits for them is needed too. */
void need_arrival(struct need *need, const struct rules *rules, const char *bank_id, enum component component,
	enum blood_group group);

void need_unit(struct need *need, const char *unit_id);

/* All of a message. */
void need_message(struct need *need, const struct rules *rules, const struct message *message);

/* After the last addition: makes NEED_GROUPS. */
void need_finish(struct need *need);

bool need_has(const struct need *need, enum need_list list);
