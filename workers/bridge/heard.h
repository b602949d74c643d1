/* An event from the bus, while all calls and streams look at it. */
#pragma once

#include <jansson.h>

#include "broker.h"
#include "events.h"

struct heard {
	enum event event;
	const struct delivery *delivery;
	json_t *body; /* parsed when the first asks; see heard_body */
	bool is_parsed;
};

/* Takes a delivery for the event that it says it is. False: it is none, or not the one that its sender was allowed to write. */
bool heard_begin(struct heard *heard, const struct delivery *delivery);
void heard_end(struct heard *heard);

/* The body, or NULL when it is no JSON. */
const json_t *heard_body(struct heard *heard);
const char *heard_text(struct heard *heard, const char *member); /* NULL when it is not there */
