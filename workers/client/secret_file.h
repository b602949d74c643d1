/* Small files that hold secrets: mode 0600, always whole, never changed by two programs at once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "outcome.h"

struct secret_file {
	char *path;   /* where the file really is; owned */
	char *folder; /* that it is in; owned */
	int open_folder;
};

/* Follows links. The file need not exist, its folder must. False: nothing is to be closed. */
bool secret_file_open(struct secret_file *file, const char *path, struct why *why);
void secret_file_close(struct secret_file *file); /* ends the lock too */

/* Locks the folder against others who do the same; waits at most 10 s for them. */
bool secret_file_lock(const struct secret_file *file, struct why *why);

bool secret_file_exists(const struct secret_file *file);

/*
 * The whole file becomes `text`: written beside it with mode 0600, synced, renamed. An existing file keeps its owner. On failure the old file is as
 * it was.
 */
bool secret_file_replace(const struct secret_file *file, const void *text, size_t length, struct why *why);
