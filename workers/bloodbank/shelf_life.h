/* How long a product may be used. Collection is day 0; usable if and only if t < expires_at. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "events.h"

struct rules;

/* What is done to a product and shortens (or, for `tested` and `relabelled`, lengthens) its life. */
enum process {
	PROCESS_NONE,
	PROCESS_TESTED, /* platelets: for bacteria */
	PROCESS_IRRADIATED,
	PROCESS_WASHED,
	PROCESS_OPENED,
	PROCESS_VOLUME_REDUCED,
	PROCESS_THAWED,
	PROCESS_RELABELLED, /* thawed plasma, labelled anew */
	PROCESS_POOLED,
	PROCESSES,
};

#define PROCESS_BIT(process) (1U << (process))

/* What a life depends on beside the component. */
enum preservative {
	PRESERVATIVE_ANY,
	PRESERVATIVE_PLAIN, /* ACD, CPD, CP2D, or nobody knows */
	PRESERVATIVE_CPDA1,
	PRESERVATIVE_ADDITIVE, /* any additive solution */
};

enum life_unit { LIFE_HOURS, LIFE_DAYS, LIFE_YEARS };

/* A life from collection (process NONE or TESTED) or from its process. Hours are exact; days and years end at 23:59. */
struct life {
	enum component component;
	enum preservative preservative;
	enum process process;
	enum process unless; /* does not apply to products that this was done to as well */
	int span;
	enum life_unit unit;
};

struct product {
	const struct rules *rules; /* NULL: rules_default */
	enum component component;
	const char *anticoagulant; /* "CPD", "CPDA-1" ...; NULL: unknown */
	const char *additive;      /* "AS-1", "SAGM" ...; NULL: none */
	unsigned int processes;    /* bits of enum process */
	int64_t collected_at;
	int64_t processed_at;    /* when the last of the processes was done; of a received unit: when it came */
	int64_t parts_expire_at; /* the earliest expiry of what it was made from; INT64_MAX: nothing */
	int32_t utc_offset_s;    /* of its facility: dated products end at 23:59 local time */
};

/* The processes among the attributes of a unit: "irradiated", "washed", "thawed" ... */
unsigned int processes_find(const char *const *attributes, size_t count);

/* The latest expires_at a product may bear; also the one it gets when none was supplied. */
int64_t shelf_life_limit(const struct product *product);
