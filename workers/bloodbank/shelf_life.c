/* Shelf life: a table of lives; the shortest that applies counts. */
#include "shelf_life.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "rules.h"

enum preservative { ANY_PRESERVATIVE, PLAIN, CPDA1, ADDITIVE };

enum unit_of_life { LIFE_HOURS, LIFE_DAYS, LIFE_YEARS };

/* A life from collection (process NONE or TESTED) or from its process. Hours are exact; days end at 23:59. */
struct life {
	enum component component;
	enum preservative preservative;
	enum process process;
	enum process unless; /* does not apply to products that this was done to as well */
	int span;
	enum unit_of_life unit;
};

static const struct life lives[] = {
	{ COMPONENT_RED_CELLS, PLAIN, PROCESS_NONE, PROCESS_NONE, 21, LIFE_DAYS },
	{ COMPONENT_RED_CELLS, CPDA1, PROCESS_NONE, PROCESS_NONE, 35, LIFE_DAYS },
	{ COMPONENT_RED_CELLS, ADDITIVE, PROCESS_NONE, PROCESS_NONE, 42, LIFE_DAYS },
	{ COMPONENT_RED_CELLS, ANY_PRESERVATIVE, PROCESS_IRRADIATED, PROCESS_NONE, 28, LIFE_DAYS },
	{ COMPONENT_RED_CELLS, ANY_PRESERVATIVE, PROCESS_WASHED, PROCESS_NONE, 24, LIFE_HOURS },
	{ COMPONENT_RED_CELLS, ANY_PRESERVATIVE, PROCESS_OPENED, PROCESS_NONE, 24, LIFE_HOURS },
	{ COMPONENT_WHOLE_BLOOD, PLAIN, PROCESS_NONE, PROCESS_NONE, 21, LIFE_DAYS },
	{ COMPONENT_WHOLE_BLOOD, CPDA1, PROCESS_NONE, PROCESS_NONE, 35, LIFE_DAYS },
	{ COMPONENT_WHOLE_BLOOD, ADDITIVE, PROCESS_NONE, PROCESS_NONE, 21, LIFE_DAYS },
	{ COMPONENT_WHOLE_BLOOD, ANY_PRESERVATIVE, PROCESS_IRRADIATED, PROCESS_NONE, 28, LIFE_DAYS },
	{ COMPONENT_WHOLE_BLOOD, ANY_PRESERVATIVE, PROCESS_WASHED, PROCESS_NONE, 24, LIFE_HOURS },
	{ COMPONENT_WHOLE_BLOOD, ANY_PRESERVATIVE, PROCESS_OPENED, PROCESS_NONE, 24, LIFE_HOURS },
	{ COMPONENT_PLATELETS, ANY_PRESERVATIVE, PROCESS_NONE, PROCESS_TESTED, 5, LIFE_DAYS },
	{ COMPONENT_PLATELETS, ANY_PRESERVATIVE, PROCESS_TESTED, PROCESS_NONE, 7, LIFE_DAYS },
	{ COMPONENT_PLATELETS, ANY_PRESERVATIVE, PROCESS_WASHED, PROCESS_NONE, 4, LIFE_HOURS },
	{ COMPONENT_PLATELETS, ANY_PRESERVATIVE, PROCESS_VOLUME_REDUCED, PROCESS_NONE, 4, LIFE_HOURS },
	{ COMPONENT_PLASMA, ANY_PRESERVATIVE, PROCESS_NONE, PROCESS_NONE, 1, LIFE_YEARS },
	{ COMPONENT_PLASMA, ANY_PRESERVATIVE, PROCESS_THAWED, PROCESS_RELABELLED, 24, LIFE_HOURS },
	{ COMPONENT_PLASMA, ANY_PRESERVATIVE, PROCESS_RELABELLED, PROCESS_NONE, 5 * 24, LIFE_HOURS },
	{ COMPONENT_CRYO, ANY_PRESERVATIVE, PROCESS_NONE, PROCESS_NONE, 1, LIFE_YEARS },
	{ COMPONENT_CRYO, ANY_PRESERVATIVE, PROCESS_THAWED, PROCESS_NONE, 6, LIFE_HOURS },
	{ COMPONENT_CRYO, ANY_PRESERVATIVE, PROCESS_POOLED, PROCESS_NONE, 4, LIFE_HOURS },
};

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
		return ADDITIVE;
	const char *anticoagulant = product->anticoagulant == NULL ? "" : product->anticoagulant;
	bool is_cpda1 = strcasecmp(anticoagulant, "CPDA-1") == 0 || strcasecmp(anticoagulant, "CPDA1") == 0;
	return is_cpda1 ? CPDA1 : PLAIN;
}

static bool was_done(const struct product *product, enum process process)
{
	return (product->processes & PROCESS_BIT(process)) != 0;
}

static bool applies(const struct life *life, const struct product *product)
{
	if (life->component != product->component)
		return false;
	if (life->preservative != ANY_PRESERVATIVE && life->preservative != find_preservative(product))
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
	int64_t limit = product->parts_expire_at;
	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		if (!applies(&lives[i], product))
			continue;
		int64_t end = end_of_life(&lives[i], product);
		if (end < limit)
			limit = end;
	}
	return limit;
}
