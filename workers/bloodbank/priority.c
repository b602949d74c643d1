/* Priority: urgency, ageing, time, and the request id as the last word. */
#include "priority.h"

#include <string.h>

int32_t priority_level(const struct rules *rules, const struct waiting *waiting, int64_t now)
{
	int32_t level = rules->priority_level[waiting->urgency];
	if (waiting->urgency == URGENCY_EMERGENCY)
		return level;
	int64_t waited = now > waiting->asked_at ? now - waiting->asked_at : 0;
	int64_t lifted = level - waited / rules->ageing_us;
	int32_t highest = rules->priority_level[URGENCY_URGENT];
	return lifted < highest ? highest : (int32_t)lifted;
}

int priority_compare(const struct rules *rules, const struct waiting *a, const struct waiting *b, int64_t now)
{
	int32_t level_a = priority_level(rules, a, now);
	int32_t level_b = priority_level(rules, b, now);
	if (level_a != level_b)
		return level_a < level_b ? -1 : 1;
	if (a->asked_at != b->asked_at)
		return a->asked_at < b->asked_at ? -1 : 1;
	return strcmp(a->request_id, b->request_id);
}
