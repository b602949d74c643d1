/* Canonical texts of requests. */
#include "request_body.h"

#include <stdlib.h>
#include <string.h>

#include "schema.h"

const char *request_body_write(const struct hospital_blood_requested *asked, struct arena *arena)
{
	struct hospital_blood_requested content = *asked;
	struct buffer buffer = { 0 };
	content.has_requested_at = false;
	content.has_version = false;
	if (!schema_write(&hospital_blood_requested_schema, &content, &buffer))
		abort(); /* it was read by the same schema */
	const char *text = arena_bytes(arena, buffer.data, buffer.length_bytes);
	buffer_clear(&buffer);
	return text;
}

bool request_body_read(const char *body, struct arena *arena, const struct hospital_blood_requested **out,
	struct why *why)
{
	void *asked;
	if (!schema_read(&hospital_blood_requested_schema, body, strlen(body), arena, &asked, why))
		return false;
	*out = asked;
	return true;
}

bool request_body_is_same(const char *kept, const char *body, struct arena *arena)
{
	const struct hospital_blood_requested *asked;
	struct why why = { 0 };
	if (strcmp(kept, body) == 0)
		return true;
	return request_body_read(kept, arena, &asked, &why)
		&& strcmp(request_body_write(asked, arena), body) == 0;
}
