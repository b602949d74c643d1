/* Settings of the benches' programs. */
#include "setting.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_FAULT = 70 };

void fail(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(EXIT_FAULT);
}

const char *setting(const char *name)
{
	const char *value = getenv(name);
	if (value == NULL)
		fail("%s is not set", name);
	return value;
}
