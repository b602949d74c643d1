/* Shelf life: a table of lives; the shortest that applies counts. */
#include "shelf_life.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "rules.h"

static const char *const process_names[PROCESSES] = {
	[PROCESS_TESTED] = "tested",
	[PROCESS_IRRADIATED] = "irradiated",
	[PROCESS_WASHED] = "washed",
	[PROCESS_OPENED] = "opened",
	[PROCESS_VOLUME_REDUCED] = "volume_reduced",
	[PROCESS_THAWED] = "thawed",
	[PROCESS_RELABELLED] = "relabelled",
	[PROCESS_POOLED] = "pooled",
};

unsigned int processes_find(const char *const *attributes, size_t count)
{
	unsigned int processes = 0;
	for (size_t i = 0; i < count; i++)
		for (enum process process = PROCESS_TESTED; process < PROCESSES; process++)
			if (strcmp(process_names[process], attributes[i]) == 0)
				processes |= PROCESS_BIT(process);
	return processes;
}

/* An anticoagulant nobody knows gets the shortest life. */
static enum preservative find_preservative(const struct product *product)
{
	if (product->additive != NULL)
		return PRESERVATIVE_ADDITIVE;
	const char *anticoagulant = product->anticoagulant == NULL ? "" : product->anticoagulant;
	bool is_cpda1 = strcasecmp(anticoagulant, "CPDA-1") == 0 || strcasecmp(anticoagulant, "CPDA1") == 0;
	return is_cpda1 ? PRESERVATIVE_CPDA1 : PRESERVATIVE_PLAIN;
}

static bool was_done(const struct product *product, enum process process)
{
	return (product->processes & PROCESS_BIT(process)) != 0;
}

static bool applies(const struct life *life, const struct product *product)
{
	if (life->component != product->component)
		return false;
	if (life->preservative != PRESERVATIVE_ANY && life->preservative != find_preservative(product))
		return false;
	if (life->process != PROCESS_NONE && !was_done(product, life->process))
		return false;
	return life->unless == PROCESS_NONE || !was_done(product, life->unless);
}

/* 23:59 of the day that lies `days` and `years` after the one of `moment`, in a place with that offset. */
static int64_t end_of_day(int64_t moment, int32_t utc_offset_s, int days, int years)
{
	int64_t local_s = (moment < 0 ? moment - (ONE_SECOND - 1) : moment) / ONE_SECOND + utc_offset_s;
	time_t seconds = (time_t)local_s;
	struct tm date;
	if (gmtime_r(&seconds, &date) == NULL)
		return moment;
	bool is_leap_day = date.tm_mon == 1 && date.tm_mday == 29;
	date.tm_year += years;
	date.tm_mday += days - (is_leap_day && years > 0 ? 1 : 0);
	date.tm_hour = 23;
	date.tm_min = 59;
	date.tm_sec = 0;
	return ((int64_t)timegm(&date) - utc_offset_s) * ONE_SECOND;
}

static int64_t end_of_life(const struct life *life, const struct product *product)
{
	bool is_from_collection = life->process == PROCESS_NONE || life->process == PROCESS_TESTED;
	int64_t from = is_from_collection ? product->collected_at : product->processed_at;
	if (life->unit == LIFE_HOURS)
		return from + life->span * ONE_HOUR;
	if (life->unit == LIFE_YEARS)
		return end_of_day(from, product->utc_offset_s, 0, life->span);
	return end_of_day(from, product->utc_offset_s, life->span, 0);
}

int64_t shelf_life_limit(const struct product *product)
{
	const struct rules *rules = product->rules == NULL ? &rules_default : product->rules;
	int64_t limit = product->parts_expire_at;
	for (size_t i = 0; i < rules->lives_count; i++) {
		if (!applies(&rules->lives[i], product))
			continue;
		int64_t end = end_of_life(&rules->lives[i], product);
		if (end < limit)
			limit = end;
	}
	return limit;
}
