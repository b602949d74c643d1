/* Reads lines `event<TAB>json`; answers each with `ok<TAB>json as written` or `no<TAB>why`. A witness for tests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"

enum { ARENA_LINES = 64 }; /* lines after which memory is given back */

static void answer(const struct event_type *type, const char *json, size_t length, struct arena *arena)
{
	void *body = NULL;
	struct why why = { 0 };
	struct buffer written;
	buffer_init(&written);
	if (!schema_read(type->schema, json, length, arena, &body, &why))
		printf("no\t%s\n", why.text);
	else if (!schema_check(type->schema, body, &why))
		printf("no\tread, but not to be written: %s\n", why.text);
	else if (schema_write(type->schema, body, &written))
		printf("ok\t%s\n", buffer_text(&written));
	buffer_clear(&written);
}

int main(void)
{
	struct arena arena;
	arena_init(&arena);
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	for (size_t count = 1; (length = getline(&line, &capacity, stdin)) > 0; count++) {
		char *tab = memchr(line, '\t', (size_t)length);
		if (tab == NULL || line[length - 1] != '\n')
			return EXIT_FAILURE;
		*tab = '\0';
		const struct event_type *type = event_type(event_find(line));
		if (type == NULL)
			return EXIT_FAILURE;
		answer(type, tab + 1, (size_t)(line + length - 1 - (tab + 1)), &arena);
		if (count % ARENA_LINES == 0)
			arena_reset(&arena);
	}
	free(line);
	arena_clear(&arena);
	return EXIT_SUCCESS;
}
