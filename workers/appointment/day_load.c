/* A day's list from its rows. It changes only under the lock of its day (load.c), together with its version. */
#include "day_load.h"

#include "appointment_queries.h"

static struct slot_item item_of(const struct rows *rows, size_t row, struct arena *arena)
{
	return (struct slot_item){
		.slot_id = rows_text(rows, row, 0, arena),
		.clinic_id = rows_text(rows, row, 1, arena),
		.room_id = rows_text(rows, row, 2, arena),
		.appointment_type = rows_text(rows, row, 3, arena),
		.starts_at = rows_time(rows, row, 4),
		.ends_at = rows_time(rows, row, 5),
		.state = slot_state_find(rows_text(rows, row, 6, arena)),
	};
}

enum outcome day_load(struct appointment_slots_answered *list, struct database *database, struct arena *arena,
	struct why *why)
{
	struct parameter parameters[2];
	parameter_init(&parameters[0], PARAMETER_TEXT, false);
	parameter_text(&parameters[0], list->provider_id);
	parameter_init(&parameters[1], PARAMETER_TEXT, false);
	parameter_text(&parameters[1], list->date);
	int versions = database_send(database, &day_version, parameters, 2);
	int slots = database_send(database, &day_slots, parameters, 2);
	parameters_clear(parameters, 2);
	const struct rows *version = database_rows(database, versions, why);
	const struct rows *rows = version == NULL ? NULL : database_rows(database, slots, why);
	if (rows == NULL)
		return database_failure(database, why);
	list->version = rows_count(version) == 0 ? 0 : rows_int(version, 0, 0);
	list->has_version = true;
	list->source = SLOT_SOURCE_DATABASE;
	list->slots_count = rows_count(rows);
	list->slots = arena_array(arena, list->slots_count, sizeof(*list->slots));
	for (size_t row = 0; row < list->slots_count; row++)
		list->slots[row] = item_of(rows, row, arena);
	return DONE;
}
