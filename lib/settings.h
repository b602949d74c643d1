/* A program's configuration: the environment, read from one table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum setting_kind { SETTING_TEXT, SETTING_SECRET, SETTING_NUMBER };

/* One row of the table; the table ends with a row without a name. */
struct setting {
	const char *name; /* of the environment variable; NAME_FILE gives a file whose first line is the value */
	enum setting_kind kind;
	size_t offset;         /* of the member in the settings struct: const char * or long */
	const char *fallback;  /* NULL = required */
	long minimum, maximum; /* of numbers */
	const char *choices;   /* "logfmt|json" or NULL */
	const char *help;      /* what it is for, one line */
};

/*
 * Fills `out` (zeroed by the caller; texts are owned by the process, freed by settings_clear). All
 * faults are reported at once on `faults`, a line each, naming the variable and what to do. False when
 * there was one.
 */
bool settings_read(const struct setting table[], void *out, FILE *faults);
void settings_clear(const struct setting table[], void *out); /* secrets are wiped */
void settings_list(const struct setting table[], FILE *out);  /* of the help: those of one more table */
void settings_help(const struct setting table[], const char *program, FILE *out);
