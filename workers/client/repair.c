/* One call of the management API for each thing. */
#include "repair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"

enum { MEMBER_BYTES = 64 };

bool repair_is_possible(const struct part *part, enum difference_kind kind)
{
	bool is_made_anew = kind == DIFFERENCE_OTHER && part->is_replaced;
	return part->path != NULL && (kind == DIFFERENCE_MISSING || is_made_anew);
}

const char *repair_advice(const struct part *part, enum difference_kind kind)
{
	if (repair_is_possible(part, kind))
		return "apply makes it";
	if (kind == DIFFERENCE_SURPLUS)
		return "remove it by hand, or take it into the contract";
	if (part->path == NULL)
		return "users have passwords: make it by hand";
	return "drain it, delete it by hand, then apply";
}

/* Adds the thing's member to a path. The API's letter for a destination is its type's first. */
static void add_member(struct buffer *path, struct management *management, const json_t *thing,
	const char *member)
{
	const char *value = json_string_value(json_object_get(thing, member));
	char *encoded = management_encode(management, value == NULL ? "" : value);
	buffer_add(path, encoded, strcmp(member, "destination_type") == 0 ? 1 : strlen(encoded));
	free(encoded);
}

/* "queues/%v/{name}" with the thing's own members. */
static void make_path(struct buffer *path, struct management *management, const char *pattern,
	const json_t *thing)
{
	while (*pattern != '\0') {
		size_t plain = strcspn(pattern, "{"), length = strcspn(pattern + plain, "}");
		buffer_add(path, pattern, plain);
		pattern += plain;
		if (*pattern == '\0')
			return;
		char member[MEMBER_BYTES];
		snprintf(member, sizeof(member), "%.*s", (int)length - 1, pattern + 1);
		add_member(path, management, thing, member);
		pattern += length + 1;
	}
}

bool repair(struct management *management, const struct part *part, const json_t *expected, struct why *why)
{
	struct buffer path;
	buffer_init(&path);
	make_path(&path, management, part->path, expected);
	bool is_done = management_call(management, part->method, buffer_text(&path), expected, NULL, why);
	buffer_clear(&path);
	return is_done;
}
