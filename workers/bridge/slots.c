/* Reads of a provider's day. */
#include "slots.h"

#include <string.h>

#include "bridge.h"
#include "clock.h"
#include "slot_body.h"

/* Days that are over everywhere are refused by their owner: a day more, since it is another day elsewhere. */
static const char *oldest_day(struct slots *slots, int64_t now_us)
{
	char text[TIME_TEXT_BYTES];
	if (now_us >= slots->oldest_us || now_us < slots->oldest_us - DAYS_US(1)) {
		time_print(now_us - DAYS_US(1), text);
		memcpy(slots->oldest, text, SLOT_DATE_BYTES - 1);
		slots->oldest_us = (now_us / DAYS_US(1) + 1) * DAYS_US(1);
	}
	return slots->oldest;
}

/* As it is true at a time that was read before its lease was looked at; the body is in `slots->text`. */
static struct http_answer make_answer(struct slots *slots, const struct slot_body *list, const char *source,
	int64_t now_us)
{
	char as_of[TIME_TEXT_BYTES];
	time_print(now_us, as_of);
	buffer_reset(&slots->text);
	slot_body_write(list, as_of, source, &slots->text);
	return (struct http_answer){
		.status = 200,
		.content_type = "application/json",
		.body = buffer_text(&slots->text),
		.body_bytes = slots->text.length_bytes,
		.headers = { { "Cache-Control", "private, no-cache" } },
	};
}

bool slots_answer(struct bridge *bridge, struct http_exchange *exchange)
{
	struct slots *slots = &bridge->slots;
	const char *provider_id = http_parameter(exchange, "provider_id");
	const char *date = http_parameter(exchange, "date");
	char key[LRU_KEY_MAX + 1];
	struct slot_body list;
	int64_t started_us = clock_steady_us(), now_us = clock_now_us();
	size_t key_bytes = provider_id == NULL || date == NULL ? 0 : cache_day_key(provider_id, date, key);
	const struct lru_entry *entry = key_bytes == 0 ? NULL : coherence_find(&slots->coherence, key, key_bytes);
	if (entry == NULL || strcmp(date, oldest_day(slots, now_us)) < 0
		|| !slot_body_read(entry->value, entry->value_bytes, &list)
		|| !coherence_may_answer(&slots->coherence, clock_steady_us()))
		return false;
	const struct http_answer answer = make_answer(slots, &list, NULL, now_us);
	slots->counts.own_hits++;
	bridge_answer(bridge, exchange, started_us, &answer);
	return true;
}

/* Kept as it is shown out of the map. False: it is another list. */
static bool make_entry(struct slots *slots, const struct call *call, const struct slot_body *list,
	uint64_t certificate, struct lru_entry *entry)
{
	if (!slot_body_is_of(list, call->day))
		return false;
	buffer_reset(&slots->text);
	slot_body_write(list, NULL, "lru", &slots->text);
	*entry = (struct lru_entry){
		.key = call->day,
		.key_bytes = strlen(call->day),
		.value = slots->text.data,
		.value_bytes = slots->text.length_bytes,
		.certificate = certificate,
	};
	return true;
}

static struct appointment_query_slots make_question(const struct call *call)
{
	return (struct appointment_query_slots){
		.provider_id = http_parameter(call->exchange, "provider_id"),
		.date = http_parameter(call->exchange, "date"),
	};
}

/* Sent along is what this cache can keep: of an older list of another one's nobody would have anything. */
static void ask(struct call *call)
{
	struct appointment_query_slots question = make_question(call);
	uint64_t least = coherence_least(&call->bridge->slots.coherence, call->day, strlen(call->day));
	question.has_least = least != UINT64_MAX;
	question.least = question.has_least ? (int64_t)least : 0;
	buffer_reset(&call->body);
	schema_write(event_type(APPOINTMENT_QUERY_SLOTS)->schema, &question, &call->body);
	reading_ask(call);
}

/* What a flight brought. */
struct landing {
	struct slots *slots;
	const struct slot_body *list; /* NULL: none */
	const char *source;           /* of the list; NULL: as it says */
	bool is_over;                 /* it ended without an answer */
	bool is_kept;
};

