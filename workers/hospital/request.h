/* A request for blood as its hospital keeps it: what was asked, what the banks decided, and what follows from both. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "events.h"

/* One approval: units that a bank reserved. */
struct allocation {
	int64_t allocation_no;
	enum decision decision;
	int64_t quantity_requested;
	int64_t backordered;
	const char *rules_version;
	int64_t decided_at;
	struct allocated_unit *units; /* in the bank's order */
	size_t units_count;
	struct warning *warnings;
	size_t warnings_count;
	bool is_new;             /* not stored yet */
	struct allocation *next; /* the next higher number */
};

/* One unit that is no longer reserved. It ends the allocations that were decided before it. */
struct release {
	const char *unit_id;
	int64_t released_at;
	enum release_reason reason;
	int64_t backordered; /* what the request goes on waiting for */
	bool has_backordered;
	bool is_new;
	struct release *next;
};

/* The hospital took the request back. What its event told of the request stays as it was known then. */
struct cancellation {
	int64_t version; /* of the request */
	const char *reason;
	const char *cancelled_by;
	int64_t cancelled_at;
	const char *hospital_id; /* NULL: the request itself was not heard yet */
	enum urgency urgency;
	bool is_new;
};

struct request {
	const char *request_id;
	int64_t version; /* 0: nothing is known of it */
	enum request_status status;
	const char *content; /* what was asked, as canonical JSON; NULL: known by other facts alone */
	const char *order_id;
	const char *hospital_id;
	enum component component;
	enum blood_group group;
	enum urgency urgency;
	int64_t quantity; /* units; 0 = unknown */
	int64_t needed_at;
	bool has_needed_at;
	int64_t requested_at;
	bool has_requested_at;
	bool is_scheduled;     /* needed so late that the banks wait before they decide */
	enum rejection reason; /* of a rejection; 0 = none was heard */
	const char *detail;
	int64_t rejected_at;
	const char *correlation_id; /* of the workflow that it belongs to */
	const char *traceparent;
	struct allocation *allocations;    /* by number */
	struct release *releases;          /* by time */
	struct cancellation *cancellation; /* NULL: not cancelled */
	bool is_stored;                    /* has its row already */
	bool is_changed;                   /* since it was loaded */
};

/* The event that an accepted command leads to. Shares the command's memory. */
void requested_from_request(const struct hospital_blood_request *command, const char *request_id,
	struct hospital_blood_requested *out);

/* What was asked, as canonical JSON: equal texts mean equal requests, whoever sent them and when. */
const char *request_content(const struct hospital_blood_requested *requested, struct arena *arena);

/* Whether the request is known with this content. */
bool request_has_content(const struct request *request, const char *content);

/* Records what was asked. `content` is request_content of it. Raises the version. */
void request_fill(struct request *request, const struct hospital_blood_requested *requested,
	const char *content, int64_t now);

/* The event that told of the request, as it was sent. The request has its content. */
void request_event(const struct request *request, struct arena *arena, struct hospital_blood_requested *out);

/* Each records a fact once. False: known already, nothing changed. Raises the version. */
bool request_add_approval(struct request *request, const struct bloodbank_blood_approved *approved,
	struct arena *arena);
bool request_add_rejection(struct request *request, const struct bloodbank_blood_rejected *rejected);
bool request_add_release(struct request *request, const struct bloodbank_reservation_released *released,
	int64_t now, struct arena *arena);
bool request_add_cancellation(struct request *request, const struct hospital_blood_cancel *cancel,
	int64_t now, struct arena *arena);

/* The event that told of the cancellation, as it was sent. The request has one. */
void request_cancelled_event(const struct request *request, struct hospital_blood_cancelled *out);

/* The request as others see it. */
void request_describe(const struct request *request, struct arena *arena,
	struct hospital_request_updated *out);
