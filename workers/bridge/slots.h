/*
 * The bridge's cache of slot lists: its own map, then Redis, then a question to their owner, by the rules of coherence.h. It hears on a queue
 * of its own what to forget, and has its lease from the appointment worker, over the bus.
 */
#pragma once

#include "broker.h"
#include "cache_names.h"
#include "cache_report.h"
#include "coherence.h"
#include "flight.h"

struct bridge;
struct call;
struct http_exchange;

enum { SLOT_BINDINGS = 2, SLOT_DATE_BYTES = 11 };

struct slots {
	struct lru *lru;
	struct coherence coherence;
	struct flights *flights;
	struct cache_counts counts;
	bool is_wanted;   /* a size of 0 means not to register: then nothing is ever kept */
	uint64_t leaving; /* number of the request that gave the lease up, until it is answered; 0: none */
	char timeline[TIMELINE_BYTES];
	char name[CACHE_NAME_BYTES], told_key[CACHE_NAME_BYTES + 32], answer_key[CACHE_NAME_BYTES + 32];
	char queue_prefix[96], connection_name[128];
	struct broker_address address;
	struct consumer_binding bindings[SLOT_BINDINGS + 1];
	struct buffer text;           /* of the answer that is made */
	char oldest[SLOT_DATE_BYTES]; /* what is of a day before it is over everywhere */
	int64_t oldest_us;            /* wall time: until when that is so */
};

/* lease.c: the cache's connection, made by links.c; what it hears; its lease. */
void slots_make(struct bridge *bridge);
void slots_free(struct bridge *bridge);
struct consumer *slots_make_consumer(struct bridge *bridge);
void slots_renew(struct bridge *bridge);   /* if it is due, and can be */
void slots_give_up(struct bridge *bridge); /* the lease, at the end: then no writer waits for it */
int64_t slots_due_ms(const struct bridge
		*bridge); /* clock_steady_ms: when it is; INT64_MAX: it can't be now */

/* slots.c. A read of the map alone. False: it has no list that may be answered; nothing was answered. */
bool slots_answer(struct bridge *bridge, struct http_exchange *exchange);

/* Whether a call's query names a day; else it is refused as that of any list. */
bool slots_fit(struct call *call);

/* Reads that day: from Redis, or by a question. */
void slots_read(struct call *call);

/* The owner's answer to a call, which then answers its own request. */
void slots_take(struct call *call, const char *body, size_t body_bytes);

/* A call that reads or waits for another's read is over. */
void slots_leave(struct call *call);
