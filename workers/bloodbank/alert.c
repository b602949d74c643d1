/* Alerts: two measures of one shelf, compared in whole numbers, so that a limit is met exactly. */
#include "alert.h"

#include <assert.h>

static_assert(STOCK_LEVEL_NORMAL < STOCK_LEVEL_LOW && STOCK_LEVEL_LOW < STOCK_LEVEL_CRITICAL,
	"levels are ordered");

enum { HOURS = 24 };

/* Stock is `value / per`, in units or in hours. */
struct measure {
	const struct stock_limits *limits;
	int64_t value, per;
	int64_t recovery_percent;
};

static struct measure in_units(const struct rules *rules, const struct stock_facts *facts)
{
	return (struct measure){
		.limits = &rules->unit_limits[facts->component][facts->group],
		.value = facts->available,
		.per = 1,
		.recovery_percent = rules->recovery_percent,
	};
}

static bool has_days(const struct rules *rules, const struct stock_facts *facts)
{
	return facts->demand_28_days > 0 && rules->demand_limits[facts->component].low > 0;
}

static struct measure in_hours(const struct rules *rules, const struct stock_facts *facts)
{
	return (struct measure){
		.limits = &rules->demand_limits[facts->component],
		.value = facts->undesignated * DEMAND_DAYS * HOURS,
		.per = facts->demand_28_days,
		.recovery_percent = rules->recovery_percent,
	};
}

static bool is_critical(const struct measure *measure)
{
	int64_t limit = measure->limits->critical * measure->per;
	return measure->value < limit || (measure->limits->is_critical_reached && measure->value == limit);
}

static bool is_low(const struct measure *measure)
{
	return measure->value < measure->limits->low * measure->per;
}

static bool is_back_above(const struct measure *measure, int64_t limit)
{
	return measure->value * 100 >= limit * measure->per * measure->recovery_percent;
}

static enum stock_level level_of(const struct measure *measure, enum stock_level before)
{
	bool was_critical = before == STOCK_LEVEL_CRITICAL, was_low = before >= STOCK_LEVEL_LOW;
	if (is_critical(measure) || (was_critical && !is_back_above(measure, measure->limits->critical)))
		return STOCK_LEVEL_CRITICAL;
	if (is_low(measure) || (was_low && !is_back_above(measure, measure->limits->low)))
		return STOCK_LEVEL_LOW;
	return STOCK_LEVEL_NORMAL;
}

static enum stock_level level_in_days(const struct rules *rules, const struct stock_facts *facts)
{
	const struct measure hours = in_hours(rules, facts);
	return has_days(rules, facts) ? level_of(&hours, facts->level) : STOCK_LEVEL_NORMAL;
}

enum stock_level alert_level(const struct rules *rules, const struct stock_facts *facts)
{
	const struct measure units = in_units(rules, facts);
	enum stock_level by_units = level_of(&units, facts->level), by_days = level_in_days(rules, facts);
	return by_units > by_days ? by_units : by_days;
}

static enum event event_of(enum stock_level before, enum stock_level level)
{
	if (level == STOCK_LEVEL_CRITICAL && before < STOCK_LEVEL_CRITICAL)
		return BLOODBANK_STOCK_CRITICAL;
	if (level == STOCK_LEVEL_LOW && before < STOCK_LEVEL_LOW)
		return BLOODBANK_STOCK_LOW;
	return level == STOCK_LEVEL_NORMAL && before > STOCK_LEVEL_NORMAL ? BLOODBANK_STOCK_RECOVERED
																	  : EVENT_NONE;
}

/* Days come first where both limits are passed. */
static void fill_threshold(const struct rules *rules, const struct stock_facts *facts, struct alert *alert)
{
	alert->is_in_days = has_days(rules, facts) && level_in_days(rules, facts) == alert->level;
	const struct measure measure = alert->is_in_days ? in_hours(rules, facts) : in_units(rules, facts);
	bool is_of_critical = alert->level == STOCK_LEVEL_CRITICAL;
	int64_t limit = is_of_critical ? measure.limits->critical : measure.limits->low;
	alert->threshold = alert->is_in_days ? (double)limit / HOURS : (double)limit;
}

struct alert alert_decide(const struct rules *rules, const struct stock_facts *facts, bool is_taken_from)
{
	struct alert alert = { .level = alert_level(rules, facts) };
	if (facts->level == STOCK_LEVEL_NONE && !is_taken_from) {
		if (alert.level != STOCK_LEVEL_NORMAL)
			alert.level = STOCK_LEVEL_NONE;
		return alert;
	}
	alert.event = event_of(facts->level, alert.level);
	if (alert.event != EVENT_NONE)
		fill_threshold(rules, facts, &alert);
	return alert;
}
