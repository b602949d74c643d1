/* The chain of events that a request starts: heard, printed with the time between them, until its end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "broker.h"
#include "command.h"
#include "events.h"
#include "uuid.h"

struct chain {
	const char *id_name;                  /* "request_id" */
	const char *request_id;               /* of what is followed */
	char correlation_id[UUID_TEXT_BYTES]; /* also the id of the first message; "" = not heard yet */
	bool is_json;                         /* events are collected, not printed */
	bool has_color;
	int64_t started_us, last_us; /* clock_steady_us */
	json_t *events;
	const char *status; /* of the request as the hospital told last; borrowed from `events` */
	bool is_over;
	enum ending ending;
};

/* Starts the clock and notes the first event. `body` is the JSON that was sent. */
void chain_begin(struct chain *chain, enum event event, const char *body);

/* The same with a body that it takes over. */
void chain_begin_with(struct chain *chain, enum event event, json_t *body);

/* The last event, whose body it takes over, and what it means. */
void chain_end(struct chain *chain, enum event event, json_t *body, const char *status, enum ending ending);

/* A message from the bus; frees it. Those of other workflows are ignored. A session_hear_fn. */
void chain_hear(void *owner, struct delivery *delivery);

/* The decision as the HTTP door answered it. */
void chain_decide(struct chain *chain, const json_t *decision);

/* Prints how it ended (text), or everything (JSON). */
void chain_finish(struct chain *chain);
