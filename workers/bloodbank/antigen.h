/*
 * Antigens: what a patient must not be given, and what is known of a unit. Names are compared by letter case (C and c
 * differ) without brackets, blanks and underscores, so "Fy(a)" is "Fya".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "unit.h"

enum { ANTIGEN_NAME_MAX = 32 };

enum typing {
	TYPED_NEGATIVE,
	UNTYPED,
	TYPED_POSITIVE,
};

/* An antigen's bare name: "anti-K", "K-", "K+" and "K" are all "K". */
void antigen_name(const char *text, char name[static ANTIGEN_NAME_MAX + 1]);

/*
 * Whether an antigen matters for a component: red-cell antigens for red_cells and whole_blood, HPA and HLA for
 * platelets, none for plasma and cryo, which hold no cells. `name` is bare.
 */
bool antigen_matters(const char *name, enum component component);

/* What is known of one unit for one bare name; D, A and B follow from the unit's group, K from k_negative too. */
enum typing antigen_typing(const struct unit *unit, const char *name);
