/* Texts to JSON by the kinds of the schema's members; the generated reader checks the rest. */
#include "query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static const char *const cursors[] = { "cursor", "after" };

static const struct field *find_field(const struct schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->field_count; i++)
		if (strcmp(schema->fields[i].name, name) == 0)
			return &schema->fields[i];
	return NULL;
}

/* What is no number stays a text: the reader then says so. */
static json_t *to_json(const struct field *field, const char *text)
{
	char *end;
	if (field == NULL || field->kind != VALUE_INTEGER)
		return json_string(text);
	errno = 0;
	long long number = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' ? json_integer(number) : json_string(text);
}

static json_t *collect(const struct query *query)
{
	json_t *object = json_object();
	for (const char *const *name = query->route->parameters; *name != NULL; name++) {
		const char *text = http_parameter(query->exchange, *name);
		json_t *value = text == NULL ? NULL : to_json(find_field(query->schema, *name), text);
		if (value != NULL)
			json_object_set_new(object, *name, value);
	}
	return object;
}

static bool is_cursor(const char *name)
{
	return strcmp(name, cursors[0]) == 0 || strcmp(name, cursors[1]) == 0;
}

/* The owner cannot refuse a question, so a cursor that is none of his is refused here. */
static bool check_cursor(const struct query *query, struct problem *problem)
{
	const struct reading *reading = query->route->reading;
	for (const char *const *name = query->route->parameters; *name != NULL; name++) {
		const char *cursor = is_cursor(*name) ? http_parameter(query->exchange, *name) : NULL;
		if (cursor == NULL || reading->knows_cursor == NULL || reading->knows_cursor(cursor))
			continue;
		*problem = (struct problem){
			.status = 400, .code = "malformed", .detail = "the cursor is none that a page of this list gave"
		};
		return false;
	}
	return true;
}

static bool check_facility(const struct query *query, json_t *object, struct problem *problem)
{
	const char *own = query->caller->facility_id;
	if (query->facility == NULL || own[0] == '\0')
		return true;
	if (json_object_get(object, query->facility) == NULL)
		json_object_set_new(object, query->facility, json_string(own));
	const char *asked = json_string_value(json_object_get(object, query->facility));
	if (asked != NULL && strcmp(asked, own) == 0)
		return true;
	*problem =
		(struct problem){ .status = 403, .code = "forbidden", .detail = "the token is of another facility" };
	return false;
}

static bool read_checked(const struct query *query, const json_t *object, struct arena *arena,
	struct buffer *out, struct problem *problem)
{
	struct schema_faults *faults = arena_new(arena, sizeof(*faults));
	char *text = json_dumps(object, JSON_COMPACT);
	void *question;
	if (text == NULL)
		abort();
	bool is_good = schema_read_all(query->schema, text, strlen(text), arena, &question, faults);
	free(text);
	if (is_good)
		return schema_write(query->schema, question, out);
	*problem = (struct problem){
		.status = 422,
		.code = "invalid",
		.detail = "a parameter of the query does not fit; see errors",
		.faults = faults,
	};
	return false;
}

bool query_write(const struct query *query, struct arena *arena, struct buffer *out, struct problem *problem)
{
	if (!check_cursor(query, problem))
		return false;
	json_t *object = collect(query);
	bool is_good = check_facility(query, object, problem) && read_checked(query, object, arena, out, problem);
	json_decref(object);
	return is_good;
}

/* RFC 3986: everything but the unreserved characters is encoded. */
static void add_encoded(struct buffer *out, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	for (; *text != '\0'; text++)
		if (strchr(plain, *text) != NULL)
			buffer_add_byte(out, (unsigned char)*text);
		else
			buffer_print(out, "%%%02X", (unsigned)(unsigned char)*text);
}

const char *query_link(const struct http_exchange *exchange, const struct route *route, const char *cursor,
	struct arena *arena)
{
	struct buffer text;
	char separator = '?';
	buffer_init(&text);
	buffer_print(&text, "<%s", route->path);
	for (const char *const *name = route->parameters; *name != NULL; name++) {
		const char *value = is_cursor(*name) ? cursor : http_parameter(exchange, *name);
		if (value == NULL)
			continue;
		buffer_print(&text, "%c%s=", separator, *name);
		add_encoded(&text, value);
		separator = '&';
	}
	buffer_add_text(&text, ">; rel=\"next\"");
	const char *link = arena_text(arena, buffer_text(&text));
	buffer_clear(&text);
	return link;
}
