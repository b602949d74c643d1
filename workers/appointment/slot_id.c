/* Slot identifiers. Their tail has a fixed length, so that nothing has to be searched. */
#include "slot_id.h"

#include <inttypes.h>
#include <string.h>

#include "calendar.h"

enum { TAIL_LENGTH = 14, DATE_PLACE = 13 }; /* ".YYYYMMDD.HHMM", counted from the end */

const char *slot_id_print(const char *provider_id, int64_t day, int64_t minute, struct arena *arena)
{
	char date[DATE_TEXT_BYTES];
	calendar_print(day, date);
	return arena_print(arena, "%s.%.4s%.2s%.2s.%02" PRId64 "%02" PRId64, provider_id, date, date + 5,
		date + 8, minute / 60, minute % 60);
}

const char *slot_id_provider(const char *slot_id, struct arena *arena)
{
	return arena_bytes(arena, slot_id, strlen(slot_id) - TAIL_LENGTH);
}

const char *slot_id_date(const char *slot_id, struct arena *arena)
{
	const char *digits = slot_id + strlen(slot_id) - DATE_PLACE;
	return arena_print(arena, "%.4s-%.2s-%.2s", digits, digits + 4, digits + 6);
}
