/* Event names have three words, so a topic pattern that could match one matches the same names when it is read as a glob. */
#include "pattern.h"

#include <stddef.h>

static bool is_star(char c)
{
	return c == '*' || c == '#';
}

bool pattern_matches(const char *pattern, const char *text)
{
	const char *after_star = NULL, *retry = NULL;
	while (*text != '\0') {
		if (is_star(*pattern)) {
			after_star = ++pattern;
			retry = text;
		} else if (*pattern == *text || *pattern == '?') {
			pattern++;
			text++;
		} else if (after_star != NULL) {
			pattern = after_star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (is_star(*pattern))
		pattern++;
	return *pattern == '\0';
}
