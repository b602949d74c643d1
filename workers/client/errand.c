/* The body's text lives as long as the call. */
#include "errand.h"

#include <stdlib.h>
#include <string.h>

#include "uuid.h"

enum ending errand_run(struct door *door, const struct errand *errand, struct door_answer *answer,
	FILE *faults)
{
	char own_key[UUID_TEXT_BYTES];
	char *text = errand->body == NULL ? NULL : json_dumps(errand->body, JSON_COMPACT);
	json_decref(errand->body);
	*answer = (struct door_answer){ .status = 0 };
	if (text == NULL) {
		fprintf(faults, "%s: all texts have to be UTF-8\n", errand->what);
		return ENDING_FAULT;
	}
	uuid_random(own_key);
	const struct door_request request = {
		.method = "POST",
		.path = errand->path,
		.body = text,
		.body_bytes = strlen(text),
		.key = errand->key == NULL ? own_key : errand->key,
		.wait_s = errand->wait_s,
	};
	enum ending ending = door_call(door, errand->what, &request, answer, faults);
	free(text);
	return ending;
}

enum ending errand_ending(const struct errand *errand, const struct door_answer *answer)
{
	return answer->status == 202 && errand->wait_s > 0 ? ENDING_NO_ANSWER : ENDING_DONE;
}
