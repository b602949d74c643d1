/* carebus help: the commands, one of them, all as JSON, or the manual page. */
#include "help.h"

#include <string.h>

#include <jansson.h>

#include "manual.h"

const char help_exit_codes[] = "0 done, 1 the answer is no, 2 a fault, 3 no answer in time";

struct help_values {
	struct common_values common;
	bool is_manual;
};

static const struct option_row options[] = {
	{ .name = "man",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct help_values, is_manual),
		.help = "the manual page, for man(1)" },
	{ 0 },
};

void help_commands(FILE *out)
{
	fprintf(out, "Usage: carebus COMMAND [OPTION]...\n\nCommands:\n");
	for (const struct command *const *command = commands; *command != NULL; command++)
		fprintf(out, "  %-10s %s\n", (*command)->name, (*command)->summary);
	fprintf(out,
		"\n`carebus COMMAND --help` explains a command. Exit: %s.\n"
		"`compose/status --env` prints the environment of a running stack.\n",
		help_exit_codes);
}

void help_command(const struct command *command, FILE *out)
{
	fprintf(out, "Usage: carebus %s [OPTION]...%s\n\n%s\nOptions:\n", command->name, command->arguments,
		command->details);
	options_help(command->options, out);
	fprintf(out, "\nExamples:\n%s", command->examples);
}

static json_t *option_json(const struct option_row *row)
{
	json_t *option = json_pack("{s:s, s:s, s:b, s:b}", "name", row->name, "help", row->help, "required",
		row->is_required, "repeatable", row->kind == OPTION_TEXTS);
	if (row->letter != 0)
		json_object_set_new(option, "letter", json_stringn(&row->letter, 1));
	if (row->argument != NULL)
		json_object_set_new(option, "argument", json_string(row->argument));
	if (row->choices != NULL)
		json_object_set_new(option, "choices", json_string(row->choices));
	if (row->fallback != NULL)
		json_object_set_new(option, "default", json_string(row->fallback));
	return option;
}

static json_t *command_json(const struct command *command)
{
	json_t *list = json_array();
	for (const struct option_row *row = command->options; row->name != NULL; row++)
		json_array_append_new(list, option_json(row));
	for (const struct option_row *row = common_options; row->name != NULL; row++)
		json_array_append_new(list, option_json(row));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "name", command->name, "summary", command->summary,
		"arguments", command->arguments, "details", command->details, "examples", command->examples,
		"options", list);
}

/* `only` may be NULL: all of them. */
static void print_json(const struct command *only)
{
	json_t *list = json_array(), *result = json_pack("{s:o}", "commands", list);
	for (const struct command *const *command = commands; *command != NULL; command++)
		if (only == NULL || only == *command)
			json_array_append_new(list, command_json(*command));
	json_dumpf(result, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(result);
}

static enum ending run_help(const void *values, const struct positionals *positionals)
{
	const struct help_values *help = values;
	const struct command *command = positionals->count == 1 ? command_find(positionals->items[0]) : NULL;
	if (command == NULL && positionals->count > 0) {
		fprintf(stderr, "%s: no such command\n\n", positionals->items[0]);
		help_commands(stderr);
		return ENDING_FAULT;
	}
	if (help->is_manual)
		manual_print(stdout);
	else if (strcmp(help->common.format, "json") == 0)
		print_json(command);
	else if (command != NULL)
		help_command(command, stdout);
	else
		help_commands(stdout);
	return ENDING_DONE;
}

const struct command command_help = {
	.name = "help",
	.summary = "explain the commands",
	.arguments = " [COMMAND]",
	.details = "Lists the commands, or explains one. --man writes the manual page of all of them.\n"
			   "Exit: 0 explained, 2 there is no such command.\n",
	.examples = "  carebus help parked\n"
				"  carebus help --man | man -l -\n"
				"  carebus help -o json\n",
	.options = options,
	.values_bytes = sizeof(struct help_values),
	.run = run_help,
};
