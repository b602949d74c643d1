/* Schedules, slots, appointments, the waitlist. Who may change an appointment is its worker's word: the caller is named to it. */
#include "routes.h"

static const struct reading slots = {
	.question = APPOINTMENT_QUERY_SLOTS,
	.answer = APPOINTMENT_SLOTS_ANSWERED,
	.is_for_all = true,
	.is_cached = true,
};

static const struct reading appointment = {
	.view = "appointment",
	.is_guess = true,
	.question = APPOINTMENT_QUERY_APPOINTMENT,
	.answer = APPOINTMENT_APPOINTMENT_ANSWERED,
	.id_member = "appointment_id",
	.item = "appointment",
	.facility = "clinic_id",
};

static const struct reading appointments_of_patient = {
	.question = APPOINTMENT_QUERY_APPOINTMENTS,
	.answer = APPOINTMENT_APPOINTMENTS_ANSWERED,
	.facility = "clinic_id",
	.knows_cursor = is_time_cursor,
};

static const struct reading appointments_of_clinic = {
	.question = APPOINTMENT_QUERY_APPOINTMENTS,
	.answer = APPOINTMENT_APPOINTMENTS_ANSWERED,
	.facility = "clinic_id",
	.knows_cursor = is_time_cursor,
};

static const struct command publish_schedule = {
	.event = APPOINTMENT_SCHEDULE_PUBLISH,
	.accepted = APPOINTMENT_SCHEDULE_PUBLISHED,
	.refused = APPOINTMENT_SCHEDULE_REFUSED,
	.is_signed = true,
	.actor = "by",
};

static const struct command block_schedule = {
	.event = APPOINTMENT_SCHEDULE_BLOCK,
	.accepted = APPOINTMENT_SCHEDULE_BLOCKED,
	.refused = APPOINTMENT_SCHEDULE_REFUSED,
	.is_signed = true,
	.actor = "by",
};

/* Answered by what only the asker hears: the token. */
static const struct command hold_slot = {
	.event = APPOINTMENT_SLOT_HOLD,
	.accepted = APPOINTMENT_HOLD_ANSWERED,
	.refused = APPOINTMENT_SLOT_REFUSED,
	.id_member = "slot_id",
};

static const struct command release_slot = {
	.event = APPOINTMENT_SLOT_RELEASE,
	.accepted = APPOINTMENT_SLOT_RELEASED,
	.refused = APPOINTMENT_SLOT_REFUSED,
	.id_member = "slot_id",
};

static const char *const booking_members[] = { "slot_id", "slot_id", NULL };

static const struct guess booking_guess = {
	.view = "appointment",
	.id_member = "appointment_id",
	.members = booking_members,
	.rest = "{\"version\":0,\"status\":\"pending\"}",
};

static const struct command book_slot = {
	.event = APPOINTMENT_SLOT_BOOK,
	.accepted = APPOINTMENT_SLOT_BOOKED,
	.refused = APPOINTMENT_SLOT_REFUSED,
	.actor = "by",
	.location = "/v1/appointments/",
	.guess = &booking_guess,
};

static const struct command cancel_appointment = {
	.event = APPOINTMENT_SLOT_CANCEL,
	.accepted = APPOINTMENT_SLOT_CANCELLED,
	.refused = APPOINTMENT_SLOT_REFUSED,
	.id_member = "appointment_id",
	.is_signed = true,
	.actor = "by",
};

static const struct command move_appointment = {
	.event = APPOINTMENT_SLOT_MOVE,
	.accepted = APPOINTMENT_SLOT_MOVED,
	.refused = APPOINTMENT_SLOT_REFUSED,
	.id_member = "appointment_id",
	.is_signed = true,
	.actor = "by",
};

static const struct command note_arrival = {
	.event = APPOINTMENT_VISIT_ARRIVE,
	.accepted = APPOINTMENT_VISIT_ARRIVED,
	.refused = APPOINTMENT_VISIT_REFUSED,
	.id_member = "appointment_id",
	.is_signed = true,
	.actor = "by",
};

