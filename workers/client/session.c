/* A small loop around lib/broker: poll both sockets, serve both connections. */
#include "session.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

enum { SERVE_PERIOD_MS = 1000, PREFETCH = 500 }; /* heartbeats need a call each second */

static void settled(void *owner, void *token, enum settlement settlement)
{
	struct session *session = owner;
	(void)token;
	if (settlement == SETTLED_CONFIRMED)
		session->confirmed++;
	else if (settlement == SETTLED_RETURNED)
		session->returned++;
	else if (settlement == SETTLED_NACKED)
		session->nacked++;
	else
		session->lost++;
}

static struct broker_address broker_address_of(const struct address *address, const char *name)
{
	return (struct broker_address){
		.url = address->url,
		.user = address->user,
		.password = address->password,
		.connection_name = name,
	};
}

bool session_open(struct session *session, const struct address *sending, const struct address *hearing,
	const char *queue, session_hear_fn *hear, void *owner, struct why *why)
{
	bool is_open = true;
	*session = (struct session){ .publisher = NULL };
	if (sending != NULL) {
		session->sending_address = *sending;
		session->sending = broker_address_of(&session->sending_address, "carebus (publish)");
		session->publisher = publisher_new(&session->sending, settled, session);
		is_open = publisher_open(session->publisher, why);
	}
	if (is_open && queue != NULL) {
		session->hearing_address = *hearing;
		session->hearing = broker_address_of(&session->hearing_address, "carebus (consume)");
		session->queues[0] = queue;
		session->consumer = consumer_new(&session->hearing, "carebus", session->queues, 1, hear, owner);
		is_open = consumer_open(session->consumer, PREFETCH, why);
	}
	if (!is_open)
		session_close(session);
	return is_open;
}

void session_close(struct session *session)
{
	if (session->consumer != NULL)
		consumer_close(session->consumer);
	consumer_free(session->consumer);
	if (session->publisher != NULL)
		publisher_close(session->publisher);
	publisher_free(session->publisher);
	session->consumer = NULL;
	session->publisher = NULL;
	address_clear(&session->sending_address);
	address_clear(&session->hearing_address);
}

static int wait_ms(const struct session *session, int64_t deadline_ms)
{
	bool has_pending = (session->publisher != NULL && publisher_has_pending(session->publisher))
		|| (session->consumer != NULL && consumer_has_pending(session->consumer));
	int64_t left = deadline_ms - clock_steady_ms();
	if (has_pending || left <= 0)
		return 0;
	return left < SERVE_PERIOD_MS ? (int)left : SERVE_PERIOD_MS;
}

bool session_serve(struct session *session, int64_t deadline_ms, struct why *why)
{
	struct pollfd fds[2] = { { .fd = -1 }, { .fd = -1 } };
	if (session->publisher != NULL)
		fds[0] = (struct pollfd){ .fd = publisher_socket(session->publisher),
			.events = (short)(POLLIN | (publisher_wants_write(session->publisher) ? POLLOUT : 0)) };
	if (session->consumer != NULL)
		fds[1] = (struct pollfd){ .fd = consumer_socket(session->consumer),
			.events = (short)(POLLIN | (consumer_wants_write(session->consumer) ? POLLOUT : 0)) };
	poll(fds, 2, wait_ms(session, deadline_ms));
	return (session->publisher == NULL || publisher_serve(session->publisher, why))
		&& (session->consumer == NULL || consumer_serve(session->consumer, why));
}

bool session_send(struct session *session, const struct publication *publication, int64_t deadline_ms,
	struct why *why)
{
	while (publisher_room(session->publisher) == 0) {
		if (clock_steady_ms() >= deadline_ms)
			return because(why, "timeout",
				"the broker takes no more messages now; look for an alarm in its log");
		if (!session_serve(session, deadline_ms, why))
			return false;
	}
	if (!publisher_send(session->publisher, publication, NULL, why))
		return false;
	session->sent++;
	return true;
}

static size_t unsettled(const struct session *session)
{
	return session->sent - session->confirmed - session->returned - session->nacked - session->lost;
}

bool session_settle(struct session *session, int64_t deadline_ms, struct why *why)
{
	while (unsettled(session) > 0 && clock_steady_ms() < deadline_ms)
		if (!session_serve(session, deadline_ms, why))
			return false;
	if (unsettled(session) > 0)
		return because(why, "timeout", "%zu of %zu messages were not confirmed in time", unsettled(session),
			session->sent);
	if (session->returned > 0)
		return because(why, "returned",
			"%zu of %zu messages reached no queue; `carebus topology check` tells what is missing",
			session->returned, session->sent);
	if (session->nacked > 0)
		return because(why, "full", "%zu of %zu messages were refused: a queue is full", session->nacked,
			session->sent);
	return true;
}
