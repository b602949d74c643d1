/* The names. */
#include "cache_names.h"

#include <stdio.h>
#include <stdlib.h>

#include "uuid.h"

enum { NUMBER_MAX_BITS = 52 };

void cache_name_make(const char *prefix, char name[CACHE_NAME_BYTES])
{
	char uuid[UUID_TEXT_BYTES];
	uuid_random(uuid);
	snprintf(name, CACHE_NAME_BYTES, "%.27s.%s", prefix, uuid);
}

uint64_t cache_number_make(void)
{
	uint64_t number;
	arc4random_buf(&number, sizeof(number));
	return number >> (64 - NUMBER_MAX_BITS);
}

size_t cache_day_key(const char *provider_id, const char *date, char key[LRU_KEY_MAX + 1])
{
	int length = snprintf(key, LRU_KEY_MAX + 1, "%s %s", provider_id, date);
	return length > 0 && length <= LRU_KEY_MAX ? (size_t)length : 0;
}

bool cache_shared_key(const char *timeline, const char *key, char text[SHARED_KEY_BYTES])
{
	int length = snprintf(text, SHARED_KEY_BYTES, "view:slots:%s:%s", timeline, key);
	return timeline[0] != '\0' && length > 0 && length < SHARED_KEY_BYTES;
}
