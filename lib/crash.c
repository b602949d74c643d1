/* Crash points: a test names one in CRASH_AT, and the process dies there as if the power had gone. */
#include "crash.h"

#define CRASH_POINT_TEXT(name, text) [name] = text,
static const char *const names[CRASH_POINT_COUNT] = { CRASH_POINT_LIST(CRASH_POINT_TEXT) };
#undef CRASH_POINT_TEXT

const char *crash_point_name(enum crash_point point)
{
	return names[point];
}

#ifdef CRASH_POINTS

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_CONFIGURATION = 78 };

struct plan {
	bool is_read;
	enum crash_point point; /* CRASH_POINT_COUNT = nowhere */
	long passages_left;     /* of that point; dies when it reaches 0 */
	const char *armed_by;   /* passages count only while this file exists; NULL: always */
};

/* A name nobody knows would make a sweep pass without ever killing anything. */
static void refuse(const char *text)
{
	fprintf(stderr, "CRASH_AT=%s: no such crash point, want <name>[:<n from 1>]\n", text);
	_exit(EXIT_CONFIGURATION);
}

static struct plan read_plan(const char *text)
{
	struct plan plan = {
		.is_read = true, .point = CRASH_POINT_COUNT, .passages_left = 1, .armed_by = getenv("CRASH_WHILE")
	};
	if (text == NULL || text[0] == '\0')
		return plan;
	size_t length = strcspn(text, ":");
	for (enum crash_point point = 0; point < CRASH_POINT_COUNT; point++) {
		if (strlen(names[point]) == length && memcmp(names[point], text, length) == 0)
			plan.point = point;
	}
	if (text[length] == ':') {
		char *end;
		plan.passages_left = strtol(text + length + 1, &end, 10);
		if (*end != '\0')
			plan.passages_left = 0;
	}
	if (plan.point == CRASH_POINT_COUNT || plan.passages_left < 1)
		refuse(text);
	return plan;
}

static bool is_armed(const struct plan *plan)
{
	return plan->armed_by == NULL || access(plan->armed_by, F_OK) == 0;
}

static struct plan *the_plan(void)
{
	static struct plan plan;
	if (!plan.is_read)
		plan = read_plan(getenv("CRASH_AT"));
	return &plan;
}

void crash_point_pass(enum crash_point point)
{
	struct plan *plan = the_plan();
	if (point == plan->point && is_armed(plan) && --plan->passages_left == 0)
		kill(getpid(), SIGKILL);
}

bool crash_point_is_next(enum crash_point point)
{
	const struct plan *plan = the_plan();
	return point == plan->point && is_armed(plan) && plan->passages_left == 1;
}

#endif
