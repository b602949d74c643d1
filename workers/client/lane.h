/* The two ways by which a load's requests travel. A lane never waits but in its opening and in `wait`. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "address.h"
#include "buffer.h"
#include "door.h"
#include "events.h"
#include "schedule.h"

enum { LANE_SOCKETS_MAX = 3 };

struct lane {
	const struct lane_kind *kind;
	struct schedule *schedule; /* hears what becomes of the requests */
};

struct lane_kind {
	void (*close)(struct lane *lane);

	/* How many may be sent now. */
	size_t (*room)(const struct lane *lane);

	/* Sends request `number`, at once or with the next serve. Needs room, counted before the first of a burst. */
	void (*send)(struct lane *lane, uint64_t number, const struct hospital_blood_request *request,
		const struct buffer *body);

	/* Sends and hears; comes back to a peer that was gone. */
	void (*serve)(struct lane *lane);

	/* Until something happens here or at `sockets` (at most LANE_SOCKETS_MAX), or a second is over. */
	void (*wait)(struct lane *lane, const struct pollfd sockets[], size_t count);

	/* The last fault of the connection; "" = none. */
	const char *(*fault)(const struct lane *lane);
};

/* Publishes as the upstream system; a confirm acknowledges. NULL: it could not be opened. `address` is copied. */
struct lane *lane_amqp(const struct address *address, struct schedule *schedule, struct why *why);

/* Posts to the bridge; 2xx acknowledges. With `wait_s` each answer is to be the decision. `door` must outlive the lane. */
struct lane *lane_http(const struct door *door, size_t connections, long wait_s, struct schedule *schedule);
