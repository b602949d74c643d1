/* Answers to questions about units: one by its id, or pages of many. */
#include "bloodbank.h"
#include "bloodbank_queries.h"
#include "cursor.h"
#include "page.h"
#include "rows.h"

enum { PAGE_PARAMETERS = 6 };

static struct bank_unit describe(const struct bag *bag)
{
	const struct stored_unit *facts = bag->facts;
	return (struct bank_unit){
		.din = facts->din,
		.product_code = facts->product_code,
		.division = facts->division,
		.component = facts->component,
		.group = facts->group,
		.collected_at = facts->collected_at,
		.expires_at = facts->expires_at,
		.anticoagulant = facts->anticoagulant,
		.additive = facts->additive,
		.attributes = facts->attributes,
		.attributes_count = facts->attributes_count,
		.antigens = facts->antigens,
		.antigens_count = facts->antigens_count,
		.volume_ml = facts->volume_ml,
		.has_volume_ml = facts->has_volume_ml,
		.batch = facts->batch,
		.donor_ref = facts->donor_ref,
		.designated_for = facts->designated_for,
		.initial_status = facts->initial_status,
		.parents = facts->parents,
		.parents_count = facts->parents_count,
		.unit_id = facts->unit_id,
		.status = facts->status,
		.bank_id = bag->unit.bank_id,
		.request_id = bag->request_id,
		.reserved_until = bag->reserved_until,
		.has_reserved_until = bag->status == UNIT_STATUS_RESERVED,
		.version = bag->version,
	};
}

/* Units by their ids. */
struct unit_list {
	const char **unit_ids;
	size_t ids_count;
	struct bank_unit *units; /* in that order; those that are not there are left out */
	size_t count;
};

static enum outcome find_units(struct unit_list *list, struct database *database, struct arena *arena,
	struct why *why)
{
	struct parameter ids;
	struct state *state = state_new(arena, &rules_default, 0);
	parameters_arrays(&ids, "t");
	for (size_t i = 0; i < list->ids_count; i++)
		parameter_text(&ids, list->unit_ids[i]);
	int ticket = database_send(database, &unit_find, &ids, 1);
	parameter_clear(&ids);
	const struct rows *rows = database_rows(database, ticket, why);
	if (rows == NULL)
		return database_failure(database, why);
	read_units(state, rows);
	list->units = arena_array(arena, list->ids_count, sizeof(*list->units));
	for (size_t i = 0; i < list->ids_count; i++) {
		const struct bag *bag = state_bag(state, list->unit_ids[i]);
		if (bag != NULL)
			list->units[list->count++] = describe(bag);
	}
	return DONE;
}

enum outcome answer_unit(const struct message *message, struct database *database, enum event *answer_event,
	const void **answer, struct why *why)
{
	const struct bloodbank_query_unit *question = message->body;
	const char *unit_id = question->unit_id;
	struct unit_list list = { .unit_ids = &unit_id, .ids_count = 1 };
	enum outcome outcome = find_units(&list, database, message->arena, why);
	if (outcome != DONE)
		return outcome;
	struct bloodbank_unit_answered *body = arena_new(message->arena, sizeof(*body));
	body->found = list.count > 0;
	body->as_of = message->now;
	body->has_as_of = true;
	body->unit = list.count > 0 ? list.units : NULL;
	*answer_event = BLOODBANK_UNIT_ANSWERED;
	*answer = body;
	return DONE;
}

/* One of the names, or all of them. */
static void add_names(struct parameter *list, const char *(*name_of)(unsigned int value), unsigned int wanted)
{
	for (unsigned int value = 1; name_of(value) != NULL; value++)
		if (wanted == 0 || value == wanted)
			parameter_text(list, name_of(value));
}

static const char *component_at(unsigned int value)
{
	return component_name((enum component)value);
}

static const char *group_at(unsigned int value)
{
	return value == BLOOD_GROUP_UNKNOWN ? NULL : blood_group_name((enum blood_group)value);
}

static const char *status_at(unsigned int value)
{
	return unit_status_name((enum unit_status)value);
}

/* Asks for one more than the page holds, to see whether there is a next one. All units of all banks need no filter. */
static int send_page(const struct bloodbank_query_units *question, struct database *database)
{
	bool is_filtered = question->bank_id != NULL || question->component != COMPONENT_NONE
		|| question->group != BLOOD_GROUP_NONE || question->status != UNIT_STATUS_NONE;
	struct parameter parameters[PAGE_PARAMETERS];
	parameter_init(&parameters[0], PARAMETER_TEXT, false);
	parameter_init(&parameters[1], PARAMETER_INT, false);
	parameters_arrays(&parameters[2], "ttt");
	parameter_init(&parameters[5], PARAMETER_TEXT, false);
	parameter_text(&parameters[0], question->cursor == NULL ? "" : question->cursor);
	parameter_int(&parameters[1], question->limit + 1);
	add_names(&parameters[2], component_at, question->component);
	add_names(&parameters[3], group_at, question->group);
	add_names(&parameters[4], status_at, question->status);
	parameter_text(&parameters[5], question->bank_id);
	int ticket = database_send(database, is_filtered ? &unit_page_of : &unit_page, parameters,
		is_filtered ? PAGE_PARAMETERS : 2);
	parameters_clear(parameters, PAGE_PARAMETERS);
	return ticket;
}

enum outcome answer_units(const struct message *message, struct database *database, enum event *answer_event,
	const void **answer, struct why *why)
{
	const struct bloodbank_query_units *question = message->body;
	if (question->cursor != NULL && !cursor_is_unit_id(question->cursor))
		return reject(why, "cursor", "'%s' is no cursor; use next of an answer", question->cursor);
	const struct rows *rows = database_rows(database, send_page(question, database), why);
	if (rows == NULL)
		return database_failure(database, why);
	size_t found = rows_count(rows), limit = (size_t)question->limit;
	struct unit_list list = { .ids_count = found < limit ? found : limit };
	list.unit_ids = arena_array(message->arena, list.ids_count, sizeof(*list.unit_ids));
	for (size_t row = 0; row < list.ids_count; row++)
		list.unit_ids[row] = rows_text(rows, row, 0, message->arena);
	enum outcome outcome = find_units(&list, database, message->arena, why);
	if (outcome != DONE)
		return outcome;
	struct bloodbank_units_answered *body = arena_new(message->arena, sizeof(*body));
	body->as_of = message->now;
	body->items = list.units;
	body->items_count = page_fit(&bank_unit_schema, list.units, list.count);
	if (body->items_count < found)
		body->next = list.unit_ids[body->items_count - 1];
	*answer_event = BLOODBANK_UNITS_ANSWERED;
	*answer = body;
	return DONE;
}
