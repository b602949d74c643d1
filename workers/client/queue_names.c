/* A parked queue is called like the one it belongs to, and ".parked". */
#include "queue_names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "topology_data.h"

static const char suffix[] = ".parked";

char *queue_names_origin(const char *queue)
{
	size_t length = strlen(queue), suffix_length = strlen(suffix);
	bool has_suffix = length > suffix_length && strcmp(queue + length - suffix_length, suffix) == 0;
	char *origin = strndup(queue, has_suffix ? length - suffix_length : length);
	if (origin == NULL)
		abort();
	return origin;
}

json_t *queue_names_parked(void)
{
	json_t *topology = json_loads(topology_text, 0, NULL), *names = json_array();
	const json_t *queues = json_object_get(topology, "queues");
	for (size_t i = 0; i < json_array_size(queues); i++) {
		json_t *name = json_object_get(json_array_get(queues, i), "name");
		char *origin = queue_names_origin(json_string_value(name));
		if (strcmp(origin, json_string_value(name)) != 0)
			json_array_append(names, name);
		free(origin);
	}
	json_decref(topology);
	return names;
}
