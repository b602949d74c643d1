/* Event bodies: JSON text to C structs and back, by the tables that amqp-topology/generate.py makes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buffer.h"
#include "outcome.h"

enum value_kind {
	VALUE_TEXT,    /* const char * */
	VALUE_UUID,    /* const char *, canonical lower case */
	VALUE_DATE,    /* const char *, YYYY-MM-DD, a real day */
	VALUE_TIME,    /* int64_t, microseconds since 1970 UTC */
	VALUE_INTEGER, /* int64_t */
	VALUE_NUMBER,  /* double, finite */
	VALUE_BOOLEAN, /* bool */
	VALUE_ENUM,    /* an enum; 0 = absent */
	VALUE_OBJECT,  /* struct ... *; in arrays the struct itself */
};

/* The names of an enum's values. */
struct enumeration {
	const char *const *names; /* names[0] is NULL: absent */
	size_t count;             /* with the absent one */
};

/* One member of an object. */
struct field {
	const char *name;                      /* of the JSON member */
	const struct enumeration *enumeration; /* enums only */
	const struct schema *object;           /* objects only */
	bool (*matches)(const char *text);     /* the compiled pattern, or NULL */
	const char *default_text;              /* texts; NULL = none */
	double default_number;                 /* numbers */
	int64_t default_integer;               /* integers, times, booleans, enums */
	double number_min, number_max;
	int64_t integer_min, integer_max;
	uint64_t allowed;                /* enums: bit n = value n may stand here */
	uint32_t offset;                 /* of the value, or of an array's pointer, in its struct */
	uint32_t presence_offset;        /* of `bool has_x`; 0 = has none */
	uint32_t count_offset;           /* of `size_t x_count`; arrays only */
	uint32_t length_min, length_max; /* characters of a text */
	uint32_t count_min, count_max;   /* items of an array */
	enum value_kind kind;            /* of the value, or of each item of an array */
	bool is_array, is_required, is_unique;
	bool is_nullable; /* null is read as absent, and absent is written as null */
	bool has_default; /* arrays: [] is written rather than left out */
};

/* An object: a C struct and its members. */
struct schema {
	const char *name;           /* of the event or the shared type */
	const struct field *fields; /* in the order in which they are written; at most 64 */
	size_t field_count;
	size_t size_bytes;      /* of the struct */
	const uint64_t *one_of; /* exactly one of these sets of fields must be there; NULL = no such rule */
	size_t one_of_count;
};

/*
 * Reads a body. `*out` becomes the schema's struct, in the arena together with everything it points to; untouched on
 * failure. Unknown members are ignored, defaults filled in. Stricter than JSON Schema where JSON is vague: an integer
 * has no fraction, duplicate members and NUL in texts are refused, dates and times must exist.
 * False: why->reason is "schema" and why->text like "/quantity: 101 is above 100".
 */
bool schema_read(const struct schema *schema, const char *text, size_t length, struct arena *arena,
	void **out, struct why *why);

enum { SCHEMA_FAULTS_MAX = 32 };

/* One thing that is wrong with a body. */
struct schema_fault {
	char path[128]; /* "/units/3/group", a JSON pointer; "" is the body itself, as for its oneOf */
	char text[200]; /* "101 is above 100" */
};

struct schema_faults {
	struct schema_fault
		items[SCHEMA_FAULTS_MAX]; /* in the order of the schema; what comes later is left out */
	size_t count;
	bool is_json; /* false: not JSON at all, items[0].text tells where */
};

/*
 * The same, but tells every fault of a body, at most one for each value: false with `faults`, the first being the one that
 * schema_read tells. On success count is 0.
 */
bool schema_read_all(const struct schema *schema, const char *text, size_t length, struct arena *arena,
	void **out, struct schema_faults *faults);

/* Checks a struct as schema_read would check the same data. */
bool schema_check(const struct schema *schema, const void *in, struct why *why);

/*
 * Adds compact JSON to `out`, in schema order, absent members left out; the same input gives the same bytes.
 * False when schema_check refuses the data; then nothing was added.
 */
bool schema_write(const struct schema *schema, const void *in, struct buffer *out);

/* A value's name ("O-"), or NULL for 0 and for what is no value. */
const char *enumeration_name(const struct enumeration *enumeration, unsigned int value);

/* The value of that name, or 0. */
unsigned int enumeration_find(const struct enumeration *enumeration, const char *name);
