/* carebus: the command line for people, operators and load. Finds the command, reads its options, runs it. */
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>

#include "command.h"

static void print_commands(FILE *out)
{
	fprintf(out, "Usage: carebus COMMAND [OPTION]...\n\nCommands:\n");
	for (const struct command *const *command = commands; *command != NULL; command++)
		fprintf(out, "  %-10s %s\n", (*command)->name, (*command)->summary);
	fprintf(out,
		"\n`carebus COMMAND --help` explains a command. Exit: 0 done, 1 the answer is no, 2 a fault, 3 no answer in time.\n"
		"`compose/status --env` prints the environment of a running stack.\n");
}

static void print_help(const struct command *command)
{
	printf("Usage: carebus %s [OPTION]...%s\n\n%s\nOptions:\n", command->name, command->arguments,
		command->details);
	options_help(command->options, stdout);
	printf("\nExamples:\n%s", command->examples);
}

static const struct command *find_command(const char *name)
{
	for (const struct command *const *command = commands; *command != NULL; command++)
		if (strcmp((*command)->name, name) == 0)
			return *command;
	return NULL;
}

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
		print_help(command);
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
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_commands(stdout);
		return ENDING_DONE;
	}
	const struct command *command = find_command(name);
	if (command != NULL)
		return (int)run_command(command, argv + 2);
	if (argc > 1)
		fprintf(stderr, "%s: no such command\n\n", name);
	print_commands(stderr);
	return ENDING_FAULT;
}
