/* Flights in a hash table, and their readers in lists; all memory is taken at the start. */
#include "flight.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

struct waiting {
	struct waiting *next;
	void *reader;
};

struct flight {
	struct flight *next; /* of the same bucket, or free */
	size_t key_bytes;
	struct waiting *first, **end; /* joined, in order; `end` is where the next is hung */
	char key[LRU_KEY_MAX];
};

struct flights {
	struct flight *buckets[FLIGHTS_MAX];
	struct flight *free_flights;
	struct waiting *free_waiting;
	struct flight flights[FLIGHTS_MAX];
	struct waiting waiting[FLIGHT_READERS_MAX];
};

struct flights *flights_new(void)
{
	struct flights *flights = calloc(1, sizeof(*flights));
	if (flights == NULL)
		abort();
	for (size_t i = 0; i < FLIGHTS_MAX; i++) {
		flights->flights[i].next = flights->free_flights;
		flights->free_flights = &flights->flights[i];
	}
	for (size_t i = 0; i < FLIGHT_READERS_MAX; i++) {
		flights->waiting[i].next = flights->free_waiting;
		flights->free_waiting = &flights->waiting[i];
	}
	return flights;
}

void flights_free(struct flights *flights)
{
	free(flights);
}

/* Where the bucket points to the key's flight, or to NULL at its end. */
static struct flight **find_place(struct flights *flights, const char *key, size_t key_bytes)
{
	struct flight **place = &flights->buckets[hash_bytes(key, key_bytes) % FLIGHTS_MAX];
	while (*place != NULL && ((*place)->key_bytes != key_bytes || memcmp((*place)->key, key, key_bytes) != 0))
		place = &(*place)->next;
	return place;
}

static enum flight_role lead(struct flights *flights, struct flight **place, const char *key,
	size_t key_bytes)
{
	struct flight *flight = flights->free_flights;
	if (flight == NULL || key_bytes > LRU_KEY_MAX)
		return FLIGHT_ALONE;
	flights->free_flights = flight->next;
	flight->next = NULL;
	flight->first = NULL;
	flight->end = &flight->first;
	flight->key_bytes = key_bytes;
	memcpy(flight->key, key, key_bytes);
	*place = flight;
	return FLIGHT_LEAD;
}

enum flight_role flight_join(struct flights *flights, const char *key, size_t key_bytes, void *reader)
{
	struct flight **place = find_place(flights, key, key_bytes), *flight = *place;
	if (flight == NULL)
		return lead(flights, place, key, key_bytes);
	struct waiting *waiting = flights->free_waiting;
	if (waiting == NULL)
		return FLIGHT_ALONE;
	flights->free_waiting = waiting->next;
	*waiting = (struct waiting){ .reader = reader };
	*flight->end = waiting;
	flight->end = &waiting->next;
	return FLIGHT_JOIN;
}

static void free_waiting(struct flights *flights, struct waiting *waiting)
{
	waiting->next = flights->free_waiting;
	flights->free_waiting = waiting;
}

bool flight_leave(struct flights *flights, const char *key, size_t key_bytes, const void *reader)
{
	struct flight *flight = *find_place(flights, key, key_bytes);
	if (flight == NULL)
		return false;
	for (struct waiting **place = &flight->first; *place != NULL; place = &(*place)->next) {
		struct waiting *waiting = *place;
		if (waiting->reader != reader)
			continue;
		*place = waiting->next;
		if (flight->end == &waiting->next)
			flight->end = place;
		free_waiting(flights, waiting);
		return true;
	}
	return false;
}

void flight_land(struct flights *flights, const char *key, size_t key_bytes, flight_told_fn *told,
	void *owner)
{
	struct flight **place = find_place(flights, key, key_bytes), *flight = *place;
	if (flight == NULL)
		return;
	struct waiting *next = flight->first;
	*place = flight->next;
	flight->next = flights->free_flights;
	flights->free_flights = flight;
	while (next != NULL) {
		struct waiting *waiting = next;
		void *reader = waiting->reader;
		next = waiting->next;
		free_waiting(flights, waiting);
		told(owner, reader);
	}
}
