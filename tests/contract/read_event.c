/* Reads lines `event<TAB>json`; answers each with `ok<TAB>json as written` or `no<TAB>why`. A witness for tests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"

enum { ARENA_LINES = 64 }; /* lines after which memory is given back */

/* All faults begin with the one that schema_read tells. */
static bool is_told(const struct schema_faults *faults, const char *told)
{
	char first[WHY_TEXT_MAX];
	const struct schema_fault *fault = &faults->items[0];
	if (faults->count == 0)
		return false;
	if (faults->is_json)
		snprintf(first, sizeof(first), "%.127s: %.190s", fault->path[0] == '\0' ? "body" : fault->path,
			fault->text);
	else
		snprintf(first, sizeof(first), "%s", fault->text);
	return strcmp(first, told) == 0;
}

static bool agree(const struct event_type *type, const char *json, size_t length, struct arena *arena,
	const char *told)
{
	void *body = NULL;
	struct schema_faults faults;
	bool is_good = schema_read_all(type->schema, json, length, arena, &body, &faults);
	return is_good ? told == NULL && faults.count == 0 : told != NULL && is_told(&faults, told);
}

static void answer(const struct event_type *type, const char *json, size_t length, struct arena *arena)
{
	void *body = NULL;
	struct why why = { 0 };
	struct buffer written;
	buffer_init(&written);
	bool is_good = schema_read(type->schema, json, length, arena, &body, &why);
	if (!agree(type, json, length, arena, is_good ? NULL : why.text))
		printf("%s\tthe reader of all faults is of another opinion than: %s\n", is_good ? "no" : "ok",
			why.text);
	else if (!is_good)
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
