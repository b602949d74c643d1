/* A day's list from its rows. It changes only under the lock of its day (load.c), together with its version. */
#include "day_load.h"

#include "appointment_queries.h"

enum { COLUMN_CERTIFICATE, COLUMN_HORIZON, COLUMN_VERSION, COLUMN_SLOT };

static struct slot_item item_of(const struct rows *rows, size_t row, struct arena *arena)
{
	return (struct slot_item){
		.slot_id = rows_text(rows, row, COLUMN_SLOT, arena),
		.clinic_id = rows_text(rows, row, COLUMN_SLOT + 1, arena),
		.room_id = rows_text(rows, row, COLUMN_SLOT + 2, arena),
		.appointment_type = rows_text(rows, row, COLUMN_SLOT + 3, arena),
		.starts_at = rows_time(rows, row, COLUMN_SLOT + 4),
		.ends_at = rows_time(rows, row, COLUMN_SLOT + 5),
		.state = slot_state_find(rows_text(rows, row, COLUMN_SLOT + 6, arena)),
	};
}

enum outcome day_load(struct day *day, struct database *database, struct arena *arena, struct why *why)
{
	struct parameter parameters[2];
	struct appointment_slots_answered *list = day->list;
	parameter_init(&parameters[0], PARAMETER_TEXT, false);
	parameter_text(&parameters[0], list->provider_id);
	parameter_init(&parameters[1], PARAMETER_TEXT, false);
	parameter_text(&parameters[1], list->date);
	const struct rows *rows = database_ask(database, &day_list, parameters, 2, why);
	parameters_clear(parameters, 2);
	if (rows == NULL)
		return database_failure(database, why);
	day->horizon_days = rows_is_null(rows, 0, COLUMN_HORIZON) ? -1 : rows_int(rows, 0, COLUMN_HORIZON);
	list->certificate = rows_int(rows, 0, COLUMN_CERTIFICATE);
	list->has_certificate = list->certificate > 0;
	list->version = rows_int(rows, 0, COLUMN_VERSION);
	list->has_version = true;
	list->source = SLOT_SOURCE_DATABASE;
	list->slots_count = rows_is_null(rows, 0, COLUMN_SLOT) ? 0 : rows_count(rows);
	list->slots = arena_array(arena, list->slots_count, sizeof(*list->slots));
	for (size_t row = 0; row < list->slots_count; row++)
		list->slots[row] = item_of(rows, row, arena);
	return DONE;
}
