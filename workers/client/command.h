/* The program's commands: each one is a file and a line in a sorted table (commands.c). */
#pragma once

#include <stddef.h>

#include "options.h"

/* What a command ends with. */
enum ending {
	ENDING_DONE = 0,      /* as asked */
	ENDING_NO = 1,        /* the answer is no: rejected, refused, different */
	ENDING_FAULT = 2,     /* wrong usage, or the world could not be reached */
	ENDING_NO_ANSWER = 3, /* nothing was heard in time */
};

struct command {
	const char *name;
	const char *summary;   /* one line, lower case */
	const char *arguments; /* behind the options in the usage line; "" = none */
	const char *details;   /* what it does, what it ends with, whose environment it needs */
	const char *examples;  /* lines, each indented by two spaces */
	const struct option_row *options;
	size_t values_bytes; /* of the struct that the options fill; begins with struct common_values */
	enum ending (*run)(const void *values, const struct positionals *positionals);
};

/* Sorted by name; ends with NULL. */
extern const struct command *const commands[];

/* NULL: there is none of that name. */
const struct command *command_find(const char *name);

extern const struct command command_book, command_cancel, command_completion, command_flow, command_help,
	command_load, command_parked, command_request, command_requests, command_schedule, command_seed,
	command_slots, command_stock, command_token, command_topology, command_units, command_watch;
