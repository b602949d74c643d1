/* How caches of lists, and what they hold, are called: the same in every process that has one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lru.h"

enum {
	CACHE_NAME_BYTES = 65,
	TIMELINE_BYTES = 9,
	SHARED_KEY_BYTES = LRU_KEY_MAX + 32, /* of "view:slots:<timeline>:<key>" */
};

/* "<prefix>.<uuid>", another one for each process, however often it is started: nobody else may acknowledge what is for this one. */
void cache_name_make(const char *prefix, char name[CACHE_NAME_BYTES]);

/* Where requests and writes start to count: random, and what others read as a JSON number, with room to count on. */
uint64_t cache_number_make(void);

/* The key of a provider's day, in the map and in what is told of it. Its length; 0: it is too long to be one. */
size_t cache_day_key(const char *provider_id, const char *date, char key[LRU_KEY_MAX + 1]);

/* Where a list lies in Redis. False: it cannot lie there. */
bool cache_shared_key(const char *timeline, const char *key, char text[SHARED_KEY_BYTES]);
