/* The command's own words, under the names that its owner will use. */
#include "guess.h"

#include <stdlib.h>

#include <jansson.h>

char *guess_write(const struct guess *guess, const char *id, const char *command, size_t command_bytes)
{
	json_t *body = json_loadb(command, command_bytes, 0, NULL);
	json_t *view = json_loads(guess->rest, 0, NULL);
	json_object_set_new(view, guess->id_member, json_string(id));
	for (const char *const *member = guess->members; *member != NULL; member += 2)
		if (json_object_get(body, member[0]) != NULL)
			json_object_set(view, member[1], json_object_get(body, member[0]));
	char *text = json_dumps(view, JSON_COMPACT);
	json_decref(view);
	json_decref(body);
	if (text == NULL)
		abort();
	return text;
}
