/* One conversation with the bus: publishes with confirms, hears a queue, or both. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "broker.h"

/* Called for each message; takes ownership of the delivery. */
typedef void session_hear_fn(void *owner, struct delivery *delivery);

struct session {
	struct address sending_address, hearing_address;
	struct broker_address sending, hearing;
	struct publisher *publisher; /* NULL: only hears */
	struct consumer *consumer;   /* NULL: only sends */
	const char *queues[1];
	size_t sent, confirmed, returned, nacked, lost;
};

/* `queue` is consumed as `hearing`. `queue` or `sending` may be NULL. The session must not move while it is open. */
bool session_open(struct session *session, const struct address *sending, const struct address *hearing,
	const char *queue, session_hear_fn *hear, void *owner, struct why *why);
void session_close(struct session *session);

/* Waits for room and sends. False: the connection is gone, or there was no room in time. */
bool session_send(struct session *session, const struct publication *publication, int64_t deadline_ms,
	struct why *why);

/* Serves both connections once: waits until something happens, at most until `deadline_ms` (clock_steady_ms). False: one is gone. */
bool session_serve(struct session *session, int64_t deadline_ms, struct why *why);

/* Waits until everything sent is settled. False: not in time, the connection is gone, or a message was not taken; `why` tells. */
bool session_settle(struct session *session, int64_t deadline_ms, struct why *why);
