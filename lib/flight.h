/*
 * Reads of the same key at the same time: the first one flies, the others join and wait for it. What the flight brought was true
 * when it was read, perhaps before a joined reader began: coherence_may_join says whether they may have it. No I/O, no clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lru.h"

enum {
	FLIGHTS_MAX = 1024,        /* keys under way */
	FLIGHT_READERS_MAX = 8192, /* joined, of all flights together */
};

enum flight_role {
	FLIGHT_LEAD,  /* read, then flight_land */
	FLIGHT_JOIN,  /* wait to be told */
	FLIGHT_ALONE, /* there is no room: read for oneself, and land nothing */
};

struct flights;

/* Called for each that joined, in order. May join again: the first to do so leads. */
typedef void flight_told_fn(void *owner, void *reader);

/* Never NULL (ends the process when memory is out). */
struct flights *flights_new(void);
void flights_free(struct flights *flights);

/* `reader` is what flight_told_fn gets. The one who leads is not told; longer keys than LRU_KEY_MAX fly alone. */
enum flight_role flight_join(struct flights *flights, const char *key, size_t key_bytes, void *reader);

/* A reader that joined goes away. False: it is not there. */
bool flight_leave(struct flights *flights, const char *key, size_t key_bytes, const void *reader);

/* The leader is done, whether it brought something or not: the flight ends, and all that joined are told. */
void flight_land(struct flights *flights, const char *key, size_t key_bytes, flight_told_fn *told,
	void *owner);
