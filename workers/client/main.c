/* carebus: the command line for people, operators and load. Finds the command, reads its options, runs it. */
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>

#include "command.h"
#include "help.h"

static enum ending run_command(const struct command *command, char *arguments[])
{
	struct positionals positionals = { .count = 0 };
	struct common_values *values = calloc(1, command->values_bytes);
	if (values == NULL)
		abort();
	enum ending ending = ENDING_FAULT;
	if (!options_read(command->options, arguments, values, &positionals, stderr)) {
		fprintf(stderr, "carebus %s --help explains the options\n", command->name);
	} else if (values->wants_help) {
		help_command(command, stdout);
		ending = ENDING_DONE;
	} else {
		ending = command->run(values, &positionals);
	}
	free(values);
	return ending;
}

int main(int argc, char *argv[])
{
	signal(SIGPIPE, SIG_IGN);
	const char *name = argc > 1 ? argv[1] : "";
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		help_commands(stdout);
		return ENDING_DONE;
	}
	const struct command *command = command_find(name);
	if (command != NULL)
		return (int)run_command(command, argv + 2);
	if (argc > 1)
		fprintf(stderr, "%s: no such command\n\n", name);
	help_commands(stderr);
	return ENDING_FAULT;
}
