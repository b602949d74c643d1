/* PURE. Names of queues by the contract. */
#pragma once

#include <jansson.h>

/* The parked ones, as a list. Owned by the caller. */
json_t *queue_names_parked(void);

/* Whose parked messages a queue holds: "hospital" for "hospital.parked", itself for others. The caller frees it. */
char *queue_names_origin(const char *queue);
