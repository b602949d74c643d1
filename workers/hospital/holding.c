/* Facts are sorted as they come, so that the same facts give the same holding. */
#include "holding.h"

#include <string.h>

bool holding_add_allocation(struct request *request, struct allocation *allocation)
{
	struct allocation **place = &request->allocations;
	while (*place != NULL && (*place)->allocation_no < allocation->allocation_no)
		place = &(*place)->next;
	if (*place != NULL && (*place)->allocation_no == allocation->allocation_no)
		return false;
	allocation->next = *place;
	*place = allocation;
	return true;
}

static int release_compare(const struct release *a, const struct release *b)
{
	if (a->released_at != b->released_at)
		return a->released_at < b->released_at ? -1 : 1;
	return strcmp(a->unit_id, b->unit_id);
}

bool holding_add_release(struct request *request, struct release *release)
{
	struct release **place = &request->releases;
	while (*place != NULL && release_compare(*place, release) < 0)
		place = &(*place)->next;
	if (*place != NULL && release_compare(*place, release) == 0)
		return false;
	release->next = *place;
	*place = release;
	return true;
}

/* A unit may be released and reserved anew in one go: only an allocation that was decided earlier is ended. */
static bool is_released(const struct request *request, const struct allocation *allocation,
	const char *unit_id)
{
	for (const struct release *release = request->releases; release != NULL; release = release->next)
		if (release->released_at > allocation->decided_at && strcmp(release->unit_id, unit_id) == 0)
			return true;
	return false;
}

size_t holding_units(const struct request *request, struct allocated_unit units[HOLDING_UNITS_MAX])
{
	size_t count = 0;
	for (const struct allocation *allocation = request->allocations; allocation != NULL;
		 allocation = allocation->next)
		for (size_t i = 0; i < allocation->units_count; i++)
			if (count < HOLDING_UNITS_MAX && !is_released(request, allocation, allocation->units[i].unit_id))
				units[count++] = allocation->units[i];
	return count;
}

static bool is_among(const struct warning *warning, const struct warning warnings[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *a = warning->detail, *b = warnings[i].detail;
		if (warning->code == warnings[i].code && (a == b || (a != NULL && b != NULL && strcmp(a, b) == 0)))
			return true;
	}
	return false;
}

size_t holding_warnings(const struct request *request, struct warning warnings[HOLDING_WARNINGS_MAX])
{
	size_t count = 0;
	for (const struct allocation *allocation = request->allocations; allocation != NULL;
		 allocation = allocation->next)
		for (size_t i = 0; i < allocation->warnings_count; i++)
			if (count < HOLDING_WARNINGS_MAX && !is_among(&allocation->warnings[i], warnings, count))
				warnings[count++] = allocation->warnings[i];
	return count;
}

const struct release *holding_last_release(const struct request *request)
{
	const struct release *last = request->releases;
	while (last != NULL && last->next != NULL)
		last = last->next;
	return last;
}
