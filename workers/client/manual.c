/*
 * In the macros of man(7). Every text of the tables goes through print_text, which leaves nothing for roff to interpret. Lines are not
 * adjusted: a long list of choices could not be.
 */
#include "manual.h"

#include <stdbool.h>
#include <string.h>

#include "connections.h"
#include "door.h"
#include "help.h"

static void print_character(FILE *out, char c)
{
	static const struct {
		char plain;
		const char *escape;
	} escapes[] = { { '\\', "\\e" }, { '-', "\\-" }, { '\'', "\\(aq" }, { '`', "\\(ga" }, { '^', "\\(ha" },
		{ '~', "\\(ti" }, { '"', "\\(dq" } };
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
		if (escapes[i].plain == c) {
			fputs(escapes[i].escape, out);
			return;
		}
	fputc(c, out);
}

/* A line that begins with a dot or a blank would be a request or a break. */
static void print_bytes(FILE *out, const char *text, size_t length)
{
	bool is_line_start = true;
	for (size_t i = 0; i < length; i++) {
		if (is_line_start && (text[i] == '.' || text[i] == ' '))
			fputs("\\&", out);
		print_character(out, text[i]);
		is_line_start = text[i] == '\n';
	}
}

static void print_text(FILE *out, const char *text)
{
	print_bytes(out, text, strlen(text));
}

/* Lines; from "Exit:" on they are a paragraph of their own. */
static void print_details(FILE *out, const char *details)
{
	const char *exits = strstr(details, "Exit:");
	if (exits == NULL) {
		print_text(out, details);
		return;
	}
	print_bytes(out, details, (size_t)(exits - details));
	fprintf(out, ".PP\n");
	print_text(out, exits);
}

static void print_option(FILE *out, const struct option_row *row)
{
	fprintf(out, ".TP\n");
	if (row->letter != 0)
		fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
	fprintf(out, "\\fB\\-\\-");
	print_text(out, row->name);
	fprintf(out, "\\fR");
	if (row->argument != NULL)
		fprintf(out, " \\fI%s\\fR", row->argument);
	fprintf(out, "\n");
	print_text(out, row->help);
	if (row->choices != NULL) {
		fprintf(out, ": ");
		print_text(out, row->choices);
	}
	if (row->is_required)
		fprintf(out, " (required)");
	if (row->fallback != NULL) {
		fprintf(out, " (default: ");
		print_text(out, row->fallback);
		fprintf(out, ")");
	}
	fprintf(out, "\n");
}

static void print_options(FILE *out, const struct option_row table[])
{
	for (const struct option_row *row = table; row->name != NULL; row++)
		print_option(out, row);
}

static void print_command(FILE *out, const struct command *command)
{
	fprintf(out, ".SS carebus %s\n", command->name);
	print_text(out, command->summary);
	fprintf(out, "\n.PP\n\\fBcarebus %s\\fR [\\fIOPTION\\fR]...", command->name);
	print_text(out, command->arguments);
	fprintf(out, "\n.PP\n");
	print_details(out, command->details);
	print_options(out, command->options);
	fprintf(out, ".PP\nExamples:\n.PP\n.nf\n");
	print_text(out, command->examples);
	fprintf(out, ".fi\n");
}

static void print_head(FILE *out)
{
	fprintf(out,
		".TH CAREBUS 1 \"\" \"Carebus\" \"Carebus\"\n.ad l\n.SH NAME\n"
		"carebus \\- the command line of Carebus, for people and operators\n.SH SYNOPSIS\n"
		".B carebus\n\\fICOMMAND\\fR [\\fIOPTION\\fR]...\n.SH DESCRIPTION\n");
	print_text(out,
		"carebus speaks to a running stack, through its HTTP door or over its message bus, as who the environment says.\n"
		"People ask for blood, take units in, look up stock and slots, book; operators watch what happens, compare the\n"
		"broker with the contract, and settle what was set aside.\n");
}

static void print_settings(FILE *out, const struct setting table[])
{
	for (const struct setting *setting = table; setting->name != NULL; setting++) {
		fprintf(out, ".TP\n.B %s\n", setting->name);
		print_text(out, setting->help);
		fprintf(out, "\n");
	}
}

static void print_environment(FILE *out)
{
	fprintf(out, ".SH ENVIRONMENT\n");
	print_text(out,
		"`compose/status --env` prints it for a running stack. NAME_FILE names a file whose first line is the value.\n");
	print_settings(out, door_settings());
	print_settings(out, connections_settings());
	fprintf(out, ".TP\n.B NO_COLOR\n");
	print_text(out, "where it is set, nothing is printed in colour\n");
}

void manual_print(FILE *out)
{
	print_head(out);
	fprintf(out, ".SH OPTIONS\nOf every command:\n");
	print_options(out, common_options);
	fprintf(out, ".SH COMMANDS\n");
	for (const struct command *const *command = commands; *command != NULL; command++)
		print_command(out, *command);
	fprintf(out, ".SH EXIT STATUS\n");
	print_text(out, help_exit_codes);
	fprintf(out, ".\n");
	print_environment(out);
}
