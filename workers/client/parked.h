/* What the verbs of `carebus parked` share. */
#pragma once

#include "broker.h"
#include "command.h"
#include "parcel.h"

struct parked_values {
	struct common_values common;
	struct choice choice;
	const char *file; /* of drop; NULL = standard output */
	bool is_all, is_dry, is_sure;
	long limit;
};

/* One run of the command. */
struct parked_run {
	const struct parked_values *values;
	struct broker_address address;
	bool is_json;
};

/*
 * Called for each message, which the broker keeps until `visit` lets it go. False: no further, `why` says for which fault.
 */
typedef bool parked_visit_fn(void *owner, struct hold *hold, const struct held *held,
	const struct parcel *parcel, struct why *why);

/* How much of a queue was looked at. */
struct extent {
	size_t messages, looked_at;
};

/* Visits the messages that are in the queue now, --limit of them at most, from its head. */
bool parked_walk(const struct parked_run *run, const char *queue, parked_visit_fn *visit, void *owner,
	struct extent *extent, struct why *why);

/* The verbs. `queues` is a JSON list of names. */
enum ending parked_list(const struct parked_run *run, const json_t *queues);
enum ending parked_show(const struct parked_run *run, const char *queue);
enum ending parked_replay(const struct parked_run *run, const char *queue);
enum ending parked_drop(const struct parked_run *run, const char *queue);
