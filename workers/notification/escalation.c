/* The notification itself is the entity; that it was not acknowledged, its one transition. */
#include "escalation.h"

#include "wording.h"

struct notice *escalation_notice(const struct notice *notice, const struct rules *rules, int64_t now,
	struct arena *arena)
{
	const struct fact fact = {
		.facility_id = notice->facility_id,
		.role = "supervisor",
		.kind = "escalated",
		.entity = arena_print(arena, "notification:%s", notice->notification_id),
		.transition = "escalated",
		.text = wording_escalated(notice, rules->acknowledge_within_us, arena),
		.is_emergency = true,
	};
	struct notice *escalated = audience_notice(&fact, rules, now, arena);
	escalated->escalate_at = 0;
	escalated->correlation_id = notice->correlation_id;
	escalated->traceparent = notice->traceparent;
	return escalated;
}

bool escalation_is_due(const struct notice *notice, int64_t now)
{
	return notice->escalate_at != 0 && notice->escalate_at <= now;
}
