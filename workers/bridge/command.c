/* JSON in, the path and the caller added, the generated reader asked, JSON out. */
#include "command.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "caller.h"

static bool refuse(struct problem *problem, unsigned status, const char *code, const char *detail)
{
	*problem = (struct problem){ .status = status, .code = code, .detail = detail };
	return false;
}

static bool refuse_faults(struct problem *problem, const struct schema_faults *faults)
{
	*problem = (struct problem){
		.status = faults->is_json ? 422 : 400,
		.code = faults->is_json ? "invalid" : "malformed",
		.detail = faults->is_json ? "the body does not fit the contract; see errors" : "the body is no JSON",
		.faults = faults,
	};
	return false;
}

/* NULL: no JSON object; the schema's own reader tells what is wrong with it. */
static json_t *parse(const char *text, size_t length)
{
	json_t *object =
		json_loadb(length == 0 ? "{}" : text, length == 0 ? 2 : length, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(object))
		return object;
	json_decref(object);
	return NULL;
}

static void set_default(json_t *object, const char *member, const char *value)
{
	if (member != NULL && value[0] != '\0' && json_object_get(object, member) == NULL)
		json_object_set_new(object, member, json_string(value));
}

static bool is_other(const json_t *object, const char *member, const char *value)
{
	const json_t *there = member == NULL ? NULL : json_object_get(object, member);
	return json_is_string(there) && strcasecmp(json_string_value(there), value) != 0;
}

/* NULL: the command has no such member. */
static const struct field *find_field(const struct command *command, const char *member)
{
	const struct schema *schema = event_type(command->event)->schema;
	for (size_t i = 0; member != NULL && i < schema->field_count; i++)
		if (strcmp(schema->fields[i].name, member) == 0)
			return &schema->fields[i];
	return NULL;
}

/* What the contract requires, the sender says himself. */
static bool is_required(const struct command *command, const char *member)
{
	const struct field *field = find_field(command, member);
	return field != NULL && field->is_required;
}

/* Whose word it is. Who is of one facility speaks for it, and for no patient; a token for everything may say as whom it acts. */
static void sign(json_t *object, const struct command *command, const struct caller *caller)
{
	if (find_field(command, "role") != NULL)
		json_object_set_new(object, "role", json_string(token_role_name(caller->role)));
	if (caller->facility_id[0] == '\0')
		return;
	json_object_set_new(object, "facility_id", json_string(caller->facility_id));
	json_object_del(object, "patient_ref");
}

/* A token for everything acts in no facility's name. */
static bool complete(json_t *object, const struct command *command, const struct caller *caller,
	const char *id, const char *key, struct problem *problem)
{
	if (is_other(object, command->id_member, id))
		return refuse(problem, 422, "invalid", "the body and the path name different things");
	if (command->id_member != NULL)
		json_object_set_new(object, command->id_member, json_string(id));
	if (!is_required(command, command->facility))
		set_default(object, command->facility, caller->facility_id);
	set_default(object, command->actor, caller->subject);
	set_default(object, command->key, key);
	if (command->is_signed)
		sign(object, command, caller);
	if (caller->facility_id[0] != '\0' && is_other(object, command->facility, caller->facility_id))
		return refuse(problem, 403, "forbidden", "the token is of another facility");
	return true;
}

/* A path's id that the contract does not allow names nothing. */
static bool names_nothing(const struct command *command, const struct schema_faults *faults)
{
	for (size_t i = 0; command->id_member != NULL && i < faults->count; i++)
		if (strcmp(faults->items[i].path + (faults->items[i].path[0] == '/'), command->id_member) == 0)
			return true;
	return false;
}

static bool read_completed(const struct command *command, const json_t *object, struct arena *arena,
	void **body, struct problem *problem)
{
	const struct schema *schema = event_type(command->event)->schema;
	struct schema_faults *faults = arena_new(arena, sizeof(*faults));
	char *text = json_dumps(object, JSON_COMPACT);
	if (text == NULL)
		abort();
	bool is_good = schema_read_all(schema, text, strlen(text), arena, body, faults);
	free(text);
	if (!is_good && names_nothing(command, faults))
		return refuse(problem, 404, "not_found", "there is no such thing: the path holds no id");
	return is_good || refuse_faults(problem, faults);
}

static bool refuse_text(const struct schema *schema, const char *text, size_t length, struct arena *arena,
	struct problem *problem)
{
	struct schema_faults *faults = arena_new(arena, sizeof(*faults));
	void *body;
	if (schema_read_all(schema, text, length, arena, &body, faults))
		abort(); /* what it reads, the parser of the same library reads */
	return refuse_faults(problem, faults);
}

bool command_write(const struct command *command, const struct caller *caller, const char *id,
	const char *key, const char *text, size_t length, struct arena *arena, struct buffer *out, void **body,
	struct problem *problem)
{
	const struct schema *schema = event_type(command->event)->schema;
	json_t *object = parse(text, length);
	if (object == NULL)
		return refuse_text(schema, text, length, arena, problem);
	bool is_good = complete(object, command, caller, id, key, problem)
		&& read_completed(command, object, arena, body, problem);
	json_decref(object);
	if (is_good && !schema_write(schema, *body, out))
		abort(); /* it was read by the same schema */
	return is_good;
}
