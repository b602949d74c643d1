/* The table of commands, sorted by name. */
#include "command.h"

const struct command *const commands[] = {
	&command_request,
	&command_seed,
	&command_token,
	&command_topology,
	NULL,
};
