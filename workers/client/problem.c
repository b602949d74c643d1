/* A table of statuses; the texts of the answer are shown without control characters. */
#include "problem.h"

#include <stdio.h>
#include <string.h>

#include "print.h"

enum { TEXT_BYTES = 512, ERRORS_SHOWN = 50 };

static const struct meaning {
	long status;
	enum ending ending;
	const char *name;   /* the answer's own title is HTTP's, and says less */
	const char *advice; /* "" = none */
} meanings[] = {
	{ 400, ENDING_FAULT, "not understood", "this program and the bridge may be of different versions" },
	{ 401, ENDING_FAULT, "the token is not known, or has expired",
		"set CAREBUS_TOKEN to a good one; `carebus token add` makes one" },
	{ 403, ENDING_NO, "not allowed", "a token of another role or facility is needed" },
	{ 404, ENDING_NO, "there is no such thing", "check the id" },
	{ 405, ENDING_FAULT, "not possible here", "this program and the bridge may be of different versions" },
	{ 409, ENDING_NO, "its state forbids it", "look at its present state, then decide anew" },
	{ 412, ENDING_NO, "it has changed meanwhile", "read it again, then decide anew" },
	{ 413, ENDING_FAULT, "too large", "send it in smaller parts" },
	{ 415, ENDING_FAULT, "not understood", "this program and the bridge may be of different versions" },
	{ 422, ENDING_NO, "not valid", "mend what is named, and send it again" },
	{ 428, ENDING_FAULT, "its version has to be named",
		"this program and the bridge may be of different versions" },
	{ 429, ENDING_FAULT, "too many requests for this token", "try again later, or ask for a higher rate" },
	{ 503, ENDING_FAULT, "the bridge cannot reach what it needs",
		"try again later; `compose/status` tells what runs" },
	{ 504, ENDING_NO_ANSWER, "no answer in time", "ask again; the same request does nothing twice" },
};

static const struct meaning *find(long status)
{
	static const struct meaning other = { 0, ENDING_FAULT, "refused", "" };
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].status == status)
			return &meanings[i];
	return &other;
}

enum ending problem_ending(long status)
{
	return status >= 200 && status <= 299 ? ENDING_DONE : find(status)->ending;
}

/* "" where there is none. */
static const char *text_of(const json_t *body, const char *name, char out[TEXT_BYTES])
{
	print_safe(json_string_value(json_object_get(body, name)), out, TEXT_BYTES);
	return out;
}

/* The first of those members that is there; "" = none. */
static const char *first_of(const json_t *error, const char *const names[], char out[TEXT_BYTES])
{
	out[0] = '\0';
	for (size_t i = 0; names[i] != NULL && out[0] == '\0'; i++)
		text_of(error, names[i], out);
	return out;
}

/* The place is a JSON pointer or a parameter's name. */
static void write_error(const json_t *error, struct buffer *out)
{
	static const char *const places[] = { "pointer", "field", "parameter", "header", NULL };
	static const char *const details[] = { "detail", "why", NULL };
	char place[TEXT_BYTES], detail[TEXT_BYTES];
	first_of(error, places, place);
	first_of(error, details, detail);
	buffer_print(out, "  %s%s%s\n", place, place[0] == '\0' ? "" : ": ", detail);
}

static void write_errors(const json_t *errors, struct buffer *out)
{
	size_t count = json_array_size(errors);
	for (size_t i = 0; i < count && i < ERRORS_SHOWN; i++)
		write_error(json_array_get(errors, i), out);
	if (count > ERRORS_SHOWN)
		buffer_print(out, "  and %zu more\n", count - ERRORS_SHOWN);
}

void problem_write(const struct problem *problem, const char *what, struct buffer *out)
{
	const struct meaning *meaning = find(problem->status);
	char detail[TEXT_BYTES], code[TEXT_BYTES], state[TEXT_BYTES];
	text_of(problem->body, "detail", detail);
	text_of(problem->body, "code", code);
	buffer_print(out, "%s: %s%s%s (%ld%s%s)\n", what, meaning->name, detail[0] == '\0' ? "" : ": ", detail,
		problem->status, code[0] == '\0' ? "" : " ", code);
	if (text_of(problem->body, "state", state)[0] != '\0')
		buffer_print(out, "  state: %s\n", state);
	write_errors(json_object_get(problem->body, "errors"), out);
	if (problem->retry_after_s > 0)
		buffer_print(out, "try again in %ld s\n", problem->retry_after_s);
	else if (meaning->advice[0] != '\0')
		buffer_print(out, "%s\n", meaning->advice);
}
