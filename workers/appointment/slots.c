/* Answers about a day's slots: a list that is kept, if there is one that is true now, else the database's. */
#include <string.h>

#include "appointment.h"
#include "calendar.h"
#include "day.h"
#include "day_load.h"
#include "schema.h"

/* Why there is nothing to show; 0: there may be. A day more at each end: it is another day elsewhere. */
static enum appointment_refusal day_refusal(const char *date, int64_t horizon_days, int64_t now)
{
	int64_t day = calendar_day(date), today = now / DAYS_US(1);
	if (horizon_days < 0)
		return APPOINTMENT_REFUSAL_UNKNOWN_PROVIDER;
	if (day < today - 1)
		return APPOINTMENT_REFUSAL_TOO_LATE;
	return day > today + horizon_days + 1 ? APPOINTMENT_REFUSAL_BEYOND_HORIZON : APPOINTMENT_REFUSAL_NONE;
}

/* As it is answered; what is kept is true for as long as it is kept, but for the time of the answer. */
static void keep(struct cache *cache, const char *key, const struct appointment_slots_answered *list)
{
	struct buffer buffer = { 0 };
	if (!schema_write(&appointment_slots_answered_schema, list, &buffer))
		return;
	const struct lru_entry entry = {
		.key = key,
		.key_bytes = strlen(key),
		.value = buffer.data,
		.value_bytes = buffer.length_bytes,
		.certificate = (uint64_t)list->certificate,
		.version = list->version,
	};
	cache_keep(cache, &entry);
	buffer_clear(&buffer);
}

static enum outcome read_list(const struct message *message, struct database *database, struct cache *cache,
	const char *key, struct appointment_slots_answered *list, struct why *why)
{
	const struct appointment_query_slots *question = message->body;
	struct day day = { .list = list, .horizon_days = -1 };
	*list = (struct appointment_slots_answered){
		.provider_id = question->provider_id, .date = question->date, .as_of = message->now
	};
	enum outcome outcome = day_load(&day, database, message->arena, why);
	if (outcome != DONE)
		return outcome;
	list->reason = day_refusal(question->date, day.horizon_days, message->now);
	list->found = list->reason == APPOINTMENT_REFUSAL_NONE;
	if (list->found)
		keep(cache, key, list);
	else
		*list = (struct appointment_slots_answered){
			.provider_id = list->provider_id, .date = list->date, .as_of = list->as_of, .reason = list->reason
		};
	return DONE;
}

/* A list that was kept was once to be shown; by now its day may be over. */
static bool take_kept(const struct message *message, const struct lru_entry *kept, enum cache_layer layer,
	struct appointment_slots_answered **list)
{
	const struct appointment_query_slots *question = message->body;
	struct why why;
	void *body;
	if (layer == CACHE_NONE || day_refusal(question->date, INT32_MAX, message->now) != 0
		|| !schema_read(&appointment_slots_answered_schema, kept->value, kept->value_bytes, message->arena,
			&body, &why))
		return false;
	*list = body;
	(*list)->as_of = message->now;
	(*list)->source = layer == CACHE_OWN ? SLOT_SOURCE_LRU : SLOT_SOURCE_REDIS;
	return true;
}

enum outcome answer_slots(const struct message *message, struct database *database, struct cache *cache,
	enum event *answer_event, const void **answer, struct why *why)
{
	const struct appointment_query_slots *question = message->body;
	const char *key = day_key(question->provider_id, question->date, message->arena);
	struct appointment_slots_answered *list = arena_new(message->arena, sizeof(*list));
	struct lru_entry kept;
	uint64_t least = question->has_least ? (uint64_t)question->least : 0;
	enum cache_layer layer = cache_find(cache, key, least, message->arena, &kept);
	enum outcome outcome = DONE;
	if (!take_kept(message, &kept, layer, &list))
		outcome = read_list(message, database, cache, key, list, why);
	*answer_event = APPOINTMENT_SLOTS_ANSWERED;
	*answer = list;
	return outcome;
}

size_t changed_days(const struct batch *batch, const char ***keys)
{
	struct table days;
	days_changed(batch->state, &days);
	*keys = arena_array(batch->arena, days.count, sizeof(**keys));
	for (size_t i = 0; i < days.count; i++) {
		const struct slot *slot = days.items[i];
		(*keys)[i] = day_key(slot->provider_id, slot->date, batch->arena);
	}
	return days.count;
}
