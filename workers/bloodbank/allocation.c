/* Allocation: refusals on paper, concessions of an emergency, the answer with its warnings. */
#include "allocation.h"

#include <assert.h>

#include "sourcing.h"
#include "warnings.h"

static void refuse(struct allocation *out, enum rejection reason, const char *detail)
{
	out->decision = DECISION_REJECTED;
	out->reason = reason;
	out->detail = detail;
}

/* An unknown group is for emergencies; whole blood must be identical, so there it is refused even then. */
static bool needs_group(const struct rules *rules, const struct wish *wish)
{
	if (wish->recipient.group != BLOOD_GROUP_UNKNOWN)
		return false;
	if (wish->request->component == COMPONENT_WHOLE_BLOOD && !rules->low_titre_o_whole_blood)
		return true;
	return !wish->recipient.is_emergency;
}

/* An emergency is never refused for its time, and what was once accepted isn't either. */
static bool is_needed_in_past(const struct rules *rules, const struct wish *wish, int64_t now)
{
	const struct hospital_blood_requested *request = wish->request;
	return request->has_needed_at && request->needed_at <= now - rules->past_tolerance_us
		&& !wish->recipient.is_emergency && !wish->wanted->is_followup;
}

/* What can be refused without looking at any unit; false when it was. */
static bool check_request(const struct rules *rules, const struct wish *wish, int64_t now,
	struct allocation *out)
{
	if (!wish->wanted->is_facility_known)
		refuse(out, REJECTION_UNKNOWN_FACILITY, "no such hospital");
	else if (needs_group(rules, wish))
		refuse(out, REJECTION_GROUP_REQUIRED,
			wish->request->component == COMPONENT_WHOLE_BLOOD ? "whole blood is given to a known group only"
															  : "an unknown group is for emergencies");
	else if (is_needed_in_past(rules, wish, now))
		refuse(out, REJECTION_NEEDED_IN_PAST, "needed_at is in the past");
	else
		return true;
	return false;
}

/* Units without fault first; then, as far as the request may, concession by concession. */
static void pick_units(const struct wish *wish, struct shelves *shelves, struct arena *arena,
	struct picks *picks)
{
	size_t quantity = (size_t)wish->wanted->quantity;
	for (unsigned int concession = 0; concession < CONCESSIONS_END && picks->count < quantity; concession++)
		if ((concession & ~wish->concessions) == 0)
			source_units(wish, concession, quantity - picks->count, shelves, arena, picks);
}

static bool is_enough(const struct wish *wish, const struct picks *picks)
{
	if ((int64_t)picks->count == wish->wanted->quantity)
		return true;
	return picks->count > 0 && (wish->request->accept_partial || wish->wanted->is_followup);
}

static void refuse_stock(const struct wish *wish, const struct picks *picks, struct arena *arena,
	struct allocation *out)
{
	if (picks->count > 0)
		refuse(out, REJECTION_INSUFFICIENT_STOCK,
			arena_print(arena, "%zu of %lld units, and a part is not accepted", picks->count,
				(long long)wish->wanted->quantity));
	else if (picks->is_floor_met)
		refuse(out, REJECTION_INSUFFICIENT_STOCK, "what is left is kept for emergency and urgent requests");
	else
		refuse(out, REJECTION_NO_COMPATIBLE_STOCK, "no usable unit at any bank of this hospital");
}

static enum match_status first_match_status(enum component component)
{
	bool is_matched = component == COMPONENT_RED_CELLS || component == COMPONENT_WHOLE_BLOOD;
	return is_matched ? MATCH_STATUS_NOT_CROSSMATCHED : MATCH_STATUS_NOT_REQUIRED;
}

static void take_units(const struct wish *wish, const struct picks *picks, struct shelves *shelves,
	int64_t now, struct allocation *out)
{
	for (size_t i = 0; i < picks->count; i++) {
		struct unit *unit = picks->list[i].unit;
		shelves_take(shelves, unit);
		out->chosen[i] = unit;
		out->units[i] = (struct allocated_unit){
			.unit_id = unit->unit_id,
			.bank_id = unit->bank_id,
			.component = unit->component,
			.group = unit->group,
			.expires_at = unit->expires_at,
			.reserved_until = allocation_reserved_until(wish->rules, wish->request, unit->expires_at, now),
			.has_reserved_until = true,
			.match_status = first_match_status(unit->component),
		};
	}
	out->units_count = picks->count;
}

static void approve(const struct wish *wish, const struct picks *picks, struct shelves *shelves, int64_t now,
	struct arena *arena, struct allocation *out)
{
	out->chosen = arena_array(arena, picks->count, sizeof(struct unit *));
	out->units = arena_array(arena, picks->count, sizeof(struct allocated_unit));
	take_units(wish, picks, shelves, now, out);
	out->backordered = wish->wanted->quantity - (int64_t)picks->count;
	out->decision = out->backordered == 0 ? DECISION_FULL : DECISION_PARTIAL;
	out->warnings = arena_array(arena, ALLOCATION_WARNINGS_MAX, sizeof(struct warning));
	warnings_find(wish, picks, arena, out);
}

void allocate(const struct rules *rules, const struct wanted *wanted, struct shelves *shelves, int64_t now,
	struct arena *arena, struct allocation *out)
{
	assert(wanted->quantity > 0 && wanted->quantity <= PICKS_MAX);
	struct wish wish;
	struct picks picks = { .count = 0 };
	*out = (struct allocation){ .rules_version = rules->version };
	wish_read(rules, wanted, now, arena, &wish);
	if (!check_request(rules, &wish, now, out))
		return;
	pick_units(&wish, shelves, arena, &picks);
	if (is_enough(&wish, &picks))
		approve(&wish, &picks, shelves, now, arena, out);
	else
		refuse_stock(&wish, &picks, arena, out);
}

bool allocation_is_refused(const struct rules *rules, const struct wanted *wanted, int64_t now,
	struct arena *arena)
{
	struct wish wish;
	struct allocation allocation;
	wish_read(rules, wanted, now, arena, &wish);
	return !check_request(rules, &wish, now, &allocation);
}

int64_t allocation_due_at(const struct rules *rules, const struct hospital_blood_requested *request,
	int64_t now)
{
	if (!request->has_needed_at || request->urgency == URGENCY_EMERGENCY)
		return now;
	int64_t due_at = request->needed_at - rules->schedule_ahead_us;
	return due_at > now ? due_at : now;
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t allocation_reserved_until(const struct rules *rules, const struct hospital_blood_requested *request,
	int64_t expires_at, int64_t now)
{
	int64_t used_at = request->has_needed_at && request->needed_at > now ? request->needed_at : now;
	int64_t until = smaller(used_at + rules->reservation_us, expires_at);
	const struct sample *sample = request->sample;
	/* a sample that is over already limits nothing: the units wait for the next one */
	if (sample != NULL && sample->has_expires_at && sample->expires_at > now)
		until = smaller(until, sample->expires_at);
	return until;
}
