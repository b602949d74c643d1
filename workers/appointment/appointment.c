/*
 * The appointment worker. Hours are published as slots; slots are held, booked, and become free again; what became of an appointment is
 * told by its events. There is one place where it is decided who gets a slot (place.h); every route and timer leads through it, and
 * the database's exclusion constraints stand behind it.
 */
#include "appointment.h"

#include "appointment_queries.h"
#include "refuse.h"

const struct worker appointment = {
	.name = "appointment",
	.schema_version = 3,
	.routes = {
		{ APPOINTMENT_SCHEDULE_PUBLISH, decide_publish, refuse_conflict },
		{ APPOINTMENT_SCHEDULE_BLOCK, decide_block, refuse_conflict },
		{ APPOINTMENT_SLOT_HOLD, decide_hold, refuse_conflict },
		{ APPOINTMENT_SLOT_RELEASE, decide_release, refuse_conflict },
		{ APPOINTMENT_SLOT_BOOK, decide_book, refuse_conflict },
		{ APPOINTMENT_SLOT_CANCEL, decide_cancel, refuse_conflict },
		{ APPOINTMENT_SLOT_MOVE, decide_move, refuse_conflict },
		{ APPOINTMENT_SLOT_DECLINE, decide_decline, refuse_conflict },
		{ APPOINTMENT_VISIT_ARRIVE, decide_arrive, refuse_conflict },
		{ APPOINTMENT_VISIT_COMPLETE, decide_complete, refuse_conflict },
		{ APPOINTMENT_WAITLIST_JOIN, decide_join, refuse_conflict },
		{ APPOINTMENT_WAITLIST_LEAVE, decide_leave, refuse_conflict },
		{ 0 },
	},
	.timers = {
		{ "holds and offers ending", SECONDS(1), load_due_slots, decide_due_slots, is_more_due },
		{ "visits missed", SECONDS(5), load_due_bookings, decide_due_bookings, is_more_due },
		{ 0 },
	},
	.questions = {
		{ APPOINTMENT_QUERY_SLOTS, answer_slots },
		{ APPOINTMENT_QUERY_APPOINTMENT, answer_appointment },
		{ APPOINTMENT_QUERY_APPOINTMENTS, answer_appointments },
		{ 0 },
	},
	.load = load_batch,
	.store = store_batch,
	.queries = appointment_queries,
};
