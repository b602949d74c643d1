/* carebus completion: what a shell needs to complete commands, options, their choices and verbs; from the tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "buffer.h"
#include "command.h"
#include "events.h"
#include "queue_names.h"

static const struct option_row options[] = { { 0 } };

/* The rules; the words are in _carebus_words, a row for each command and option. `valued` are options that take a value. */
static const char rules[] =
	"_carebus()\n"
	"{\n"
	"\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]-}\n"
	"\tlocal valued words word place=0 i\n"
	"\tif [[ $current == = ]]; then\n"
	"\t\tcurrent=''\n"
	"\telif [[ $previous == = ]]; then\n"
	"\t\tprevious=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\tfi\n"
	"\tvalued=$(_carebus_words \"$command valued\")\n"
	"\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif [[ $word == = || ($word == -* && \" $valued \" == *\" $word \"* && ${COMP_WORDS[i + 1]-} != =) ]]; then\n"
	"\t\t\t((++i))\n"
	"\t\telif [[ $word != -* ]]; then\n"
	"\t\t\t((++place))\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tif ((COMP_CWORD == 1)); then\n"
	"\t\twords=$(_carebus_words commands)\n"
	"\telif [[ $previous == -* && \" $valued \" == *\" $previous \"* ]]; then\n"
	"\t\twords=$(_carebus_words \"$command $previous\")\n"
	"\telif [[ $current == -* ]]; then\n"
	"\t\twords=$(_carebus_words \"$command options\")\n"
	"\telse\n"
	"\t\twords=$(_carebus_words \"$command $place\")\n"
	"\tfi\n"
	"\tif [[ $words == FILE ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
	"\telse\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
	"\tfi\n"
	"}\n"
	"complete -F _carebus carebus\n";

static void begin_row(struct buffer *out, const char *command, const char *what)
{
	buffer_print(out, "\t'%s%s%s') echo '", command, what[0] == '\0' ? "" : " ", what);
}

static void end_row(struct buffer *out)
{
	buffer_add_text(out, "' ;;\n");
}

/* "a|b" as "a b". */
static void add_choices(struct buffer *out, const char *choices, size_t length)
{
	for (size_t i = 0; i < length; i++)
		buffer_add_byte(out, choices[i] == '|' ? ' ' : (unsigned char)choices[i]);
}

static void add_events(struct buffer *out)
{
	for (enum event event = EVENT_NONE + 1; event < EVENT_COUNT; event++)
		buffer_print(out, "%s%s", event == EVENT_NONE + 1 ? "" : " ", event_type(event)->name);
}

static void add_commands(struct buffer *out)
{
	for (const struct command *const *command = commands; *command != NULL; command++)
		buffer_print(out, "%s%s", command == commands ? "" : " ", (*command)->name);
}

static void add_queues(struct buffer *out)
{
	json_t *queues = queue_names_parked();
	for (size_t i = 0; i < json_array_size(queues); i++)
		buffer_print(out, "%s%s", i == 0 ? "" : " ", json_string_value(json_array_get(queues, i)));
	json_decref(queues);
}

/* What a word in capitals stands for, where we know. */
static void add_words_for(struct buffer *out, const char *word, size_t length)
{
	static const struct {
		const char *name;
		void (*add)(struct buffer *out);
	} kinds[] = { { "EVENT", add_events }, { "COMMAND", add_commands }, { "QUEUE", add_queues } };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].name) == length && memcmp(kinds[i].name, word, length) == 0)
			kinds[i].add(out);
	if (length == strlen("FILE") && memcmp(word, "FILE", length) == 0)
		buffer_add_text(out, "FILE");
}

static void add_option_names(struct buffer *out, const struct option_row table[], bool is_valued_only)
{
	for (const struct option_row *row = table; row->name != NULL; row++) {
		if (is_valued_only && row->kind == OPTION_FLAG)
			continue;
		buffer_print(out, "--%s ", row->name);
		if (row->letter != 0)
			buffer_print(out, "-%c ", row->letter);
	}
}

