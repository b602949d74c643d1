/* The key makes the id, so that whoever tells the same thing again finds what was told before. */
#include "notice.h"

#include "uuid.h"

const char *notice_id(const struct notice *notice, struct arena *arena)
{
	static const unsigned char ids[UUID_BYTES] = { 0x5f, 0x0d, 0x2c, 0x1e, 0x8b, 0x6a, 0x4e, 0x37, 0x9c, 0x41,
		0x1d, 0x7e, 0x52, 0xa8, 0x0b, 0xf3 }; /* the namespace of notifications: chosen once, never changed */
	const char *const key[] = { notice->facility_id, notice->role, notice->entity, notice->transition, NULL };
	char *id = arena_new(arena, UUID_TEXT_BYTES);
	uuid_from_names(ids, key, id);
	return id;
}

const char *notice_progress(const struct notice *notice)
{
	if (notice->acknowledged_at != 0)
		return "acknowledged";
	return notice->delivered_at != 0 ? "delivered" : "pending";
}

bool notice_deliver(struct notice *notice, int64_t now)
{
	if (notice->delivered_at != 0)
		return false;
	notice->delivered_at = now;
	notice->is_changed = true;
	return true;
}

bool notice_acknowledge(struct notice *notice, const char *by, int64_t now)
{
	if (notice->acknowledged_at != 0)
		return false;
	notice->acknowledged_at = now;
	notice->acknowledged_by = by;
	notice->escalate_at = 0;
	notice->is_changed = true;
	return true;
}

struct notification_state notice_state(const struct notice *notice)
{
	return (struct notification_state){
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
		.delivered_at = notice->delivered_at,
		.has_delivered_at = notice->delivered_at != 0,
		.acknowledged_at = notice->acknowledged_at,
		.has_acknowledged_at = notice->acknowledged_at != 0,
		.acknowledged_by = notice->acknowledged_by,
		.version = 1 + (notice->delivered_at != 0) + (notice->acknowledged_at != 0),
	};
}