static const struct command note_completion = {
	.event = APPOINTMENT_VISIT_COMPLETE,
	.accepted = APPOINTMENT_VISIT_COMPLETED,
	.refused = APPOINTMENT_VISIT_REFUSED,
	.id_member = "appointment_id",
	.is_signed = true,
	.actor = "by",
};

static const struct command join_waitlist = {
	.event = APPOINTMENT_WAITLIST_JOIN,
	.accepted = APPOINTMENT_WAITLIST_JOINED,
	.refused = APPOINTMENT_WAITLIST_REFUSED,
};

static const struct command leave_waitlist = {
	.event = APPOINTMENT_WAITLIST_LEAVE,
	.accepted = APPOINTMENT_WAITLIST_LEFT,
	.refused = APPOINTMENT_WAITLIST_REFUSED,
	.id_member = "waitlist_id",
	.actor = "by",
};

static const struct command decline_offer = {
	.event = APPOINTMENT_SLOT_DECLINE,
	.accepted = APPOINTMENT_SLOT_DECLINED,
	.refused = APPOINTMENT_SLOT_REFUSED,
	.id_member = "waitlist_id",
};

static const struct route routes[] = {
	{ "POST", "/v1/schedules", ROUTE_COMMAND, CLINICS, &publish_schedule, NULL, { NULL }, NULL },
	{ "POST", "/v1/schedules/blocks", ROUTE_COMMAND, CLINICS, &block_schedule, NULL, { NULL }, NULL },
	{ "GET", "/v1/slots", ROUTE_READING, EVERYBODY, NULL, &slots, { "provider_id", "date" }, NULL },
	{ "POST", "/v1/slots/{}/hold", ROUTE_COMMAND, CLINICS, &hold_slot, NULL, { NULL }, NULL },
	{ "POST", "/v1/slots/{}/release", ROUTE_COMMAND, CLINICS, &release_slot, NULL, { NULL }, NULL },
	{ "POST", "/v1/appointments", ROUTE_COMMAND, CLINICS, &book_slot, NULL, { NULL }, NULL },
	{ "GET", "/v1/appointments", ROUTE_READING, CLINICS | READERS, NULL, &appointments_of_patient,
		{ "patient_ref", "limit", "cursor" }, "patient_ref" },
	{ "GET", "/v1/appointments", ROUTE_READING, CLINICS | READERS, NULL, &appointments_of_clinic,
		{ "clinic_id", "date", "limit", "cursor" }, "date" },
	{ "GET", "/v1/appointments/{}", ROUTE_READING, CLINICS | READERS, NULL, &appointment, { NULL }, NULL },
	{ "POST", "/v1/appointments/{}/cancellation", ROUTE_COMMAND, CLINICS, &cancel_appointment, NULL, { NULL },
		NULL },
	{ "POST", "/v1/appointments/{}/move", ROUTE_COMMAND, CLINICS, &move_appointment, NULL, { NULL }, NULL },
	{ "POST", "/v1/appointments/{}/arrival", ROUTE_COMMAND, CLINICS, &note_arrival, NULL, { NULL }, NULL },
	{ "POST", "/v1/appointments/{}/completion", ROUTE_COMMAND, CLINICS, &note_completion, NULL, { NULL },
		NULL },
	{ "POST", "/v1/waitlist", ROUTE_COMMAND, CLINICS, &join_waitlist, NULL, { NULL }, NULL },
	{ "DELETE", "/v1/waitlist/{}", ROUTE_COMMAND, CLINICS, &leave_waitlist, NULL, { NULL }, NULL },
	{ "POST", "/v1/waitlist/{}/decline", ROUTE_COMMAND, CLINICS, &decline_offer, NULL, { NULL }, NULL },
};

const struct route_table appointment_routes = { routes, sizeof(routes) / sizeof(routes[0]) };
