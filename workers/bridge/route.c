/* Every path but those without a token (health, metrics, the description), which are the server's own: which route a request takes. */
#include "route.h"

#include <stdio.h>
#include <string.h>

#include "routes.h"

bool path_fits(const char *pattern, const char *path, char id[ROUTE_ID_MAX])
{
	size_t head = strcspn(pattern, "{");
	if (strncmp(pattern, path, head) != 0)
		return false;
	if (pattern[head] == '\0')
		return path[head] == '\0';
	const char *rest = pattern + head + 2;
	size_t length = strcspn(path + head, "/");
	if (length == 0 || length >= ROUTE_ID_MAX || strcmp(path + head + length, rest) != 0)
		return false;
	memcpy(id, path + head, length);
	id[length] = '\0';
	return true;
}

static void add_word(char *text, size_t text_bytes, const char *word, const char *between)
{
	size_t length = strlen(text);
	if (strstr(text, word) == NULL)
		snprintf(text + length, text_bytes - length, "%s%s", length > 0 ? between : "", word);
}

/* HEAD is answered as GET, the server leaves the body out. */
static bool method_fits(const struct route *route, const char *method)
{
	return strcmp(route->method, method) == 0
		|| (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0 && route->kind != ROUTE_STREAM);
}

static const struct route_table *const tables[] = { &blood_routes, &appointment_routes };

enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

/* Notes what the path has, if it is not what was asked for. */
static bool route_fits(const struct route *route, const struct http_exchange *exchange,
	struct finding *finding)
{
	if (!path_fits(route->path, http_path(exchange), finding->id))
		return false;
	if (!method_fits(route, http_method(exchange)))
		add_word(finding->allowed, sizeof(finding->allowed), route->method, ", ");
	else if (route->chosen_by == NULL || http_parameter(exchange, route->chosen_by) != NULL)
		return true;
	else
		add_word(finding->choice, sizeof(finding->choice), route->chosen_by, " or ");
	return false;
}

const struct route *route_find(const struct http_exchange *exchange, struct finding *finding)
{
	*finding = (struct finding){ .id = "" };
	for (size_t table = 0; table < TABLES; table++)
		for (size_t i = 0; i < tables[table]->count; i++)
			if (route_fits(&tables[table]->items[i], exchange, finding))
				return &tables[table]->items[i];
	return NULL;
}

bool route_is_command(enum event event)
{
	for (size_t table = 0; table < TABLES; table++)
		for (size_t i = 0; i < tables[table]->count; i++) {
			const struct route *route = &tables[table]->items[i];
			if (route->kind == ROUTE_COMMAND && route->command->event == event)
				return true;
		}
	return false;
}
