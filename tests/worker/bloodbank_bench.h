/* What tests of the bank's decisions share: a small world in memory, and words for what goes out. */
#pragma once

#include <check.h>

#include "bloodbank.h"
#include "outbox_internal.h"
#include "state.h"

#define R1 "11111111-1111-4111-8111-111111111111"
#define R2 "22222222-2222-4222-8222-222222222222"
#define R3 "33333333-3333-4333-8333-333333333333"
#define NOW INT64_C(1780000000000000) /* 2026-05-28T20:26:40Z */

#define ASK_AT(id, hospital, rest) \
	"{\"request_id\":\"" id "\",\"hospital_id\":\"" hospital "\",\"component\":\"red_cells\"," rest "}"
#define ASK(id, rest) ASK_AT(id, "hospital-001", rest)
#define WANT(group, quantity, urgency) \
	"\"group\":\"" group "\",\"quantity\":" quantity ",\"urgency\":\"" urgency "\",\"signed_by\":\"dr-1\""
#define BAG(serial, group, rest) \
	"{\"din\":\"A99992600000" serial \
	"\",\"product_code\":\"E0336\",\"component\":\"red_cells\",\"group\":\"" group \
	"\",\"collected_at\":\"2026-05-20T00:00:00Z\",\"additive\":\"SAGM\"" rest "}"
#define CANCELLED(id) "{\"request_id\":\"" id "\",\"reason\":\"no longer needed\"}"
#define RECEIVE(bags) "{\"bank_id\":\"bank-001\",\"units\":[" bags "]}"

/* One batch, one state: hospital-001 is served by bank-001 (5 km) and bank-002 (20 km), which have red cells only. */
struct bench {
	struct arena arena;
	struct outbox outbox;
	struct batch batch;
	struct state *state;
	const struct output *heard; /* the last output that was told */
	unsigned messages;
};

void bench_open(struct bench *bench);
void bench_close(struct bench *bench);

/* Available red cells at bank-001, `serial` 0 to 9, before the first message. Returns the unit's row. */
void bench_stock(struct bench *bench, int serial, enum blood_group group, int days);

/* The same unit, held for a request until that time; known by its id, as a timer finds it. */
struct bag *bench_reserved(struct bench *bench, int serial, enum blood_group group, int64_t expires_at,
	struct request *request, int64_t reserved_until);

/* A request that the database knows. */
struct request *bench_request(struct bench *bench, const char *body, enum progress progress,
	int64_t allocated);

/* Two units (the second may be NULL) that an approval gave to a request. */
void bench_given(struct bench *bench, struct request *request, const struct bag *first,
	const struct bag *second, int64_t decided_at);

/* A message to this worker. */
const struct message *bench_message(struct bench *bench, enum event event, const char *body);

/* Decides a message; it has to be DONE. */
void bench_decide(struct bench *bench, const struct message *message);

/* Decides a message and tells what goes out, see bench_told. */
const char *bench_send(struct bench *bench, enum event event, const char *body);

/*
 * What went out since the last call, in words: "approved 1 full 2/2 3 4" (allocation_no, decision, allocated of requested, serials
 * of the units), "rejected reason", "received 1 2", "refused reason state", "released 1", "expired 1", "stock O+ available/reserved",
 * "low O+", "critical O+", "recovered O+".
 * A key on the emergency lane has a "!" before it; events are joined by "; ".
 */
const char *bench_told(struct bench *bench);

/* "progress allocated+lapsed version" of a request. */
const char *bench_progress(struct bench *bench, const char *request_id);
