/* The table of commands, sorted by name. */
#include "command.h"

const struct command *const commands[] = {
	&command_cancel,
	&command_load,
	&command_request,
	&command_requests,
	&command_seed,
	&command_stock,
	&command_token,
	&command_topology,
	&command_units,
	NULL,
};