/*
 * One that joined may have begun after the list was read: only what was kept is true still. Else it asks for itself, or, where the flight
 * ended without an answer, flies again.
 */
static void tell(void *owner, void *reader)
{
	const struct landing *landing = owner;
	struct call *call = reader;
	int64_t now_us = clock_now_us();
	call->flight = FLIGHT_ALONE;
	if (landing->is_over) {
		slots_read(call);
	} else if (landing->list != NULL
		&& coherence_may_join(&landing->slots->coherence, landing->is_kept, clock_steady_us())) {
		const struct http_answer answer = make_answer(landing->slots, landing->list, landing->source, now_us);
		call_answer(call, &answer);
	} else {
		ask(call);
	}
}

static void land(struct call *call, struct landing *landing)
{
	if (call->flight != FLIGHT_LEAD)
		return;
	call->flight = FLIGHT_ALONE;
	flight_land(landing->slots->flights, call->day, strlen(call->day), tell, landing);
}

static bool is_of_use(const struct call *call, int64_t version, const char *body, size_t body_bytes,
	struct slot_body *list)
{
	struct slots *slots = &call->bridge->slots;
	struct lru_entry entry;
	return body != NULL && version > 0 && slot_body_read(body, body_bytes, list)
		&& make_entry(slots, call, list, (uint64_t)version, &entry)
		&& coherence_keep_shared(&slots->coherence, &entry, clock_steady_us());
}

/* What Redis has, of whatever age. */
static void take_shared(struct call *call, int64_t version, const char *body, size_t body_bytes)
{
	struct slots *slots = &call->bridge->slots;
	struct slot_body list;
	int64_t now_us = clock_now_us();
	const char *date = http_parameter(call->exchange, "date");
	if (strcmp(date, oldest_day(slots, now_us)) < 0 || !is_of_use(call, version, body, body_bytes, &list)) {
		slots->counts.shared_misses++;
		ask(call);
		return;
	}
	slots->counts.shared_hits++;
	land(call, &(struct landing){ .slots = slots, .list = &list, .source = "redis", .is_kept = true });
	const struct http_answer answer = make_answer(slots, &list, "redis", now_us);
	call_answer(call, &answer);
}

bool slots_fit(struct call *call)
{
	char day[LRU_KEY_MAX + 1];
	struct why why;
	const struct appointment_query_slots question = make_question(call);
	if (!schema_check(event_type(APPOINTMENT_QUERY_SLOTS)->schema, &question, &why))
		return false;
	size_t bytes = cache_day_key(question.provider_id, question.date, day);
	if (bytes == 0 || bytes >= sizeof(call->day))
		return false;
	memcpy(call->day, day, bytes + 1);
	call->bridge->slots.counts.own_misses++;
	return true;
}

void slots_read(struct call *call)
{
	struct slots *slots = &call->bridge->slots;
	char key[SHARED_KEY_BYTES];
	call->flight = flight_join(slots->flights, call->day, strlen(call->day), call);
	call->on_view = take_shared;
	if (call->flight == FLIGHT_JOIN)
		return;
	if (slots->coherence.incarnation != 0 && cache_shared_key(slots->timeline, call->day, key))
		call_read_view(call, key);
	else
		take_shared(call, 0, NULL, 0);
}

void slots_take(struct call *call, const char *body, size_t body_bytes)
{
	struct slots *slots = &call->bridge->slots;
	struct landing landing = { .slots = slots };
	struct slot_body list;
	struct lru_entry entry;
	if (slot_body_read(body, body_bytes, &list)
		&& make_entry(slots, call, &list, slot_body_certificate(&list), &entry)) {
		landing.list = &list;
		landing.is_kept = coherence_keep(&slots->coherence, &entry);
		slots->counts.filled += landing.is_kept;
	}
	land(call, &landing);
}

void slots_leave(struct call *call)
{
	struct slots *slots = &call->bridge->slots;
	if (call->flight == FLIGHT_JOIN)
		flight_leave(slots->flights, call->day, strlen(call->day), call);
	land(call, &(struct landing){ .slots = slots, .is_over = true });
	call->flight = FLIGHT_ALONE;
}
