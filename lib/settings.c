/* Settings: one walk over the table; faults are collected, never answered by the first one alone. */
#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_BYTES_MAX = 4096 };

static const char **text_member(const struct setting *setting, void *out)
{
	return (const char **)((char *)out + setting->offset);
}

static long *number_member(const struct setting *setting, void *out)
{
	return (long *)((char *)out + setting->offset);
}

static char *copy(const char *text)
{
	char *copied = strdup(text);
	if (copied == NULL)
		abort();
	return copied;
}

static void wipe_and_free(char *text)
{
	if (text == NULL)
		return;
	explicit_bzero(text, strlen(text));
	free(text);
}

/* The variable's value; an empty one counts as absent. */
static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value == NULL || value[0] == '\0' ? NULL : value;
}

/* The first line of a file, owned by the caller; NULL: a fault was reported. */
static char *read_first_line(const char *name, const char *path, FILE *faults)
{
	char line[VALUE_BYTES_MAX + 2];
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		fprintf(faults, "%s_FILE: cannot open %s: %s\n", name, path, strerror(errno));
		return NULL;
	}
	bool is_read = fgets(line, sizeof(line), file) != NULL;
	fclose(file);
	if (!is_read)
		line[0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	char *value = line[0] == '\0' ? NULL : copy(line);
	if (value == NULL)
		fprintf(faults, "%s_FILE: the first line of %s is empty: write the value there\n", name, path);
	explicit_bzero(line, sizeof(line));
	return value;
}

/* The raw value from NAME, NAME_FILE or the fallback, owned by the caller; NULL: a fault was reported. */
static char *find_value(const struct setting *setting, FILE *faults)
{
	char file_name[128];
	snprintf(file_name, sizeof(file_name), "%s_FILE", setting->name);
	const char *value = environment(setting->name);
	const char *path = environment(file_name);
	if (value != NULL && path != NULL) {
		fprintf(faults, "%s: set as well as %s: keep one of the two\n", setting->name, file_name);
		return NULL;
	}
	if (path != NULL)
		return read_first_line(setting->name, path, faults);
	if (value == NULL)
		value = setting->fallback;
	if (value == NULL) {
		fprintf(faults, "%s: not set: %s\n", setting->name, setting->help);
		return NULL;
	}
	return copy(value);
}

static bool is_choice(const char *choices, const char *value)
{
	size_t length = strlen(value);
	for (const char *cursor = choices;; cursor++) {
		size_t choice_length = strcspn(cursor, "|");
		if (choice_length == length && memcmp(cursor, value, length) == 0)
			return true;
		cursor += choice_length;
		if (*cursor == '\0')
			return false;
	}
}

/* Takes the value over, also on a fault. */
static bool take_text(const struct setting *setting, char *value, void *out, FILE *faults)
{
	const char *fault = NULL;
	if (strlen(value) > VALUE_BYTES_MAX)
		fault = "longer than 4096 bytes";
	else if (setting->choices != NULL && !is_choice(setting->choices, value))
		fault = setting->choices;
	if (fault == NULL) {
		*text_member(setting, out) = value;
		return true;
	}
	if (fault == setting->choices)
		fprintf(faults, "%s: \"%s\" is none of %s\n", setting->name, value, setting->choices);
	else
		fprintf(faults, "%s: %s\n", setting->name, fault);
	wipe_and_free(value);
	return false;
}

static bool take_number(const struct setting *setting, char *value, void *out, FILE *faults)
{
	char *end;
	errno = 0;
	long number = strtol(value, &end, 10);
	bool is_number = end != value && *end == '\0' && errno == 0;
	bool is_good = is_number && number >= setting->minimum && number <= setting->maximum;
	if (is_good)
		*number_member(setting, out) = number;
	else
		fprintf(faults, "%s: \"%s\" is no number from %ld to %ld\n", setting->name, value, setting->minimum,
			setting->maximum);
	free(value);
	return is_good;
}

bool settings_read(const struct setting table[], void *out, FILE *faults)
{
	bool is_good = true;
	for (const struct setting *setting = table; setting->name != NULL; setting++) {
		char *value = find_value(setting, faults);
		if (value == NULL)
			is_good = false;
		else if (setting->kind == SETTING_NUMBER)
			is_good &= take_number(setting, value, out, faults);
		else
			is_good &= take_text(setting, value, out, faults);
	}
	return is_good;
}

void settings_clear(const struct setting table[], void *out)
{
	for (const struct setting *setting = table; setting->name != NULL; setting++) {
		if (setting->kind == SETTING_NUMBER)
			continue;
		const char **member = text_member(setting, out);
		char *owned;
		memcpy(&owned, member, sizeof(owned)); /* ours to free, though the struct shows it as const */
		wipe_and_free(owned);
		*member = NULL;
	}
}

static void print_default(const struct setting *setting, FILE *out)
{
	if (setting->fallback == NULL)
		fprintf(out, "required");
	else if (setting->fallback[0] == '\0')
		fprintf(out, "default: none");
	else
		fprintf(out, "default: %s", setting->fallback);
	if (setting->choices != NULL)
		fprintf(out, "; %s", setting->choices);
	if (setting->kind == SETTING_NUMBER)
		fprintf(out, "; %ld to %ld", setting->minimum, setting->maximum);
	if (setting->kind == SETTING_SECRET)
		fprintf(out, "; a secret: better in a file, %s_FILE", setting->name);
}

void settings_list(const struct setting table[], FILE *out)
{
	for (const struct setting *setting = table; setting->name != NULL; setting++) {
		fprintf(out, "  %s\n      %s\n      (", setting->name, setting->help);
		print_default(setting, out);
		fprintf(out, ")\n");
	}
}

void settings_help(const struct setting table[], const char *program, FILE *out)
{
	fprintf(out, "Usage: %s [--help | --check]\n\n", program);
	fprintf(out,
		"--check reads the settings, says what is wrong with them, and ends. Exit 78: a fault in them.\n");
	fprintf(out,
		"Settings are environment variables; NAME_FILE names a file whose first line is the value.\n\n");
	settings_list(table, out);
}
