/* Outcomes and the reasons behind them. */
#include "outcome.h"

#include <stdio.h>

__attribute__((format(printf, 3, 0))) static void fill(struct why *why, const char *reason,
	const char *format, va_list arguments)
{
	if (reason != NULL)
		snprintf(why->reason, sizeof(why->reason), "%s", reason);
	vsnprintf(why->text, sizeof(why->text), format, arguments);
}

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[] = {
		[DONE] = "done",
		[RETRY] = "retry",
		[REJECT] = "reject",
		[STOP] = "stop",
	};
	return names[outcome];
}

enum outcome reject(struct why *why, const char *reason, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fill(why, reason, format, arguments);
	va_end(arguments);
	return REJECT;
}

enum outcome retry(struct why *why, const char *reason, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fill(why, reason, format, arguments);
	va_end(arguments);
	return RETRY;
}

enum outcome stop(struct why *why, const char *reason, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fill(why, reason, format, arguments);
	va_end(arguments);
	return STOP;
}

bool because(struct why *why, const char *reason, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fill(why, reason, format, arguments);
	va_end(arguments);
	return false;
}
