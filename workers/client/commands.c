/* The table of commands, sorted by name. */
#include "command.h"

const struct command *const commands[] = {
	&command_flow,
	&command_parked,
	&command_request,
	&command_seed,
	&command_topology,
	&command_watch,
	NULL,
};
