/* PURE. A parked message as people see it: what it is, why it lies there; and which of them someone means. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "broker_hold.h"
#include "properties.h"

struct parcel {
	struct slice bytes; /* of the properties, as held */
	struct slice body;
	struct properties properties;
	bool is_readable; /* the properties and headers could be taken apart */
	json_t *shown;    /* everything, for people and files; the texts below are borrowed from it */
	const char *reason;
	const char *detail;     /* "" = none */
	const char *event;      /* its name, or what stands in its place; "" = none */
	const char *message_id; /* "" = none */
	const char *parked_at;  /* "" = unknown */
};

/* `held` must outlive the parcel. */
void parcel_open(struct parcel *parcel, const char *queue, const struct held *held);
void parcel_close(struct parcel *parcel);

/* Members are NULL where nothing was said. */
struct choice {
	const char *reason, *message_id, *event;
};

bool choice_has(const struct choice *choice, const struct parcel *parcel);
