/* PURE. What a broker lacks, has otherwise, or has on top, compared with the contract. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

enum difference_kind { DIFFERENCE_MISSING, DIFFERENCE_OTHER, DIFFERENCE_SURPLUS };

enum { PART_FIELDS_MAX = 6 };

/* One kind of thing: how it is named, what of it is compared, where the management API keeps it. */
struct part {
	const char *name; /* member of the contract's topology */
	const char *singular;
	const char *listing; /* path that lists the live ones */
	const char *path; /* that makes one; {member} becomes that member, encoded; NULL: cannot be made here */
	const char *method;
	const char *keys[PART_FIELDS_MAX];   /* the members that identify one; end with NULL */
	const char *fields[PART_FIELDS_MAX]; /* the members that are compared; end with NULL */
	bool is_replaced;                    /* making it again changes what is there */
	/* Whether a live one that the contract does not have is a difference; NULL = never. */
	bool (*is_surplus)(const json_t *expected_topology, const json_t *live);
};

/* Ends with a row without a name; in the order in which things can be made. */
extern const struct part parts[];

typedef void difference_fn(void *owner, const struct part *part, enum difference_kind kind,
	const json_t *expected, const json_t *live);

/* Tells each difference of one part. `topology` is the contract's, `live` the listing. */
void difference_find(const struct part *part, const json_t *topology, const json_t *live, difference_fn *tell,
	void *owner);

/* "source hospital, destination bloodbank, ..." */
void difference_name(const struct part *part, const json_t *thing, char *text, size_t text_bytes);