static void add_option_row(struct buffer *out, const struct command *command, const struct option_row *row)
{
	char letter[3] = { '-', row->letter, '\0' }, name[80];
	snprintf(name, sizeof(name), "--%s", row->name);
	for (const char *what = name; what != NULL; what = what == name && row->letter != 0 ? letter : NULL) {
		begin_row(out, command->name, what);
		if (row->choices != NULL)
			add_choices(out, row->choices, strlen(row->choices));
		else if (row->argument != NULL)
			add_words_for(out, row->argument, strlen(row->argument));
		end_row(out);
	}
}

static void add_option_rows(struct buffer *out, const struct command *command,
	const struct option_row table[])
{
	for (const struct option_row *row = table; row->name != NULL; row++)
		if (row->kind != OPTION_FLAG)
			add_option_row(out, command, row);
}

/* " check|plan|apply [QUEUE]": the words for each place. */
static void add_places(struct buffer *out, const struct command *command)
{
	const char *at = command->arguments;
	for (int place = 0; *(at += strspn(at, " [")) != '\0'; place++) {
		char number[16];
		size_t length = strcspn(at, " ]");
		snprintf(number, sizeof(number), "%d", place);
		begin_row(out, command->name, number);
		if (memchr(at, '|', length) != NULL || (*at >= 'a' && *at <= 'z'))
			add_choices(out, at, length);
		else
			add_words_for(out, at, length);
		end_row(out);
		at += length;
		at += strspn(at, "]");
	}
}

static void add_command(struct buffer *out, const struct command *command)
{
	begin_row(out, command->name, "options");
	add_option_names(out, command->options, false);
	add_option_names(out, common_options, false);
	end_row(out);
	begin_row(out, command->name, "valued");
	add_option_names(out, command->options, true);
	add_option_names(out, common_options, true);
	end_row(out);
	add_option_rows(out, command, command->options);
	add_option_rows(out, command, common_options);
	add_places(out, command);
}

static void write_script(struct buffer *out)
{
	buffer_add_text(out,
		"# shellcheck shell=bash\n"
		"# Completes carebus in bash. Made by `carebus completion bash`; to load it: source <(carebus completion bash)\n"
		"_carebus_words()\n{\n\tcase $1 in\n");
	begin_row(out, "commands", "");
	add_commands(out);
	end_row(out);
	for (const struct command *const *command = commands; *command != NULL; command++)
		add_command(out, *command);
	buffer_add_text(out, "\tesac\n}\n\n");
	buffer_add_text(out, rules);
}

static enum ending run_completion(const void *values, const struct positionals *positionals)
{
	const struct common_values *common = values;
	struct buffer script;
	if (positionals->count != 1 || strcmp(positionals->items[0], "bash") != 0) {
		fprintf(stderr, "write `carebus completion bash`; other shells are not known\n");
		return ENDING_FAULT;
	}
	buffer_init(&script);
	write_script(&script);
	if (strcmp(common->format, "json") == 0) {
		json_t *result = json_pack("{s:s, s:s}", "shell", "bash", "script", buffer_text(&script));
		json_dumpf(result, stdout, JSON_INDENT(2));
		printf("\n");
		json_decref(result);
	} else {
		fputs(buffer_text(&script), stdout);
	}
	buffer_clear(&script);
	return ENDING_DONE;
}

const struct command command_completion = {
	.name = "completion",
	.summary = "what a shell needs to complete commands and options",
	.arguments = " bash",
	.details =
		"Writes a script for bash that completes commands, options, their choices, events and queues.\n"
		"Exit: 0 written, 2 another shell.\n",
	.examples = "  source <(carebus completion bash)\n"
				"  carebus completion bash > ~/.local/share/bash-completion/completions/carebus\n",
	.options = options,
	.values_bytes = sizeof(struct common_values),
	.run = run_completion,
};
