/* Settings of the benches' programs. */
#include "setting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_FAULT = 70 };

_Noreturn void fail(const char *what, const char *detail)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, detail);
	exit(EXIT_FAULT);
}

const char *setting(const char *name)
{
	const char *value = getenv(name);
	if (value == NULL)
		fail(name, "not set");
	return value;
}
