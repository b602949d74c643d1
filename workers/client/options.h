/* Command-line options, read by a table that also prints the help. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { OPTION_VALUES_MAX = 16, POSITIONALS_MAX = 8 };

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char *; NULL = absent */
	OPTION_TEXTS,  /* struct option_texts; may be given several times */
	OPTION_NUMBER, /* long; `minimum`..`maximum` */
};

struct option_texts {
	const char *items[OPTION_VALUES_MAX];
	size_t count;
};

/* One row of the table; the table ends with a row without a name. */
struct option_row {
	const char *name;     /* "hospital" for --hospital */
	char letter;          /* 'o' for -o, or 0 */
	const char *argument; /* what the help calls the value; NULL for flags */
	enum option_kind kind;
	size_t offset;        /* of the member in the values' struct */
	const char *fallback; /* of texts and numbers; NULL = absent, or 0 */
	bool is_required;
	long minimum, maximum;
	const char *choices; /* "text|json" or NULL */
	const char *help;
};

/* What every command understands; the first member of each values' struct. */
struct common_values {
	bool wants_help;
	const char *format; /* text or json */
};

extern const struct option_row common_options[];

/* What is no option: borrowed from argv. */
struct positionals {
	const char *items[POSITIONALS_MAX];
	size_t count;
};

/*
 * Fills `values` (zeroed by the caller) by `table` and the common options. Texts are borrowed from argv and the table. Faults are
 * reported on `faults`, a line each. False when there was one.
 */
bool options_read(const struct option_row table[], char *const arguments[], void *values,
	struct positionals *positionals, FILE *faults);
void options_help(const struct option_row table[], FILE *out);
