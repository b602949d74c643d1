/*
 * The bare loop: requests for red cells in, decisions out, straight over librabbitmq and libpq, 100 per
 * transaction. It knows one case only, full shelves at the nearest bank, and ends at the first surprise. What a
 * general machine costs is measured against it: it writes the rows and messages that the bloodbank worker writes
 * for the same requests.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "setting.h"
#include "uuid.h"

#define BARE_RULES "carebus-2026-11"

enum {
	BARE_BATCH = 100,
	BARE_FLIGHTS = 4, /* batches between their commit and their acknowledgement */
	BARE_BANKS = 4,
	BARE_GROUPS = 8,
	BARE_BINS = BARE_BANKS * BARE_GROUPS,
	BARE_HOSPITALS = 16,
	BARE_UNITS = 10, /* of one request */
	BARE_ID_BYTES = 72,
	BARE_OUTPUTS = BARE_BATCH + 2 * BARE_BINS,
	BARE_SENT_MAX = 1024, /* outputs whose rows are to be marked */
};

/* One hospital and the bank that is nearest to it. */
struct bare_hospital {
	char hospital_id[BARE_ID_BYTES];
	size_t bank;
};

struct bare_facilities {
	struct bare_hospital hospitals[BARE_HOSPITALS];
	size_t hospitals_count;
	char banks[BARE_BANKS][BARE_ID_BYTES];
	size_t banks_count;
};

struct bare_unit {
	char unit_id[BARE_ID_BYTES];
	int64_t expires_at;
};

/* Units of one group at one bank, as the batch found them. */
struct bare_bin {
	size_t bank, group;
	int64_t available, reserved, version, in_bin, expiring;
	size_t asked, taken;
	struct bare_unit *units; /* owned: as many as are asked for */
	size_t units_count;
};

struct bare_request {
	uint64_t tag;
	unsigned char digest[SHA256_BYTES];
	char message_id[UUID_TEXT_BYTES], request_id[UUID_TEXT_BYTES];
	char hospital_id[BARE_ID_BYTES];
	char correlation_id[BARE_ID_BYTES];
	char *body; /* owned: canonical, without version and time of the sender */
	size_t bin; /* place in the batch's bins */
	size_t quantity;
	bool is_fresh;
	const struct bare_unit *units;
};

/* What goes out, and the row that remembers it. A view goes to Redis. */
struct bare_output {
	const char *type, *exchange;     /* static; a view has no exchange */
	char routing_key[BARE_ID_BYTES]; /* of a view: its key */
	char cause_id[UUID_TEXT_BYTES], message_id[UUID_TEXT_BYTES];
	char correlation_id[BARE_ID_BYTES];
	int64_t ordinal, version;
	char *body; /* owned; the row of a view is without */
	bool is_mandatory, is_view;
};

struct bare_batch {
	int64_t now;
	struct bare_request requests[BARE_BATCH];
	size_t count;
	struct bare_bin *bins[BARE_BINS]; /* owned; those that are asked for */
	size_t bins_count;
	struct bare_output outputs[BARE_OUTPUTS];
	size_t outputs_count;
};

/* Keys of outbox rows. */
struct bare_sent {
	char cause_id[UUID_TEXT_BYTES];
	int64_t ordinal;
};

/* A committed batch whose outputs are not all confirmed. */
struct bare_flight {
	uint64_t last_sequence, last_tag;
	size_t views_count; /* answers that Redis owes */
	struct bare_sent sent[BARE_OUTPUTS];
	size_t sent_count;
};

/* Confirmed outputs whose marks ride in the next transaction. */
struct bare_marks {
	struct bare_sent sent[BARE_SENT_MAX];
	size_t count;
};

extern const char *const bare_groups[BARE_GROUPS];

/* bare_decide.c */
/* Reads a request; fails at one that is not of the known case. */
void bare_read(const struct bare_facilities *facilities, struct bare_batch *batch,
	struct bare_request *request, const char *body, size_t length);
/* Gives out the oldest units and writes the answers. */
void bare_decide(const struct bare_facilities *facilities, struct bare_batch *batch);
/* How long a unit is held. */
int64_t bare_reserved_until(int64_t now, int64_t expires_at);
/* Until when a unit is counted as expiring. */
int64_t bare_soon(const struct bare_batch *batch);
void bare_clear(struct bare_batch *batch);

/* bare_store.c */
/* Learns the facilities on the way. */
void bare_connect_database(struct bare_facilities *facilities);
/* Begins a transaction; learns which requests are fresh, and what is on their shelves. */
void bare_load(const struct bare_facilities *facilities, struct bare_batch *batch);
/* Writes everything, the marks included, and commits. */
void bare_store(const struct bare_facilities *facilities, const struct bare_batch *batch,
	struct bare_marks *marks);
/* The marks alone. */
void bare_store_marks(struct bare_marks *marks);

/* bare_bus.c */
void bare_connect_broker(void);
/* Waits for at most `wait_ms`; false: there is nothing. The batch's next request is filled in. */
bool bare_receive(const struct bare_facilities *facilities, struct bare_batch *batch, int wait_ms);
/* Publishes a committed batch; the flight is over when its last sequence is confirmed. */
void bare_publish(const struct bare_batch *batch, struct bare_flight *flight);
/* Reads the confirms that are there; gives the sequence up to which all are confirmed. */
uint64_t bare_confirmed(void);
void bare_wait_for_confirms(int wait_ms);
void bare_acknowledge(uint64_t tag);

/* bare_views.c */
void bare_connect_views(void);
/* Sends the views of a batch; returns how many answers are to be taken. */
size_t bare_put_views(const struct bare_batch *batch);
void bare_take_views(size_t count);
