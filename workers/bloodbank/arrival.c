/* The rules for units that arrive. */
#include "arrival.h"

#include <assert.h>
#include <string.h>

#include "donation.h"
#include "shelf_life.h"

static bool refuse_unit(struct arrival *arrival, enum unit_refusal refusal, const char *detail)
{
	arrival->refusal = refusal;
	arrival->detail = detail;
	return false;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_texts(const char *const *a, size_t a_count, const char *const *b, size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

/* Whether a unit is reported as it was before. An expiry that the sender left open is not compared. */
static bool is_same(const struct stored_unit *kept, const struct stored_unit *given, bool has_expiry)
{
	return kept->component == given->component && kept->group == given->group
		&& kept->collected_at == given->collected_at && (!has_expiry || kept->expires_at == given->expires_at)
		&& kept->initial_status == given->initial_status && kept->has_volume_ml == given->has_volume_ml
		&& (!kept->has_volume_ml || kept->volume_ml == given->volume_ml)
		&& same_text(kept->anticoagulant, given->anticoagulant) && same_text(kept->additive, given->additive)
		&& same_text(kept->batch, given->batch) && same_text(kept->donor_ref, given->donor_ref)
		&& same_text(kept->designated_for, given->designated_for)
		&& same_texts(kept->attributes, kept->attributes_count, given->attributes, given->attributes_count)
		&& same_texts(kept->antigens, kept->antigens_count, given->antigens, given->antigens_count)
		&& same_texts(kept->parents, kept->parents_count, given->parents, given->parents_count);
}

static struct stored_unit stored(const struct received_unit *unit, const char *unit_id)
{
	return (struct stored_unit){
		.din = unit->din,
		.product_code = unit->product_code,
		.division = unit->division,
		.component = unit->component,
		.group = unit->group,
		.collected_at = unit->collected_at,
		.expires_at = unit->expires_at,
		.anticoagulant = unit->anticoagulant,
		.additive = unit->additive,
		.attributes = unit->attributes,
		.attributes_count = unit->attributes_count,
		.antigens = unit->antigens,
		.antigens_count = unit->antigens_count,
		.volume_ml = unit->volume_ml,
		.has_volume_ml = unit->has_volume_ml,
		.batch = unit->batch,
		.donor_ref = unit->donor_ref,
		.designated_for = unit->designated_for,
		.initial_status = unit->initial_status,
		.parents = unit->parents,
		.parents_count = unit->parents_count,
		.unit_id = unit_id,
		.status = unit->initial_status,
	};
}

/* The earliest end of what a unit was made from; false when a part is unknown here. */
static bool find_parts(const struct arrival *arrival, const struct stored_unit *unit, int64_t *expire_at)
{
	*expire_at = INT64_MAX;
	for (size_t i = 0; i < unit->parents_count; i++) {
		const struct bag *bag = state_bag(arrival->state, unit->parents[i]);
		const struct stored_unit *earlier = lookup_find(&arrival->earlier, unit->parents[i]);
		if (bag == NULL && earlier == NULL)
			return false;
		int64_t end = bag != NULL ? bag->unit.expires_at : earlier->expires_at;
		*expire_at = end < *expire_at ? end : *expire_at;
	}
	return true;
}

/* Fills in or checks the end of a new unit's life. */
static bool check_life(struct arrival *arrival, struct stored_unit *unit, bool has_expiry)
{
	struct product product = {
		.component = unit->component,
		.anticoagulant = unit->anticoagulant,
		.additive = unit->additive,
		.processes = processes_find(unit->attributes, unit->attributes_count),
		.collected_at = unit->collected_at,
		.processed_at = arrival->state->now,
		.utc_offset_s = arrival->bank->utc_offset_s,
	};
	if (!find_parts(arrival, unit, &product.parts_expire_at))
		return refuse_unit(arrival, UNIT_REFUSAL_UNKNOWN_PARENT, "a unit it was made from is not known here");
	if (unit->collected_at > arrival->state->now)
		return refuse_unit(arrival, UNIT_REFUSAL_COLLECTED_IN_FUTURE, "collected_at is in the future");
	int64_t limit = shelf_life_limit(&product);
	if (has_expiry && unit->expires_at > limit)
		return refuse_unit(arrival, UNIT_REFUSAL_EXPIRY_ABOVE_MAXIMUM,
			"expires_at is later than its shelf life allows");
	if (!has_expiry)
		unit->expires_at = limit;
	if (unit->expires_at <= arrival->state->now)
		return refuse_unit(arrival, UNIT_REFUSAL_EXPIRED, "its time has run out");
	return true;
}

/* A unit that is known already: in stock, or earlier in this command. */
static bool check_known(struct arrival *arrival, struct stored_unit *unit, const struct stored_unit *kept,
	enum unit_status status, bool has_expiry)
{
	if (!is_same(kept, unit, has_expiry)) {
		arrival->met = unit_status_name(status);
		return refuse_unit(arrival, UNIT_REFUSAL_DUPLICATE_CONFLICT,
			"a unit of this id is known with other facts");
	}
	unit->expires_at = kept->expires_at;
	unit->status = status;
	return true;
}

static bool check_unit(struct arrival *arrival, size_t i)
{
	const struct received_unit *given = &arrival->command->units[i];
	struct stored_unit *unit = &arrival->units[i];
	char unit_id[UNIT_ID_SIZE];
	bool is_named = unit_id_write(given->din, given->product_code, given->division, unit_id);
	assert(is_named); /* the schema limits the parts */
	*unit = stored(given, arena_text(arrival->state->arena, unit_id));
	arrival->unit_id = unit->unit_id;
	const struct bag *bag = state_bag(arrival->state, unit_id);
	const struct stored_unit *earlier = lookup_find(&arrival->earlier, unit_id);
	if (bag != NULL && strcmp(bag->unit.bank_id, arrival->command->bank_id) != 0) {
		arrival->met = unit_status_name(bag->status);
		return refuse_unit(arrival, UNIT_REFUSAL_DUPLICATE_CONFLICT, "it is known at another bank");
	}
	if (bag != NULL)
		return check_known(arrival, unit, bag->facts, bag->status, given->has_expires_at);
	if (earlier != NULL)
		return check_known(arrival, unit, earlier, earlier->status, given->has_expires_at);
	if (state_line(arrival->state, arrival->command->bank_id, unit->component, unit->group) == NULL)
		return refuse_unit(arrival, UNIT_REFUSAL_UNKNOWN_FACILITY, "a bank that was opened only now");
	lookup_put(&arrival->earlier, unit->unit_id, unit);
	return check_life(arrival, unit, given->has_expires_at);
}

bool arrival_check(struct state *state, const struct bloodbank_unit_receive *command, struct arrival *out)
{
	*out = (struct arrival){
		.state = state,
		.command = command,
		.bank = lookup_find(&state->banks, command->bank_id),
		.units = arena_array(state->arena, command->units_count, sizeof(struct stored_unit)),
	};
	lookup_init(&out->earlier, state->arena);
	if (out->bank == NULL)
		return refuse_unit(out, UNIT_REFUSAL_UNKNOWN_FACILITY, "no such bank");
	for (size_t i = 0; i < command->units_count; i++)
		if (!check_unit(out, i))
			return false;
	return true;
}
