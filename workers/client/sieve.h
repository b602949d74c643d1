/* PURE. Which events someone who watches wants to see. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

struct sieve {
	const char *facility;    /* NULL = any; a hospital, bank or clinic that the body names */
	const char *correlation; /* NULL = any; the workflow's id or how it begins */
	bool is_emergency;       /* those alone */
};

/* What of an event is looked at; texts may be NULL, `body` too. */
struct sighting {
	const char *routing_key, *correlation_id;
	json_t *body;
};

bool sighting_is_emergency(const struct sighting *sighting);
bool sieve_passes(const struct sieve *sieve, const struct sighting *sighting);
