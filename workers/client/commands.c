/* The table of commands, sorted by name. */
#include "command.h"

#include <string.h>

const struct command *const commands[] = {
	&command_book,
	&command_cancel,
	&command_completion,
	&command_flow,
	&command_help,
	&command_load,
	&command_parked,
	&command_request,
	&command_requests,
	&command_schedule,
	&command_seed,
	&command_slots,
	&command_stock,
	&command_token,
	&command_topology,
	&command_units,
	&command_watch,
	NULL,
};

const struct command *command_find(const char *name)
{
	for (const struct command *const *command = commands; *command != NULL; command++)
		if (strcmp((*command)->name, name) == 0)
			return *command;
	return NULL;
}
