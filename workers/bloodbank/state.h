/*
 * What a batch works on: a copy of the rows that its messages touch. Loaded under the shelves' locks (load.h), changed by the
 * decisions, written back (store.h). Everything lives in the batch's arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lookup.h"
#include "outbox.h"
#include "rules.h"
#include "shelf.h"
#include "wish.h"

/* How far a request has come at the bank. */
enum progress {
	PROGRESS_SCHEDULED, /* its units are chosen later, at allocate_at */
	PROGRESS_WAITING,   /* something is back-ordered */
	PROGRESS_SETTLED,   /* nothing is wanted any more: reserved, handed on, or given up */
	PROGRESS_REJECTED,
	PROGRESS_CANCELLED, /* nothing is held nor wanted any more */
};

/* One answer to a request, as it was sent or is to be sent. */
struct decision_record {
	struct decision_record *next;
	enum event event;
	int64_t version; /* of the request */
	const char *body;
	const void *content; /* the body as the event's struct */
	bool is_new;         /* not in the database yet */
};

struct request {
	struct request *next; /* of all requests of the state, in order of appearance */
	const char *request_id;
	const struct hospital_blood_requested *asked;
	const char *body; /* `asked` in canonical JSON: what a repeated request is compared with */
	enum progress progress;
	int64_t allocated; /* units held or handed on */
	int64_t lapsed;    /* units whose reservation ended unused: not asked for again */
	int64_t allocation_no;
	int64_t version;
	int64_t received_at;      /* bank's clock: the time that counts for priority */
	int64_t allocate_at;      /* of a scheduled one */
	int64_t blind_o_negative; /* O- units given while the group was unknown */
	struct origin origin;
	struct decision_record *decisions, *last_decision;
	bool is_new;            /* not in the database yet */
	bool is_changed;        /* is there, and changed */
	bool is_waiting_listed; /* member of state->waiting */
};

/*
 * A request that has come to its end, or comes to it in this batch: from the batch's start on, nothing more is reserved for it. So what
 * the batch frees is what was held before it, and load could prepare for that.
 */
struct ending {
	struct ending *next; /* of all endings of the state */
	const char *request_id;
	bool is_buried; /* has a tombstone: the request was not heard before its cancel */
	bool is_new;    /* the tombstone is not in the database yet */
};

/* A unit whose row changes, is made, or was asked for by its id. */
struct bag {
	struct bag *next; /* of all bags of the state */
	struct unit unit;
	const struct stored_unit *facts; /* all that is kept of it; NULL for a unit that was only chosen */
	enum unit_status before;         /* in the database; 0: not there */
	enum unit_status status;
	const char *request_id; /* whom it is held for, or NULL */
	int64_t reserved_until;
	int64_t version; /* in the database; 1 for a new one */
	bool is_changed;
};

/* One row of `bin`: available units of one profile, for anyone. */
struct bin_line {
	struct bin_line *next; /* of the same line */
	uint32_t profile;
	int64_t available;
	bool is_new, is_changed;
};

/* One row of `stock`. */
struct line {
	struct line *next; /* of all lines of the state, by key */
	const char *bank_id;
	enum component component;
	enum blood_group group;
	int64_t available, reserved;
	int64_t expiring;       /* of the available ones: they expire by .. */
	int64_t expiring_until; /* .. 24 hours from now */
	int64_t undesignated;   /* of the available ones: for anyone */
	int64_t version;        /* in the database */
	int64_t demand_28_days; /* units used in 28 days; 0: unknown */
	enum stock_level level; /* that people were last told of; 0: nothing yet */
	bool is_changed;
	bool is_taken_from; /* available units were taken, or expired, in this batch */
	struct bin_line *bins;
};

/* The banks of one hospital, nearest first. */
struct service {
	const char *hospital_id;
	struct supplier *suppliers;
	size_t suppliers_count;
};

/* A bank that units arrive at. */
struct bank_facts {
	int32_t utc_offset_s; /* of its wall clock, now */
};

struct state {
	struct arena *arena; /* borrowed */
	const struct rules *rules;
	int64_t now;
	struct shelves shelves;
	struct line *lines[BANKS_MAX][COMPONENTS][BLOOD_GROUPS]; /* by the bank's place in shelves.banks */
	struct lookup services;                                  /* by hospital_id: struct service */
	struct lookup banks;    /* by bank_id: struct bank_facts, of those that units arrive at */
	struct lookup requests; /* by request_id: struct request */
	struct lookup bags;     /* by unit_id: struct bag */
	struct lookup endings;  /* by request_id: struct ending */
	struct lookup patients; /* by patient's reference: struct patient_record */
	struct request *first_request, *last_request;
	int64_t
		new_requests_count; /* microseconds apart, so that those of one batch keep their order in the line */
	struct ending *first_ending;
	struct bag *first_bag, *last_bag;
	struct line *first_line, *last_line;
	struct request **waiting; /* those whose back-orders may be filled */
	size_t waiting_count, waiting_capacity;
	bool is_waiting_truncated;     /* more wait in the database than were loaded */
	bool wants_more_waiting;       /* set by a decision that would have needed them */
	struct request **due_requests; /* of a timer */
	size_t due_requests_count;
	struct bag **due_bags;
	size_t due_bags_count;
	bool is_more_due; /* the timer found more than it takes at once; off again when it got nowhere */
};

/* What is known of a patient whose group is unknown. */
struct patient_record {
	int64_t blind_o_negative; /* O- units given so far */
};

struct state *state_new(struct arena *arena, const struct rules *rules, int64_t now);

/* A copy of a request's row, found or added. New ones are at the end of the list. */
struct request *state_request(const struct state *state, const char *request_id);
struct request *state_add_request(struct state *state, const char *request_id);

/* Appends a copy of a decision to a request. */
void request_add_decision(struct state *state, struct request *request,
	const struct decision_record *decision);

/* What a decision gave; NULL for a rejection. */
const struct bloodbank_blood_approved *decision_approval(const struct decision_record *decision);

/* A change that others see. */
void request_touch(struct request *request);

/* Units a request still wants. */
int64_t request_missing(const struct request *request);

/* What the allocator is to be asked for a request: `quantity` units. */
struct wanted state_wanted(const struct state *state, const struct request *request, bool is_followup);

/* The end of a request, made when it is new. */
struct ending *state_ending(struct state *state, const char *request_id);

/* Whether nothing more may be reserved for a request. */
bool state_is_ending(const struct state *state, const char *request_id);

/* Adds a request to those whose back-orders may be filled, once. */
void state_list_waiting(struct state *state, struct request *request);

struct bag *state_bag(const struct state *state, const char *unit_id);
/* A copy of a unit as it is in the database (`before`), or 0 for one that is new. */
struct bag *state_add_bag(struct state *state, const struct unit *unit, enum unit_status before);

/* The counters of a shelf; NULL when its bank was not loaded. */
struct line *state_line(const struct state *state, const char *bank_id, enum component component,
	enum blood_group group);
/* Added in the order of their keys. */
struct line *state_add_line(struct state *state, const char *bank_id, enum component component,
	enum blood_group group);
struct bin_line *line_bin(struct state *state, struct line *line, uint32_t profile);

/*
 * Changes a unit's status and, with it, the counters: the one place where stock is deducted. `request_id` and
 * `reserved_until` only with UNIT_STATUS_RESERVED. The allocator's shelves are the caller's affair.
 */
void state_change_unit(struct state *state, struct bag *bag, enum unit_status status, const char *request_id,
	int64_t reserved_until);

/* What is known of a patient, made when it is new. */
struct patient_record *state_patient(struct state *state, const char *patient_ref);
