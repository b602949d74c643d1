/* Answers to questions about the stock, and its view read again. */
#include "bloodbank.h"
#include "bloodbank_queries.h"
#include "clock.h"
#include "inventory.h"

static struct stock_item item_at(const struct rows *rows, size_t row, struct arena *arena)
{
	const struct stock_facts facts = {
		.bank_id = rows_text(rows, row, 0, arena),
		.component = component_find(rows_text(rows, row, 1, arena)),
		.group = blood_group_find(rows_text(rows, row, 2, arena)),
		.available = rows_int(rows, row, 3),
		.reserved = rows_int(rows, row, 4),
		.version = rows_int(rows, row, 5),
		.demand_28_days = rows_int(rows, row, 6),
		.expiring_24h = rows_int(rows, row, 7),
		.undesignated = rows_int(rows, row, 8),
		.level = stock_level_find(rows_text(rows, row, 9, arena)),
	};
	return stock_item(&rules_default, &facts);
}

enum outcome answer_stock(const struct message *message, struct database *database, enum event *answer_event,
	const void **answer, struct why *why)
{
	const struct bloodbank_query_stock *question = message->body;
	struct parameter parameters[4];
	for (size_t i = 0; i < 3; i++)
		parameter_init(&parameters[i], PARAMETER_TEXT, false);
	parameter_init(&parameters[3], PARAMETER_TIME, false);
	parameter_text(&parameters[0], question->bank_id);
	parameter_text(&parameters[1], component_name(question->component));
	parameter_text(&parameters[2], blood_group_name(question->group));
	parameter_time(&parameters[3], message->now + HOURS_US(24));
	int ticket = database_send(database, &stock_answer, parameters, 4);
	parameters_clear(parameters, 4);
	const struct rows *rows = database_rows(database, ticket, why);
	if (rows == NULL)
		return database_failure(database, why);
	struct bloodbank_stock_answered *body = arena_new(message->arena, sizeof(*body));
	body->as_of = message->now;
	body->items_count = rows_count(rows);
	body->items = arena_array(message->arena, body->items_count, sizeof(struct stock_item));
	for (size_t row = 0; row < body->items_count; row++)
		body->items[row] = item_at(rows, row, message->arena);
	*answer_event = BLOODBANK_STOCK_ANSWERED;
	*answer = body;
	return DONE;
}

const void *read_stock_view(const char *key, struct database *database, int64_t *version, struct arena *arena,
	struct why *why)
{
	struct parameter parameter;
	parameter_init(&parameter, PARAMETER_TEXT, false);
	parameter_text(&parameter, key);
	int ticket = database_send(database, &stock_view, &parameter, 1);
	parameter_clear(&parameter);
	const struct rows *rows = database_rows(database, ticket, why);
	if (rows == NULL || rows_count(rows) == 0)
		return NULL;
	const struct stock_item item = item_at(rows, 0, arena);
	struct bloodbank_inventory_updated *body = arena_new(arena, sizeof(*body));
	*body = inventory_event(&item);
	*version = item.version;
	return body;
}
