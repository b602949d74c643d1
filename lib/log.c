/*
 * Log lines: built in a fixed buffer, written by one write(2), so that lines of several processes never
 * mix.
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

enum {
	LINE_BYTES_MAX = 4096,
	VALUE_BYTES_MAX = 1024, /* longer values are cut, and end in "..." */
	TAIL_BYTES = 24,        /* kept free for `cut=yes`, the end of the object and the line feed */
};

struct line {
	char text[LINE_BYTES_MAX];
	size_t length;
	bool is_json;
	bool is_full; /* the last addition did not fit */
};

static void put(struct line *line, const char *bytes, size_t length)
{
	if (line->is_full || length > sizeof(line->text) - TAIL_BYTES - line->length) {
		line->is_full = true;
		return;
	}
	memcpy(line->text + line->length, bytes, length);
	line->length += length;
}

static void put_text(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

/* Bytes of the well-formed UTF-8 sequence at `text` (NUL-terminated), or 0. */
static size_t sequence_length(const unsigned char *text)
{
	if (text[0] < 0x80)
		return 1;
	size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	}
	/* overlong forms, surrogates, and what lies behind U+10FFFF */
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f)
		|| (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return length;
}

static void put_escaped(struct line *line, unsigned char byte)
{
	char escape[8];
	if (byte == '"' || byte == '\\')
		snprintf(escape, sizeof(escape), "\\%c", byte);
	else if (byte == '\n')
		snprintf(escape, sizeof(escape), "\\n");
	else
		snprintf(escape, sizeof(escape), "\\u%04x", byte);
	put_text(line, escape);
}

static bool is_escaped(unsigned char byte)
{
	return byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f;
}

static void put_quoted(struct line *line, const char *value)
{
	const unsigned char *cursor = (const unsigned char *)value;
	const unsigned char *end = cursor + strnlen(value, VALUE_BYTES_MAX);
	put(line, "\"", 1);
	while (cursor < end) {
		size_t length = sequence_length(cursor);
		if (length == 0)
			put(line, "?", 1);
		else if (is_escaped(*cursor))
			put_escaped(line, *cursor);
		else
			put(line, (const char *)cursor, length);
		cursor += length == 0 ? 1 : length;
	}
	if (*cursor != '\0')
		put_text(line, "...");
	put(line, "\"", 1);
}

/* Whether logfmt can hold the value without quotes. */
static bool is_plain(const char *value)
{
	size_t length = strnlen(value, VALUE_BYTES_MAX + 1);
	if (length == 0 || length > VALUE_BYTES_MAX)
		return false;
	for (; *value != '\0'; value++) {
		if (*value <= ' ' || *value >= 0x7f || *value == '"' || *value == '=' || *value == '\\')
			return false;
	}
	return true;
}

/* A pair that does not fit is left out as a whole. */
static void put_pair(struct line *line, const char *key, const char *value)
{
	size_t before = line->length;
	if (line->is_json) {
		put(line, before == 0 ? "{" : ",", 1);
		put_quoted(line, key);
		put(line, ":", 1);
		put_quoted(line, value);
	} else {
		put(line, " ", before == 0 ? 0 : 1);
		put_text(line, key);
		put(line, "=", 1);
		if (is_plain(value))
			put_text(line, value);
		else
			put_quoted(line, value);
	}
	if (line->is_full)
		line->length = before;
}

static void finish(struct line *line)
{
	const char *cut = !line->is_full ? "" : line->is_json ? ",\"cut\":\"yes\"" : " cut=yes";
	int added = snprintf(line->text + line->length, TAIL_BYTES, "%s%s\n", cut, line->is_json ? "}" : "");
	line->length += (size_t)added;
}

/* A log that cannot be written is no reason to stop the work. */
static void write_out(const struct line *line)
{
	ssize_t written;
	do {
		written = write(STDERR_FILENO, line->text, line->length);
	} while (written < 0 && errno == EINTR);
}

static const char *level_name(enum log_level level)
{
	static const char *const names[] = {
		[LOG_DEBUG_LEVEL] = "debug",
		[LOG_INFO_LEVEL] = "info",
		[LOG_WARNING_LEVEL] = "warning",
		[LOG_ERROR_LEVEL] = "error",
	};
	return names[level];
}

void log_line(const struct log *log, enum log_level level, const char *what, ...)
{
	if (level < log->level)
		return;
	struct line line = { .is_json = log->is_json };
	char now[TIME_TEXT_BYTES];
	time_print(clock_now_us(), now);
	put_pair(&line, "time", now);
	put_pair(&line, "level", level_name(level));
	put_pair(&line, "worker", log->worker);
	put_pair(&line, "what", what);
	va_list pairs;
	va_start(pairs, what);
	for (const char *key = va_arg(pairs, const char *); key != NULL; key = va_arg(pairs, const char *)) {
		const char *value = va_arg(pairs, const char *);
		if (value != NULL)
			put_pair(&line, key, value);
	}
	va_end(pairs);
	finish(&line);
	write_out(&line);
}
