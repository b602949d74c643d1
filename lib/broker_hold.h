/*
 * Looks through a queue without emptying it: messages come one by one and stay the broker's until they are let go. Whatever was not
 * let go is in the queue again as soon as the connection ends, however it ends. Properties are handed over as bytes, for librabbitmq
 * can't decode every header that a broker takes, and a message that could not be read would hide all behind it.
 * For operators' programs: each call waits, at most HOLD_ANSWER_MS for each answer of the broker.
 */
#pragma once

#include "broker.h"
#include "scan.h"

enum {
	HOLD_ANSWER_MS = 15000,
	HOLD_BODY_MAX = 16 * 1024 * 1024, /* a longer body ends the connection */
};

/* One message; everything is borrowed until the next call. */
struct held {
	uint64_t tag;
	bool is_redelivered;
	const char *exchange;
	const char *routing_key;
	uint32_t behind;         /* how many more the queue holds */
	struct slice properties; /* flags and values, AMQP 0-9-1 section 4.2.6.1 */
	struct slice body;
};

struct hold;

/* Nothing is copied: address and queue must outlive it. */
struct hold *hold_new(const struct broker_address *address, const char *queue);
void hold_free(struct hold *hold);

/* Connects; closed again on failure, here and below, and why->reason is "refused", "absent" (no such queue) or "connection". */
bool hold_open(struct hold *hold, struct why *why);

/* Orderly; what is held goes back to the queue. */
void hold_close(struct hold *hold);

enum holding { HOLDING_MESSAGE, HOLDING_END, HOLDING_FAILED };

/* The next message; HOLDING_END when the queue has no more. */
enum holding hold_next(struct hold *hold, struct held *held, struct why *why);

/*
 * Publishes into a queue, past all exchanges, and waits for the broker's answer; `why` is filled unless it is SETTLED_CONFIRMED. The
 * properties and the body may be those of the held message.
 */
enum settlement hold_send(struct hold *hold, const char *queue, struct slice properties, struct slice body,
	struct why *why);

/* The message leaves the queue for good. */
bool hold_let_go(struct hold *hold, uint64_t tag, struct why *why);
