/* What tests of the appointment worker's decisions share: messages as JSON, and a bench on which they are decided. */
#pragma once

#include "bench.h"
#include "appointment.h"
#include "state.h"

#define A1 "11111111-1111-4111-8111-111111111111"
#define A2 "22222222-2222-4222-8222-222222222222"

/* Slots of dr-adams at clinic-001, which is on UTC, on the first Monday of June, half an hour each. */
#define NINE "dr-adams.20260601.0900"
#define HALF_PAST "dr-adams.20260601.0930"
#define TEN "dr-adams.20260601.1000"

#define BOOK(slot, patient) "{\"slot_id\":\"" slot "\",\"patient_ref\":\"" patient "\"}"
#define BOOK_WITH(slot, patient, token) \
	"{\"slot_id\":\"" slot "\",\"patient_ref\":\"" patient "\",\"hold_token\":\"" token "\"}"
#define HOLD(slot, patient) "{\"slot_id\":\"" slot "\",\"patient_ref\":\"" patient "\",\"hold_seconds\":60}"
#define CANCEL(id, by) "{\"appointment_id\":\"" id "\",\"by\":\"" by "\",\"reason\":\"because\"}"
#define MOVE(id, slot, by) "{\"appointment_id\":\"" id "\",\"slot_id\":\"" slot "\",\"by\":\"" by "\"}"
#define JOIN(patient) "{\"provider_id\":\"dr-adams\",\"patient_ref\":\"" patient "\"}"
#define HOURS(more) \
	"{\"provider_id\":\"dr-adams\",\"clinic_id\":\"clinic-001\",\"weekly\":[{\"weekday\":1,\"from\":\"09:00\"," \
	"\"to\":\"10:30\"}],\"from\":\"2026-06-01\",\"to\":\"2026-06-07\"" more "}"

/* Reads the messages; nothing was loaded for them. */
void bench_open(struct bench *bench, const struct step *const steps[], size_t count);

/* As if it had been loaded: the provider's terms, the clinic, three free slots. */
void bench_load_slots(struct bench *bench);

/*
 * What was sent after `from` (NULL: all), with a space between: "booked:<slot>/<patient>", "refused:<reason>", and of other events their
 * slots or entries' patients.
 */
const char *bench_sent_after(struct bench *bench, const struct output *from);
