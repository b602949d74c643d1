/* What tests of the hospital's decisions share: messages as JSON, and a bench on which they are decided. */
#pragma once

#include "bench.h"
#include "hospital.h"
#include "requests.h"

#define R1 "11111111-1111-4111-8111-111111111111"
#define R2 "22222222-2222-4222-8222-222222222222"

#define ASK(id, rest) \
	"{\"request_id\":\"" id "\",\"hospital_id\":\"hospital-001\",\"component\":\"red_cells\"," rest "}"
#define TWO_O_NEGATIVE "\"group\":\"O-\",\"quantity\":2,\"urgency\":\"routine\""
#define EMERGENCY "\"group\":\"O-\",\"quantity\":2,\"urgency\":\"emergency\""
#define UNIT(id) \
	"{\"unit_id\":\"A999926000001-RC01-" id \
	"\",\"bank_id\":\"bank-001\",\"component\":\"red_cells\",\"group\":\"O-\"," \
	"\"expires_at\":\"2026-06-20T00:00:00Z\",\"reserved_until\":\"2026-06-01T00:00:00Z\"}"
#define APPROVED(no, decision, units, warnings, at) \
	"{\"request_id\":\"" R1 "\",\"hospital_id\":\"hospital-001\",\"decision\":\"" decision \
	"\",\"allocation_no\":" no \
	",\"quantity_requested\":2,\"quantity_allocated\":2,\"backordered\":0,\"units\":[" units \
	"],\"warnings\":[" warnings "],\"rules_version\":\"r1\",\"decided_at\":\"2026-05-28T" at "Z\"}"
#define REJECTED \
	"{\"request_id\":\"" R1 \
	"\",\"hospital_id\":\"hospital-001\",\"decision\":\"rejected\",\"reason\":\"insufficient_stock\"," \
	"\"detail\":\"2 wanted, 1 there\",\"decided_at\":\"2026-05-28T20:26:41Z\"}"
#define RELEASED(units, reason, backordered, at) \
	"{\"request_id\":\"" R1 "\",\"unit_ids\":[" units "],\"reason\":\"" reason \
	"\",\"backordered\":" backordered ",\"released_at\":\"2026-05-28T" at "Z\"}"
#define CANCEL "{\"request_id\":\"" R1 "\",\"reason\":\"no longer needed\",\"cancelled_by\":\"dr-2\"}"
#define ACCEPTED "hospital.blood.requested hospital.request.updated view"
#define UPDATED "hospital.request.updated view"
#define UNIT_A "\"A999926000001-RC01-0A\""
#define UNIT_B "\"A999926000001-RC01-0B\""

/* What was heard before, what is heard now, and what follows. */
struct example {
	const char *name;
	struct step before[4];
	struct step heard;
	const char *sent;
	const char *state; /* version, status, units held/wanted */
};

/* Reads the messages; the state knows of nothing but hospital-001 and hospital-002. */
void bench_open(struct bench *bench, const struct step *const steps[], size_t count);

/* Routing keys of what was sent after `from` (NULL: all), a view as "view"; a refusal with its reason. */
const char *bench_sent_after(struct bench *bench, const struct output *from);

/* "version status held/wanted", or "unknown". */
const char *bench_state(struct bench *bench, const char *request_id);

/* The description of the request as JSON. */
const char *bench_description(struct bench *bench, const char *request_id);

/* Decides what an example has, and compares. */
void bench_check(const struct example *example);

/* The number-th order of five steps, 0 to 119. */
void bench_permute(const struct step *const in[5], int number, const struct step *out[5]);
