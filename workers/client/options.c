/* Options: --name VALUE, --name=VALUE, -l VALUE; `--` ends them. All faults are told at once. */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct option_row common_options[] = {
	{ .name = "help",
		.letter = 'h',
		.kind = OPTION_FLAG,
		.offset = offsetof(struct common_values, wants_help),
		.help = "show this" },
	{ .name = "output",
		.letter = 'o',
		.argument = "FORMAT",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct common_values, format),
		.fallback = "text",
		.choices = "text|json",
		.help = "how the result is printed" },
	{ 0 },
};

/* The walk over argv. */
struct reading {
	const struct option_row *table;
	char *const *next;
	void *values;
	FILE *faults;
	bool is_good;
};

static const struct option_row *find_in(const struct option_row table[], const char *name, size_t length,
	char letter)
{
	for (const struct option_row *row = table; row->name != NULL; row++) {
		bool is_same_name = length > 0 && strlen(row->name) == length && memcmp(row->name, name, length) == 0;
		if (is_same_name || (letter != 0 && row->letter == letter))
			return row;
	}
	return NULL;
}

static const struct option_row *find(const struct reading *reading, const char *name, size_t length,
	char letter)
{
	const struct option_row *row = find_in(reading->table, name, length, letter);
	return row != NULL ? row : find_in(common_options, name, length, letter);
}

static void *member(const struct option_row *row, void *values)
{
	return (char *)values + row->offset;
}

static void complain(struct reading *reading, const char *what, const char *value, const char *advice)
{
	fprintf(reading->faults, "%s%s%s\n", what, value, advice);
	reading->is_good = false;
}

static bool is_choice(const char *choices, const char *value)
{
	size_t length = strlen(value);
	for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
		at += *at == '|';
		if (strcspn(at, "|") == length && memcmp(at, value, length) == 0)
			return true;
	}
	return false;
}

static void set_number(struct reading *reading, const struct option_row *row, const char *value)
{
	char *end;
	errno = 0;
	long number = strtol(value, &end, 10);
	if (end == value || *end != '\0' || errno != 0 || number < row->minimum || number > row->maximum) {
		fprintf(reading->faults, "--%s: \"%s\" is no number from %ld to %ld\n", row->name, value,
			row->minimum, row->maximum);
		reading->is_good = false;
		return;
	}
	*(long *)member(row, reading->values) = number;
}

static void add_text(struct reading *reading, const struct option_row *row, const char *value)
{
	struct option_texts *texts = member(row, reading->values);
	if (texts->count == OPTION_VALUES_MAX)
		complain(reading, "--", row->name, ": given too often");
	else
		texts->items[texts->count++] = value;
}

static void set_value(struct reading *reading, const struct option_row *row, const char *value)
{
	if (row->choices != NULL && !is_choice(row->choices, value)) {
		fprintf(reading->faults, "--%s: \"%s\" is none of %s\n", row->name, value, row->choices);
		reading->is_good = false;
	} else if (row->kind == OPTION_NUMBER) {
		set_number(reading, row, value);
	} else if (row->kind == OPTION_TEXTS) {
		add_text(reading, row, value);
	} else {
		*(const char **)member(row, reading->values) = value;
	}
}

/* `value` is what was written behind `=`, or NULL: then the next argument is it. */
static void take(struct reading *reading, const struct option_row *row, const char *value)
{
	if (row->kind == OPTION_FLAG) {
		if (value != NULL)
			complain(reading, "--", row->name, ": takes no value");
		*(bool *)member(row, reading->values) = true;
		return;
	}
	if (value == NULL)
		value = *reading->next == NULL ? NULL : *reading->next++;
	if (value == NULL)
		complain(reading, "--", row->name, ": a value has to follow");
	else
		set_value(reading, row, value);
}

static void take_argument(struct reading *reading, const char *argument)
{
	bool is_long = argument[1] == '-';
	const char *name = argument + 2;
	size_t length = is_long ? strcspn(name, "=") : 0;
	const struct option_row *row = find(reading, name, length, is_long ? 0 : argument[1]);
	if (row == NULL || (!is_long && argument[2] != '\0'))
		complain(reading, argument, "", ": no such option; --help lists them");
	else
		take(reading, row, is_long && name[length] == '=' ? name + length + 1 : NULL);
}

static void set_fallbacks(struct reading *reading, const struct option_row table[])
{
	for (const struct option_row *row = table; row->name != NULL; row++)
		if (row->fallback != NULL)
			set_value(reading, row, row->fallback);
}

static void check_required(struct reading *reading)
{
	if (((struct common_values *)reading->values)->wants_help)
		return;
	for (const struct option_row *row = reading->table; row->name != NULL; row++)
		if (row->is_required && *(const char **)member(row, reading->values) == NULL)
			fprintf(reading->faults, "--%s: missing: %s\n", row->name, row->help), reading->is_good = false;
}

bool options_read(const struct option_row table[], char *const arguments[], void *values,
	struct positionals *positionals, FILE *faults)
{
	struct reading reading = {
		.table = table, .next = arguments, .values = values, .faults = faults, .is_good = true
	};
	bool is_over = false;
	set_fallbacks(&reading, table);
	set_fallbacks(&reading, common_options);
	while (*reading.next != NULL) {
		const char *argument = *reading.next++;
		if (!is_over && strcmp(argument, "--") == 0)
			is_over = true;
		else if (!is_over && argument[0] == '-' && argument[1] != '\0')
			take_argument(&reading, argument);
		else if (positionals->count == POSITIONALS_MAX)
			complain(&reading, argument, "", ": too many arguments");
		else
			positionals->items[positionals->count++] = argument;
	}
	check_required(&reading);
	return reading.is_good;
}

static void print_row(const struct option_row *row, FILE *out)
{
	char left[64];
	snprintf(left, sizeof(left), "%c%c%s --%s%s%s", row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
		row->letter ? "," : " ", row->name, row->argument == NULL ? "" : " ",
		row->argument == NULL ? "" : row->argument);
	fprintf(out, "  %-30s %s", left, row->help);
	if (row->choices != NULL)
		fprintf(out, ": %s", row->choices);
	if (row->is_required)
		fprintf(out, " (required)");
	else if (row->fallback != NULL)
		fprintf(out, " (default: %s)", row->fallback);
	fprintf(out, "\n");
}

void options_help(const struct option_row table[], FILE *out)
{
	for (const struct option_row *row = table; row->name != NULL; row++)
		print_row(row, out);
	for (const struct option_row *row = common_options; row->name != NULL; row++)
		print_row(row, out);
}
