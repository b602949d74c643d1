/* PURE. What a load asks for: the n-th request of a run, always the same; its id tells which one it is. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "events.h"
#include "options.h"
#include "outcome.h"
#include "uuid.h"

enum {
	LOAD_WEIGHT_MAX = 1000,
	LOAD_WEIGHTS_MAX = 16, /* values of an enumeration, with the absent one */
	LOAD_KEY_BITS = 56,    /* of a run */
	LOAD_NUMBER_BITS = 48, /* of a request in it */
};

/* How often each value comes, against the others of its kind. */
struct load_mix {
	unsigned groups[LOAD_WEIGHTS_MAX], urgencies[LOAD_WEIGHTS_MAX], components[LOAD_WEIGHTS_MAX];
};

/* "O+=40,O-=7,emergency=5,routine=95,platelets=1": groups, urgencies and components; a kind that is not named has its usual mix. NULL = all usual. */
bool load_mix_parse(const char *text, struct load_mix *out, struct why *why);

struct load_plan {
	uint64_t key; /* of the run; its ids are found by it */
	struct load_mix mix;
	const struct option_texts *hospitals; /* take turns; none = those of the demo */
	long quantity;
};

/* The request of that number, from 0; texts are in the arena. */
void load_plan_request(const struct load_plan *plan, uint64_t number, struct arena *arena,
	struct hospital_blood_request *out);

/* The id of a request; they scatter as random ones do. */
void load_id_print(uint64_t key, uint64_t number, char out[UUID_TEXT_BYTES]);

/* False: not an id of that run. */
bool load_id_parse(uint64_t key, const char *text, uint64_t *number);
