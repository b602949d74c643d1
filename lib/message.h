/* What a decide function sees of a message: its event, its body as a struct, who it is from. */
#pragma once

#include <stdint.h>

#include "arena.h"
#include "events.h"

struct message {
	enum event event;
	const void *body;           /* the event's generated struct, e.g. const struct hospital_blood_request * */
	const char *message_id;     /* canonical uuid, never NULL */
	const char *correlation_id; /* the workflow; never NULL */
	const char *user_id;        /* validated by the broker; NULL when the publisher did not say */
	const char *traceparent;    /* NULL when absent */
	const char *reply_to;       /* of a question: the asker's name; else NULL */
	int64_t now;                /* start of the batch on the worker's clock */
	struct arena *arena;        /* the batch's memory: for what decide hands on to store */
};
