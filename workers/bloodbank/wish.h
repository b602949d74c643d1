/* A request as the allocator reads it: once, before it looks at any unit. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "antigen.h"
#include "arena.h"
#include "compatibility.h"
#include "events.h"
#include "recipient.h"
#include "rules.h"
#include "shelf.h"
#include "unit.h"

/* A bank that delivers to the request's hospital. */
struct supplier {
	struct bank *bank;
	int64_t distance_m;
};

/* What the caller wants decided. */
struct wanted {
	const struct hospital_blood_requested *request;
	const struct supplier *suppliers; /* the hospital's banks, nearest first, then by bank_id */
	size_t suppliers_count;
	int64_t quantity;                /* units still wanted: all, or what is left of a back-order */
	int64_t blind_o_negative_before; /* O- units this patient already got while the group was unknown */
	bool is_facility_known;
	bool
		is_followup; /* of a back-order, or for a unit that was lost: the request itself was decided before */
};

/*
 * What a unit falls short in, as bits. Read as a number it is the order in which an emergency makes concessions:
 * units without any come first, those known to carry an unwanted antigen last.
 */
enum concession {
	CONCEDE_ATTRIBUTES = 1,
	CONCEDE_RHD = 2,
	CONCEDE_UNTYPED = 4,
	CONCEDE_ANTIGEN = 8,
	CONCESSIONS_END = 12, /* UNTYPED and ANTIGEN exclude each other */
};

enum { ANTIGENS_WANTED_MAX = 64 };

struct wish {
	const struct rules *rules;
	const struct wanted *wanted;
	const struct hospital_blood_requested *request;
	struct recipient recipient;
	struct compatibility compatibility;
	const char *patient_ref; /* or NULL */
	int64_t now;
	int64_t used_at;       /* max(now, needed_at): units must be in date then */
	int64_t collected_min; /* of max_age_days; INT64_MIN without */
	uint32_t attributes;   /* required */
	const char **codes;    /* required attributes without a bit */
	size_t codes_count;
	char (*antigens)[ANTIGEN_NAME_MAX + 1]; /* bare names that units must lack */
	size_t antigens_count;
	unsigned int concessions; /* the bits this request may make */
	enum shelf_order order;
	bool keeps_floor; /* leaves the floors to the emergency and urgent ones */
};

/* Reads what is wanted at the time `now`. Everything points into the request or the arena. */
void wish_read(const struct rules *rules, const struct wanted *wanted, int64_t now, struct arena *arena,
	struct wish *out);

/* Whether a unit could be used at all: not taken, in date, for this patient or anyone. */
bool wish_can_use(const struct wish *wish, const struct unit *unit);

/* What a compatible unit falls short in: bits of enum concession. */
unsigned int wish_concession(const struct wish *wish, const struct unit *unit);

/* The part of that which all units of a bin share. */
unsigned int wish_bin_concession(const struct wish *wish, const struct bin *bin);

/* True when units of one bin may differ in what they fall short in. */
bool wish_is_picky(const struct wish *wish);

/*
 * The over-supply penalty of a bin: for what its units have and the wish doesn't need, for a scarce group given to
 * another, and for each attribute that is missing. Lower is better.
 */
int32_t wish_penalty(const struct wish *wish, const struct bin *bin);
