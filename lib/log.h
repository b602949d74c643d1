/* Log lines on stderr, logfmt or JSON: for programs, never for library or domain code. */
#pragma once

#include <stdbool.h>

enum log_level { LOG_DEBUG_LEVEL, LOG_INFO_LEVEL, LOG_WARNING_LEVEL, LOG_ERROR_LEVEL };

struct log {
	const char *worker;
	enum log_level level; /* lines below it are left out */
	bool is_json;
};

/*
 * One line: time, level, worker, then `what` and pairs of key, value (both const char *) ending with
 * NULL. A NULL value leaves its pair out. Values are quoted as needed; one line never exceeds 4 KiB.
 */
void log_line(const struct log *log, enum log_level level, const char *what, ...) __attribute__((sentinel));
