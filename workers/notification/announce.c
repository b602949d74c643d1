/* `at` is the time of what the event tells: of the creation, the delivery, the acknowledgement. */
#include "announce.h"

enum { NUMBER_CREATED = 1, NUMBER_DELIVERED = 2, NUMBER_ACKNOWLEDGED = 3 };

static struct origin origin_of(const struct notice *notice)
{
	return (struct origin){ .correlation_id = notice->correlation_id, .traceparent = notice->traceparent };
}

static void announce_created(const struct notice *notice, struct outbox *outbox)
{
	const struct origin origin = origin_of(notice);
	const struct notification_message_created body = {
		.notification_id = notice->notification_id,
		.facility_id = notice->facility_id,
		.role = notice->role,
		.recipient_ref = notice->recipient_ref,
		.channel = NOTIFICATION_CHANNEL_INBOX,
		.kind = notice->kind,
		.is_emergency = notice->is_emergency,
		.has_is_emergency = true,
		.entity = notice->entity,
		.transition = notice->transition,
		.text = notice->text,
		.at = notice->created_at,
	};
	outbox_event(outbox, NOTIFICATION_MESSAGE_CREATED, &body, notice->notification_id, NUMBER_CREATED, false,
		&origin);
}

void announce_new(struct state *state, const struct notice *list, struct outbox *outbox)
{
	for (const struct notice *notice = list; notice != NULL; notice = notice->next) {
		const struct notice *created = state_create(state, notice);
		if (created != NULL)
			announce_created(created, outbox);
	}
}

void announce_delivered(const struct notice *notice, struct outbox *outbox)
{
	const struct origin origin = origin_of(notice);
	const struct notification_message_delivered body = {
		.notification_id = notice->notification_id,
		.facility_id = notice->facility_id,
		.role = notice->role,
		.recipient_ref = notice->recipient_ref,
		.channel = NOTIFICATION_CHANNEL_INBOX,
		.kind = notice->kind,
		.is_emergency = notice->is_emergency,
		.has_is_emergency = true,
		.entity = notice->entity,
		.transition = notice->transition,
		.text = notice->text,
		.at = notice->delivered_at,
	};
	outbox_event(outbox, NOTIFICATION_MESSAGE_DELIVERED, &body, notice->notification_id, NUMBER_DELIVERED,
		false, &origin);
}

void announce_acknowledged(const struct notice *notice, struct outbox *outbox)
{
	const struct origin origin = origin_of(notice);
	const struct notification_message_acknowledged body = {
		.notification_id = notice->notification_id,
		.facility_id = notice->facility_id,
		.by = notice->acknowledged_by,
		.at = notice->acknowledged_at,
	};
	outbox_event(outbox, NOTIFICATION_MESSAGE_ACKNOWLEDGED, &body, notice->notification_id,
		NUMBER_ACKNOWLEDGED, false, &origin);
}
