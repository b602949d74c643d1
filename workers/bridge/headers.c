/* Read by hand: a list's members, one after the other. */
#include "headers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	WAIT_DIGITS_MAX = 6, /* more are more than anyone may wait */
	TRACEPARENT_LENGTH = 55,
};

static const char blank[] = " \t";

/* From behind the =: the seconds, or -1 when they are none. "10" in quotes is the same (RFC 7240 section 2). */
static long seconds_of(const char *text, long most)
{
	bool is_quoted = *text == '"';
	text += is_quoted;
	size_t digits = strspn(text, "0123456789");
	const char *end = text + digits;
	if (digits == 0 || (is_quoted && *end++ != '"') || strchr(" \t,;", *end) == NULL)
		return -1;
	long seconds = digits > WAIT_DIGITS_MAX ? most : strtol(text, NULL, 10);
	return seconds < most ? seconds : most;
}

/* One preference of the list, from its first letter: the seconds, or -1 when it is another one. */
static long wait_of(const char *text, long most)
{
	if (strncasecmp(text, "wait", 4) != 0)
		return -1;
	text += 4 + strspn(text + 4, blank);
	if (*text != '=')
		return -1;
	return seconds_of(text + 1 + strspn(text + 1, blank), most);
}

/* The length up to the next comma that is in no quotes. */
static size_t member_length(const char *text)
{
	size_t length = 0;
	for (bool is_quoted = false; text[length] != '\0' && (is_quoted || text[length] != ','); length++) {
		if (is_quoted && text[length] == '\\' && text[length + 1] != '\0')
			length++;
		else if (text[length] == '"')
			is_quoted = !is_quoted;
	}
	return length;
}

long prefer_wait_s(const char *prefer, long most)
{
	while (prefer != NULL && *prefer != '\0') {
		prefer += strspn(prefer, " \t,");
		long seconds = wait_of(prefer, most);
		if (seconds >= 0)
			return seconds;
		prefer += member_length(prefer);
	}
	return 0;
}

/* Weak comparison: a tag of ours that came back as W/ names the same version. */
static bool is_tag(const char *member, size_t length, const char *etag)
{
	while (length > 0 && strchr(blank, member[length - 1]) != NULL)
		length--;
	if (length > 2 && strncmp(member, "W/", 2) == 0) {
		member += 2;
		length -= 2;
	}
	return length == strlen(etag) && memcmp(member, etag, length) == 0;
}

bool etag_is_named(const char *header, const char *etag)
{
	while (header != NULL && *header != '\0') {
		header += strspn(header, " \t,");
		size_t length = member_length(header);
		if (is_tag(header, length, "*") || is_tag(header, length, etag))
			return true;
		header += length;
	}
	return false;
}

bool traceparent_is_good(const char *text)
{
	static const char form[] = "00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
	if (strlen(text) != TRACEPARENT_LENGTH)
		return false;
	for (size_t i = 0; i < TRACEPARENT_LENGTH; i++)
		if (form[i] == 'x' ? strchr("0123456789abcdef", text[i]) == NULL : text[i] != form[i])
			return false;
	return true;
}
