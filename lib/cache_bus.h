/* What caches and writers tell each other over the bus. The messages are those of the appointment worker, the only one that has lists. */
#pragma once

#include "arena.h"
#include "broker.h"
#include "coherence.h"
#include "events.h"

/*
 * A message for a cache's name: a list to forget, that one was forgotten, or an answer about a lease. EVENT_NONE: it is none of these,
 * `why` says what is wrong with it.
 */
enum event cache_bus_read(const struct delivery *delivery, struct arena *arena, const void **body,
	struct why *why);

/*
 * Tells the cache or writer of that name; `app_id` is who tells. False: it does not leave now, and the one who waits for it will notice; a
 * connection that failed is closed, and `why` says so.
 */
bool cache_bus_tell(struct publisher *publisher, const char *app_id, enum event event, const char *name,
	const void *body, struct why *why);

/* Asks for a lease, or for more of it, in the name of a cache that speaks no SQL; it is answered under that name. False: as above. */
bool cache_bus_ask(struct publisher *publisher, const char *app_id, const char *name,
	const struct coherence_request *request, struct why *why);
struct coherence_answer cache_bus_answer(const struct appointment_lease_answered *body);
