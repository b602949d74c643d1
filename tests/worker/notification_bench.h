/* What tests of the notification worker's decisions share: messages as JSON, and a bench on which they are decided. */
#pragma once

#include "bench.h"
#include "notification.h"
#include "subject.h"

#define R1 "11111111-1111-4111-8111-111111111111"
#define R2 "22222222-2222-4222-8222-222222222222"

/* The id of "hospital-001 is told that R1 was requested", and of its escalation, as another program makes them (uuid5 of the key). */
#define RECEIVED_R1 "5211a091-8142-5de7-9322-73fe12626d90"
#define ESCALATED_R1 "bbf3d14a-a24f-5066-a81a-0256f38562fa"

#define REQUESTED(id, urgency) \
	"{\"request_id\":\"" id \
	"\",\"hospital_id\":\"hospital-001\",\"component\":\"red_cells\",\"group\":\"O-\",\"quantity\":2," \
	"\"urgency\":\"" urgency "\",\"requested_at\":\"2026-05-28T20:26:39Z\"}"
#define UNIT(number, bank) \
	"{\"unit_id\":\"A99992600000" number "-RC01-00\",\"bank_id\":\"" bank \
	"\",\"component\":\"red_cells\",\"group\":\"O-\",\"expires_at\":\"2026-06-20T00:00:00Z\"}"
#define APPROVED(no, urgency, decision, allocated, backordered, units) \
	"{\"request_id\":\"" R1 "\",\"hospital_id\":\"hospital-001\",\"urgency\":\"" urgency \
	"\",\"decision\":\"" decision "\",\"allocation_no\":" no \
	",\"quantity_requested\":2,\"quantity_allocated\":" allocated ",\"backordered\":" backordered \
	",\"units\":[" units "],\"rules_version\":\"r1\",\"decided_at\":\"2026-05-28T20:26:39Z\"}"
#define REJECTED(urgency) \
	"{\"request_id\":\"" R1 "\",\"hospital_id\":\"hospital-001\",\"urgency\":\"" urgency \
	"\",\"decision\":\"rejected\",\"reason\":\"insufficient_stock\",\"detail\":\"2 wanted, 1 there\"," \
	"\"decided_at\":\"2026-05-28T20:26:39Z\"}"
#define UPDATED(status) \
	"{\"request_id\":\"" R1 "\",\"hospital_id\":\"hospital-001\",\"version\":3,\"status\":\"" status \
	"\",\"quantity_requested\":2,\"quantity_allocated\":0,\"quantity_issued\":0,\"quantity_received\":0," \
	"\"units\":[]}"
#define ALERT(version, at) \
	"{\"bank_id\":\"bank-001\",\"component\":\"platelets\",\"group\":\"AB+\",\"available\":1," \
	"\"days_of_stock\":0.5,\"threshold\":1,\"threshold_unit\":\"days\",\"version\":" version ",\"at\":\"" at \
	"\"}"
#define STOCK(bank, group, available, version) \
	"{\"bank_id\":\"" bank "\",\"component\":\"red_cells\",\"group\":\"" group "\",\"available\":" available \
	",\"reserved\":1,\"expiring_24h\":0,\"version\":" version "}"

/* Reads the messages; nothing is known of what they are about. */
void bench_open(struct bench *bench, const struct step *const steps[], size_t count);

/*
 * What was sent after `from` (NULL: all), with a space between: "created:<facility>/<role>/<kind>", "delivered:<facility>",
 * "acknowledged:<by>", "refused:<reason>".
 */
const char *bench_sent_after(struct bench *bench, const struct output *from);
