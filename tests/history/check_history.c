/*
 * Checks recorded histories of slots (history.h says how a line looks): check-history [FILE...], or standard input.
 * The last line sums up; exit code 0: linearizable, 1: a violation or undecided, 2: cannot be read.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

enum { FINDINGS_TOLD = 20, EXIT_UNREADABLE = 2 };

static bool read_file(struct history *history, const char *name)
{
	struct why why = { .text = "" };
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
	if (file == NULL) {
		perror(name);
		return false;
	}
	bool is_read = history_read(history, file, &why);
	if (!is_read)
		fprintf(stderr, "%s: %s\n", name, why.text);
	if (file != stdin)
		fclose(file);
	return is_read;
}

static void print_finding(const struct history *history, const struct finding *finding)
{
	printf("%s: slot %s: ", finding->verdict == UNDECIDED ? "undecided" : "violation",
		history_slot_name(history, finding->slot));
	if (finding->verdict == UNDECIDED)
		printf("too many orders are possible at line %" PRIu32, finding->line);
	else
		printf("line %" PRIu32 " fits into no order", finding->line);
	for (size_t i = 0; i < finding->possible_count; i++)
		printf("%s %s", i == 0 ? "; the slot may have been" : ",",
			history_holder_name(history, finding->possible[i]));
	putchar('\n');
}

int main(int argc, char *argv[])
{
	struct finding findings[FINDINGS_TOLD];
	struct history history;
	bool is_read = true;
	history_init(&history);
	if (argc < 2)
		is_read = read_file(&history, "-");
	for (int i = 1; i < argc && is_read; i++)
		is_read = read_file(&history, argv[i]);
	if (!is_read) {
		history_clear(&history);
		return EXIT_UNREADABLE;
	}
	size_t found = history_check(&history, findings, FINDINGS_TOLD);
	for (size_t i = 0; i < found && i < FINDINGS_TOLD; i++)
		print_finding(&history, &findings[i]);
	printf("%zu operations, %zu reads, %zu slots: %zu violations\n", history.count, history.reads,
		history_slots(&history), found);
	history_clear(&history);
	return found == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
