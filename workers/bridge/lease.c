/* How the bridge's cache is registered, told and asked. */
#include "slots.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bridge.h"
#include "cache_bus.h"
#include "clock.h"

static void note_eviction(void *owner, const struct lru_entry *entry)
{
	struct bridge *bridge = owner;
	cache_note_eviction(&bridge->slots.counts, &bridge->log, entry);
}

static void make_names(struct bridge *bridge)
{
	struct slots *slots = &bridge->slots;
	cache_name_make("bridge", slots->name);
	snprintf(slots->told_key, sizeof(slots->told_key), "appointment.cache.%s", slots->name);
	snprintf(slots->answer_key, sizeof(slots->answer_key), "appointment.answer.%s", slots->name);
	snprintf(slots->queue_prefix, sizeof(slots->queue_prefix), "%.80s.cache", bridge->queue_prefix);
	snprintf(slots->connection_name, sizeof(slots->connection_name), "%.100s (cache)", bridge->listener_name);
}

void slots_make(struct bridge *bridge)
{
	const struct bridge_settings *settings = &bridge->settings;
	struct slots *slots = &bridge->slots;
	slots->is_wanted = settings->cache_entries > 0;
	slots->lru = lru_new(&(struct lru_settings){
		.entries_max = slots->is_wanted ? (size_t)settings->cache_entries : 1,
		.bytes_max = (size_t)settings->cache_bytes,
		.evicted = note_eviction,
		.owner = bridge,
	});
	coherence_init(&slots->coherence, &coherence_times, slots->lru, cache_number_make());
	slots->flights = flights_new();
	buffer_init(&slots->text);
	make_names(bridge);
}

void slots_free(struct bridge *bridge)
{
	struct slots *slots = &bridge->slots;
	flights_free(slots->flights);
	lru_free(slots->lru);
	buffer_clear(&slots->text);
}

/* Acknowledged whatever this cache's state is, and in the words of the one who asked: it may be about an incarnation of before. */
static void forget(struct bridge *bridge, const struct appointment_cache_invalidate *message)
{
	const struct appointment_cache_acknowledge body = { message->write, message->incarnation };
	coherence_invalidate(&bridge->slots.coherence, message->keys, message->keys_count,
		(uint64_t)message->above);
	if (!links_tell(bridge, APPOINTMENT_CACHE_ACKNOWLEDGE, message->writer, &body))
		log_line(&bridge->log, LOG_WARNING_LEVEL, "a writer could not be told that its lists are forgotten",
			"writer", message->writer, NULL);
}

static void hear_answer(struct bridge *bridge, const struct appointment_lease_answered *message)
{
	struct slots *slots = &bridge->slots;
	const struct coherence_answer answer = cache_bus_answer(message);
	uint64_t before = slots->coherence.incarnation;
	if (answer.number == slots->leaving)
		slots->leaving = 0;
	coherence_hear(&slots->coherence, &answer, clock_steady_us());
	if (slots->coherence.incarnation != 0 && slots->coherence.incarnation != before
		&& message->timeline != NULL)
		snprintf(slots->timeline, sizeof(slots->timeline), "%s", message->timeline);
	const struct coherence_request stray = coherence_return(&slots->coherence, &answer);
	if (stray.number != 0)
		links_ask_lease(bridge, slots->name, &stray);
}

static void hear(void *owner, struct delivery *delivery)
{
	struct bridge *bridge = owner;
	struct arena arena;
	struct why why = { 0 };
	const void *body = NULL;
	arena_init(&arena);
	enum event event = cache_bus_read(delivery, &arena, &body, &why);
	if (event == APPOINTMENT_CACHE_INVALIDATE)
		forget(bridge, body);
	else if (event == APPOINTMENT_LEASE_ANSWERED)
		hear_answer(bridge, body);
	else
		log_line(&bridge->log, LOG_WARNING_LEVEL, "not for a cache", "reason", why.reason, "detail", why.text,
			"type", delivery->type, NULL);
	arena_clear(&arena);
	consumer_ack(bridge->cache_listener, delivery->incarnation, delivery->tag, false, &why);
	delivery_free(delivery);
}

struct consumer *slots_make_consumer(struct bridge *bridge)
{
	const struct bridge_settings *settings = &bridge->settings;
	struct slots *slots = &bridge->slots;
	slots->address = (struct broker_address){ settings->amqp_url, settings->listener_user,
		settings->listener_password, slots->connection_name };
	slots->bindings[0] = (struct consumer_binding){ "caches", slots->told_key };
	slots->bindings[1] = (struct consumer_binding){ "answers", slots->answer_key };
	return consumer_new_own(&slots->address, bridge->tag, slots->queue_prefix, slots->bindings, hear, bridge);
}

/* Its queue is there before the first request. */
static bool can_ask(const struct bridge *bridge)
{
	return bridge->slots.is_wanted && links_hear_cache(bridge) && links_room(bridge) == ROOM_NOW
		&& !bridge->is_stopping;
}

void slots_renew(struct bridge *bridge)
{
	struct slots *slots = &bridge->slots;
	int64_t now_us = clock_steady_us();
	if (now_us < coherence_due_us(&slots->coherence) || !can_ask(bridge))
		return;
	const struct coherence_request request = coherence_ask(&slots->coherence, now_us);
	links_ask_lease(bridge, slots->name, &request);
}

void slots_give_up(struct bridge *bridge)
{
	const struct coherence_request request = coherence_leave(&bridge->slots.coherence);
	if (request.number != 0 && links_hear_cache(bridge) && links_room(bridge) == ROOM_NOW
		&& links_ask_lease(bridge, bridge->slots.name, &request))
		bridge->slots.leaving = request.number;
}

int64_t slots_due_ms(const struct bridge *bridge)
{
	int64_t due_us = coherence_due_us(&bridge->slots.coherence);
	if (!can_ask(bridge))
		return INT64_MAX;
	return due_us < 0 ? 0 : due_us / 1000 + 1;
}
