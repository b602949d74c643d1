/* A notification: whom it tells what, and how far it came. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "events.h"

struct notice {
	const char *notification_id; /* follows from facility, role, entity and transition: the key */
	const char *facility_id;
	const char *role;          /* who of the facility */
	const char *recipient_ref; /* a patient; NULL: whoever has the role */
	const char *kind;          /* what it is about */
	bool is_emergency;
	const char *entity;
	const char *transition; /* what happened to the entity */
	const char *text;
	int64_t created_at;
	int64_t delivered_at;        /* 0: pending */
	int64_t acknowledged_at;     /* 0: not yet */
	const char *acknowledged_by; /* NULL: nobody said */
	int64_t escalate_at;         /* 0: not, or not any more */
	const char *correlation_id;  /* of the workflow that it belongs to; NULL: of none */
	const char *traceparent;
	bool is_there;       /* stored, or created in this batch; else only its id is known */
	bool is_stored;      /* has its row already */
	bool is_changed;     /* since it was loaded */
	struct notice *next; /* the next one of a list */
};

/* The id that a notification of this facility, role, entity and transition has, always. */
const char *notice_id(const struct notice *notice, struct arena *arena);

/* "pending", "delivered" or "acknowledged". */
const char *notice_progress(const struct notice *notice);

/* It reached its channel; false: it had before. */
bool notice_deliver(struct notice *notice, int64_t now);

/* Someone has read it. The first one counts; false: someone had before. */
bool notice_acknowledge(struct notice *notice, const char *by, int64_t now);

/* As others see it. Shares its texts. */
struct notification_state notice_state(const struct notice *notice);
