/* Guards that a test switches off, by a call or by the environment. */
#include "guard.h"

#define GUARD_TEXT(name, text) [name] = text,
static const char *const names[GUARD_COUNT] = { GUARD_LIST(GUARD_TEXT) };
#undef GUARD_TEXT

const char *guard_name(enum guard guard)
{
	return names[guard];
}

#if defined(CRASH_POINTS) || defined(GUARD_SWITCHES)

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_CONFIGURATION = 78 };

struct switches {
	bool is_read;
	bool is_off[GUARD_COUNT];
};

/* A name nobody knows would let a test see no violation, and believe it. */
static void refuse(const char *text)
{
	fprintf(stderr, "GUARD_OFF=%s: no such guard\n", text);
	_exit(EXIT_CONFIGURATION);
}

static void read_names(struct switches *switches, const char *text)
{
	while (text[0] != '\0') {
		size_t length = strcspn(text, ",");
		enum guard guard = 0;
		while (guard < GUARD_COUNT
			&& (strlen(names[guard]) != length || memcmp(names[guard], text, length) != 0))
			guard++;
		if (guard == GUARD_COUNT)
			refuse(text);
		else
			switches->is_off[guard] = true;
		text += length + (text[length] == ',');
	}
}

static struct switches *the_switches(void)
{
	static struct switches switches;
	if (!switches.is_read) {
		const char *text = getenv("GUARD_OFF");
		switches.is_read = true;
		if (text != NULL)
			read_names(&switches, text);
	}
	return &switches;
}

bool guard_is_on(enum guard guard)
{
	return !the_switches()->is_off[guard];
}

void guard_switch_off(enum guard guard)
{
	struct switches *switches = the_switches();
	if (guard == GUARD_COUNT)
		memset(switches->is_off, 0, sizeof(switches->is_off));
	else
		switches->is_off[guard] = true;
}

#endif
