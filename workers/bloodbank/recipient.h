/* The person a request is for, as far as the rules care. */
#pragma once

#include <stdbool.h>

#include "events.h"
#include "rules.h"

struct recipient {
	enum blood_group group;  /* UNKNOWN when not determined */
	enum blood_group mother; /* of a neonate: her group, UNKNOWN when nobody knows; else NONE */
	bool is_emergency;
	bool is_neonate;
	bool is_child;         /* known to be under 18 */
	bool is_d_protected;   /* female <= 50, male <= 18, or sex or age unknown: D- comes first */
	bool has_anti_d;       /* known to have made anti-D */
	bool has_rhd_override; /* recorded, by a named person, for a male > 18 or a female > 50 of known age */
	bool has_antigen_override; /* recorded, by a named person */
};

/* Reads what a request says about its patient; absent facts become the careful ones. */
void recipient_read(const struct rules *rules, const struct hospital_blood_requested *request,
	struct recipient *out);
