/*
 * The appointment worker. Hours are published as slots; slots are held, booked, and become free again; what became of an appointment is
 * told by its events. There is one place where it is decided who gets a slot (place.h); every route and timer leads through it, and
 * the database's exclusion constraints stand behind it.
 */
#include "appointment.h"

#include "appointment_queries.h"
#include "refuse.h"

static const struct {
	enum event event;
	decide_fn *decide;
} commands[] = {
	{ APPOINTMENT_SCHEDULE_PUBLISH, decide_publish },
	{ APPOINTMENT_SCHEDULE_BLOCK, decide_block },
	{ APPOINTMENT_SLOT_HOLD, decide_hold },
	{ APPOINTMENT_SLOT_RELEASE, decide_release },
	{ APPOINTMENT_SLOT_BOOK, decide_book },
	{ APPOINTMENT_SLOT_CANCEL, decide_cancel },
	{ APPOINTMENT_SLOT_MOVE, decide_move },
	{ APPOINTMENT_SLOT_DECLINE, decide_decline },
	{ APPOINTMENT_VISIT_ARRIVE, decide_arrive },
	{ APPOINTMENT_VISIT_COMPLETE, decide_complete },
	{ APPOINTMENT_WAITLIST_JOIN, decide_join },
	{ APPOINTMENT_WAITLIST_LEAVE, decide_leave },
};

/* What was answered longer ago than the inbox remembers is neither done nor told again. */
static enum outcome decide_once(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	size_t i = 0;
	if (state_is_decided(batch->state, message->message_id))
		return DONE;
	while (commands[i].event != message->event)
		i++;
	return commands[i].decide(message, batch, outbox, why);
}

const struct worker appointment = {
	.name = "appointment",
	.schema_version = 6,
	.routes = {
		{ APPOINTMENT_SCHEDULE_PUBLISH, decide_once, refuse_conflict },
		{ APPOINTMENT_SCHEDULE_BLOCK, decide_once, refuse_conflict },
		{ APPOINTMENT_SLOT_HOLD, decide_once, refuse_conflict },
		{ APPOINTMENT_SLOT_RELEASE, decide_once, refuse_conflict },
		{ APPOINTMENT_SLOT_BOOK, decide_once, refuse_conflict },
		{ APPOINTMENT_SLOT_CANCEL, decide_once, refuse_conflict },
		{ APPOINTMENT_SLOT_MOVE, decide_once, refuse_conflict },
		{ APPOINTMENT_SLOT_DECLINE, decide_once, refuse_conflict },
		{ APPOINTMENT_VISIT_ARRIVE, decide_once, refuse_conflict },
		{ APPOINTMENT_VISIT_COMPLETE, decide_once, refuse_conflict },
		{ APPOINTMENT_WAITLIST_JOIN, decide_once, refuse_conflict },
		{ APPOINTMENT_WAITLIST_LEAVE, decide_once, refuse_conflict },
		{ 0 },
	},
	.timers = {
		{ "holds and offers ending", SECONDS(1), load_due_slots, decide_due_slots, is_more_due },
		{ "visits missed", SECONDS(5), load_due_bookings, decide_due_bookings, is_more_due },
		{ "old commands", SECONDS(60), load_old_commands, decide_nothing, is_more_due },
		{ 0 },
	},
	.questions = {
		{ APPOINTMENT_QUERY_APPOINTMENT, answer_appointment },
		{ APPOINTMENT_QUERY_APPOINTMENTS, answer_appointments },
		{ 0 },
	},
	.look_ups = {
		{ APPOINTMENT_QUERY_SLOTS, answer_slots },
		{ 0 },
	},
	.load = load_batch,
	.store = store_batch,
	.changed = changed_days,
	.queries = appointment_queries,
};
