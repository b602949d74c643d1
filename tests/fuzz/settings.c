/*
 * libFuzzer: an environment as settings. Each line is the value of one setting, in the environment or in a file. What
 * is read keeps the table's limits; what is refused is named.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "settings.h"

enum { ROWS = 5, VALUE_MAX = 4096, MINIMUM = -5, MAXIMUM = 70000 };

struct values {
	const char *name, *format, *optional, *password;
	long number;
};

static const struct setting table[] = {
	{ .name = "FUZZ_NAME", .kind = SETTING_TEXT, .offset = offsetof(struct values, name), .help = "a name" },
	{ .name = "FUZZ_FORMAT",
		.kind = SETTING_TEXT,
		.offset = offsetof(struct values, format),
		.fallback = "logfmt",
		.choices = "logfmt|json",
		.help = "a format" },
	{ .name = "FUZZ_OPTIONAL",
		.kind = SETTING_TEXT,
		.offset = offsetof(struct values, optional),
		.fallback = "",
		.help = "anything" },
	{ .name = "FUZZ_PASSWORD",
		.kind = SETTING_SECRET,
		.offset = offsetof(struct values, password),
		.help = "a secret" },
	{ .name = "FUZZ_NUMBER",
		.kind = SETTING_NUMBER,
		.offset = offsetof(struct values, number),
		.fallback = "7",
		.minimum = MINIMUM,
		.maximum = MAXIMUM,
		.help = "a number" },
	{ 0 },
};

/* A file with the text; gives its descriptor, and its path in `path`. */
static int write_file(const char *text, char path[static 32])
{
	int file = memfd_create("setting", 0);
	if (file < 0 || write(file, text, strlen(text)) < 0)
		abort();
	snprintf(path, 32, "/proc/self/fd/%d", file);
	return file;
}

/* Sets the row's variables by two bytes and a line; gives the descriptor of its file, or -1. */
static int set_row(const struct setting *row, struct scan *scan)
{
	char file_name[64], path[32];
	int file = -1;
	snprintf(file_name, sizeof(file_name), "%s_FILE", row->name);
	unsetenv(row->name);
	unsetenv(file_name);
	unsigned how = scan_byte(scan) % 8;
	if (how == 0)
		return file;
	char *text = fuzz_text(scan);
	if (how != 1)
		setenv(row->name, text, 1);
	if (how <= 2) {
		file = write_file(text, path);
		setenv(file_name, path, 1);
	}
	free(text);
	return file;
}

static void check_values(const struct values *values)
{
	must(values->name != NULL && values->name[0] != '\0', "a required text is there");
	must(values->password != NULL && values->password[0] != '\0', "a required secret is there");
	must(strlen(values->name) <= VALUE_MAX && strlen(values->password) <= VALUE_MAX,
		"texts keep their limit");
	must(strcmp(values->format, "logfmt") == 0 || strcmp(values->format, "json") == 0,
		"a choice is one of the list");
}

/* Each line of the faults begins with a name of the table. */
static void check_faults(const char *faults)
{
	must(faults[0] != '\0', "a fault is named");
	must(strncmp(faults, "FUZZ_", 5) == 0, "by the variable");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan scan = { .next = data, .left_bytes = size };
	struct values values = { 0 };
	int files[ROWS];
	char *faults = NULL;
	size_t faults_bytes = 0;
	FILE *stream = open_memstream(&faults, &faults_bytes);
	for (int i = 0; i < ROWS; i++)
		files[i] = set_row(&table[i], &scan);
	bool is_good = settings_read(table, &values, stream);
	fclose(stream);
	must(values.number >= MINIMUM && values.number <= MAXIMUM,
		"a number keeps its limits, and is 0 when refused");
	if (is_good)
		check_values(&values);
	else
		check_faults(faults);
	must(!is_good || faults_bytes == 0, "no fault is named when there is none");
	settings_clear(table, &values);
	for (int i = 0; i < ROWS; i++)
		if (files[i] >= 0)
			close(files[i]);
	free(faults);
	return 0;
}
