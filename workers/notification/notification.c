/*
 * The notification worker. Facts of other workers become notifications, once for each facility, role, entity and transition. Its own
 * `created`, heard from the bus, is the sign that everyone who listens has it too: then it is delivered.
 */
#include "notification.h"

#include <string.h>

#include "announce.h"
#include "notification_queries.h"

static enum outcome decide_fact(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	struct state *state = batch->state;
	(void)why;
	announce_new(state, audience_notices(message, state->rules), outbox);
	return DONE;
}

/* Told later, together with the bank's other changes. */
static enum outcome decide_inventory(const struct message *message, struct batch *batch,
	struct outbox *outbox, struct why *why)
{
	const struct state *state = batch->state;
	const struct bloodbank_inventory_updated *updated = message->body;
	(void)outbox;
	(void)why;
	stock_digest_gather(state_shelf(state, updated->bank_id, updated->component, updated->group),
		state_window(state, updated->bank_id), updated, batch->now);
	return DONE;
}

static enum outcome decide_created(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	const struct notification_message_created *created = message->body;
	struct notice *notice = state_notice(batch->state, created->notification_id);
	(void)why;
	if (notice->is_there && notice_deliver(notice, batch->now))
		announce_delivered(notice, outbox);
	return DONE;
}

static void refuse(const struct message *message, struct notification_message_refused *refused,
	struct outbox *outbox)
{
	const struct notification_message_acknowledge *command = message->body;
	refused->notification_id = command->notification_id;
	refused->command = event_type(message->event)->name;
	refused->causation = message->message_id;
	outbox_answer(outbox, NOTIFICATION_MESSAGE_REFUSED, refused, false);
}

static void refuse_unknown(const struct message *message, struct outbox *outbox)
{
	refuse(message,
		&(struct notification_message_refused){
			.reason = NOTIFICATION_REFUSAL_UNKNOWN_NOTIFICATION,
			.detail = "there is no notification of this id, or it is so old that it was deleted",
		},
		outbox);
}

static void refuse_stranger(const struct message *message, const struct notice *notice, struct outbox *outbox)
{
	refuse(message,
		&(struct notification_message_refused){
			.reason = NOTIFICATION_REFUSAL_NOT_OWNER,
			.detail = "the notification is another facility's",
			.state = notice_progress(notice),
		},
		outbox);
}

/* The first one counts. Whoever comes later hears what the first one heard. */
static enum outcome decide_acknowledge(const struct message *message, struct batch *batch,
	struct outbox *outbox, struct why *why)
{
	const struct notification_message_acknowledge *command = message->body;
	struct notice *notice = state_notice(batch->state, command->notification_id);
	(void)why;
	if (!notice->is_there) {
		refuse_unknown(message, outbox);
	} else if (command->facility_id != NULL && strcmp(command->facility_id, notice->facility_id) != 0) {
		refuse_stranger(message, notice, outbox);
	} else {
		notice_acknowledge(notice, command->by, batch->now);
		announce_acknowledged(notice, outbox);
	}
	return DONE;
}

/* What the machine itself cannot accept: another body under a known message id. */
static void refuse_conflict(const struct message *message, const char *reason, const char *detail,
	struct outbox *outbox)
{
	refuse(message,
		&(struct notification_message_refused){
			.reason = notification_refusal_find(reason),
			.detail = detail,
		},
		outbox);
}

const struct worker notification = {
	.name = "notification",
	.has_emergency_lane = true,
	.gather_ms = 40, /* nobody waits for a routine notification, and there are several for each request */
	.schema_version = 3,
	.routes = {
		{ HOSPITAL_BLOOD_REQUESTED, decide_fact, NULL },
		{ HOSPITAL_BLOOD_REFUSED, decide_fact, NULL },
		{ HOSPITAL_BLOOD_CANCELLED, decide_fact, NULL },
		{ HOSPITAL_REQUEST_UPDATED, decide_fact, NULL },
		{ BLOODBANK_BLOOD_APPROVED, decide_fact, NULL },
		{ BLOODBANK_BLOOD_REJECTED, decide_fact, NULL },
		{ BLOODBANK_STOCK_LOW, decide_fact, NULL },
		{ BLOODBANK_STOCK_CRITICAL, decide_fact, NULL },
		{ BLOODBANK_STOCK_RECOVERED, decide_fact, NULL },
		{ BLOODBANK_INVENTORY_UPDATED, decide_inventory, NULL },
		{ APPOINTMENT_SLOT_BOOKED, decide_fact, NULL },
		{ APPOINTMENT_SLOT_CANCELLED, decide_fact, NULL },
		{ APPOINTMENT_SLOT_MOVED, decide_fact, NULL },
		{ APPOINTMENT_SLOT_OFFERED, decide_fact, NULL },
		{ APPOINTMENT_SLOT_OFFER_EXPIRED, decide_fact, NULL },
		{ APPOINTMENT_SCHEDULE_BLOCKED, decide_fact, NULL },
		{ NOTIFICATION_MESSAGE_CREATED, decide_created, NULL },
		{ NOTIFICATION_MESSAGE_ACKNOWLEDGE, decide_acknowledge, refuse_conflict },
		{ 0 },
	},
	.timers = {
		{ "stock digests", SECONDS(5), load_due_digests, decide_due_digests, is_more_due },
		{ "emergencies unacknowledged", SECONDS(2), load_due_escalations, decide_due_escalations, is_more_due },
		{ "old notifications", SECONDS(60), load_prune, decide_nothing, is_more_due },
		{ 0 },
	},
	.questions = {
		{ NOTIFICATION_QUERY_MESSAGES, answer_messages },
		{ 0 },
	},
	.load = load_batch,
	.store = store_batch,
	.queries = notification_queries,
};
