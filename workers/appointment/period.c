/* Periods of publications and absences. */
#include "period.h"

#include "calendar.h"
#include "clock.h"

static bool has_sense(const struct period *period, int64_t longest_us, const struct rules *rules, int64_t now)
{
	return period->from_at < period->to_at && period->to_at - period->from_at <= longest_us
		&& period->to_at > now && period->from_at < now + DAYS_US(rules->ahead_days);
}

bool period_of_publish(const struct appointment_schedule_publish *command, const struct rules *rules,
	int64_t now, struct period *period)
{
	int64_t first = calendar_day(command->from), last = calendar_day(command->to);
	period->from_at = DAYS_US(first - 1);
	period->to_at = DAYS_US(last + 2);
	return first <= last && has_sense(period, DAYS_US(rules->period_days + 2), rules, now);
}

bool period_of_block(const struct appointment_schedule_block *command, const struct rules *rules, int64_t now,
	struct period *period)
{
	*period = (struct period){ command->from, command->to };
	return has_sense(period, DAYS_US(rules->period_days), rules, now);
}

struct recurrence period_recurrence(const struct appointment_schedule_publish *command)
{
	return (struct recurrence){
		.weekly = command->weekly,
		.weekly_count = command->weekly_count,
		.slot_minutes = command->slot_minutes,
		.buffer_minutes = command->buffer_minutes,
		.first_day = calendar_day(command->from),
		.last_day = calendar_day(command->to),
		.exceptions = command->exceptions,
		.exceptions_count = command->exceptions_count,
	};
}
