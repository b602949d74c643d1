/* A second allocator for comparison: every bag, one sort. */
#include "reference.h"

#include <stdlib.h>
#include <string.h>

enum { A = 1, B = 2, AB = 3, O = 0 }; /* ABO antigens as bits */

/* One bag as a request sees it. */
struct view {
	const struct unit *unit;
	size_t place; /* in the world */
	int64_t distance;
	int rank, penalty, tier;
	bool is_fresh_first, is_emergency;
};

struct person {
	int abo; /* -1: unknown */
	bool is_d_positive, is_protected, is_neonate, is_child, is_emergency, may_get_d, may_ignore_d;
};

static int abo_of(enum blood_group group)
{
	static const int bits[BLOOD_GROUPS] = { -1, O, O, A, A, B, B, AB, AB, -1 };
	return bits[group];
}

static bool is_positive(enum blood_group group)
{
	return group != BLOOD_GROUP_UNKNOWN && group % 2 == 0;
}

static bool has_text(const char *const *texts, size_t count, const char *wanted)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(texts[i], wanted) == 0)
			return true;
	return false;
}

static struct person read_person(const struct hospital_blood_requested *request)
{
	const struct patient *patient = request->patient;
	bool is_aged = patient != NULL && patient->has_age_years;
	struct person person = {
		.abo = abo_of(request->group),
		.is_d_positive = is_positive(request->group),
		.is_emergency = request->urgency == URGENCY_EMERGENCY,
		.is_protected = !is_aged || patient->sex == SEX_UNKNOWN || patient->sex == SEX_NONE
			|| (patient->sex == SEX_MALE && patient->age_years < 19)
			|| (patient->sex == SEX_FEMALE && patient->age_years < 51),
		.is_neonate = is_aged && patient->age_years == 0,
		.is_child = is_aged && patient->age_years < 18,
	};
	bool has_anti_d = patient != NULL && has_text(patient->antibodies, patient->antibodies_count, "anti-D");
	person.may_get_d = person.is_emergency && !has_anti_d;
	for (size_t i = 0; i < request->overrides_count && !person.is_protected; i++)
		if (strcmp(request->overrides[i].code, "rhd_mismatch") == 0)
			person.may_ignore_d = true;
	return person;
}

/* The place of `donor` among those of the order that are allowed, each counted once; -1 when it isn't there. */
static int place_among(const int *order, int count, const bool *is_allowed, int donor)
{
	bool is_seen[4] = { false };
	int place = 0;
	for (int i = 0; i < count; i++) {
		if (!is_allowed[order[i]] || is_seen[order[i]])
			continue;
		if (order[i] == donor)
			return place;
		is_seen[order[i]] = true;
		place++;
	}
	return -1;
}

/* Cells: the donor has no antigen that the recipient lacks; own group, then A, B, O. */
static int cells_rank(int recipient, int donor, int *length)
{
	bool is_allowed[4];
	int own = recipient < 0 ? O : recipient;
	*length = 0;
	for (int abo = O; abo <= AB; abo++) {
		is_allowed[abo] = (abo & ~own) == 0;
		*length += is_allowed[abo];
	}
	int order[] = { own, A, B, O };
	return place_among(order, 4, is_allowed, donor);
}

/* Plasma: the donor has all antigens of the recipient; own group, then A, B, AB. */
static int plasma_rank(int recipient, int donor, bool is_emergency)
{
	bool is_allowed[4];
	int own = recipient < 0 ? AB : recipient;
	for (int abo = O; abo <= AB; abo++)
		is_allowed[abo] = (own & ~abo) == 0;
	int order[] = { own, A, B, AB };
	int place = place_among(order, 4, is_allowed, donor);
	if (place < 0 && own == AB && donor == A && is_emergency)
		return 1;
	return place;
}

/* Platelets: first those whose plasma suits, then A, B, O; an unknown group counts as A first. */
static int platelets_rank(int recipient, int donor)
{
	static const int unknown[] = { A, AB, B, O };
	static const bool all[] = { true, true, true, true };
	if (recipient < 0)
		return place_among(unknown, 4, all, donor);
	bool suits[4], other[4];
	int good = 0;
	for (int abo = O; abo <= AB; abo++) {
		suits[abo] = (recipient & ~abo) == 0;
		other[abo] = !suits[abo];
		good += suits[abo];
	}
	int first[] = { recipient, A, B, AB };
	int then[] = { A, B, O };
	return suits[donor] ? place_among(first, 4, suits, donor) : good + place_among(then, 3, other, donor);
}

/* The rank and whether D is a mismatch; -1: incompatible. */
static int rank_of(const struct person *person, enum component component, int abo, bool is_d_positive,
	enum blood_group donor, bool *is_mismatch)
{
	bool is_d_last = abo < 0 ? person->is_protected : !is_d_positive;
	int donor_abo = abo_of(donor);
	int length;
	*is_mismatch = false;
	if (component == COMPONENT_PLASMA || component == COMPONENT_CRYO)
		return plasma_rank(abo, donor_abo, person->is_emergency);
	if (component == COMPONENT_PLATELETS) {
		int rank = platelets_rank(abo, donor_abo);
		return is_d_last && person->is_protected && is_positive(donor) ? rank + 4 : rank;
	}
	int rank = cells_rank(abo, donor_abo, &length);
	if (component == COMPONENT_WHOLE_BLOOD) {
		rank = donor_abo == abo ? 0 : -1;
		length = 1;
	}
	if (rank < 0)
		return -1;
	*is_mismatch = is_d_last && is_positive(donor);
	return is_positive(donor) == is_d_last ? rank + length : rank;
}

/* With the mother of a neonate: of an unknown one only ABO counts. */
static int rank_for(const struct person *person, const struct hospital_blood_requested *request,
	enum blood_group donor, bool *is_mismatch)
{
	int rank = rank_of(person, request->component, person->abo, person->is_d_positive, donor, is_mismatch);
	if (!person->is_neonate || rank < 0)
		return rank;
	const struct mother *mother = request->patient->mother;
	bool is_hers = false;
	if (mother != NULL && mother->group != BLOOD_GROUP_UNKNOWN) {
		if (rank_of(person, request->component, abo_of(mother->group), is_positive(mother->group), donor,
				&is_hers)
			< 0)
			return -1;
		*is_mismatch = *is_mismatch || is_hers;
		return rank;
	}
	return rank_of(person, request->component, -1, false, donor, &is_hers) < 0 ? -1 : rank;
}

static uint32_t required_of(const struct person *person, const struct hospital_blood_requested *request,
	enum blood_group donor)
{
	uint32_t required = attribute_set(request->attributes, request->attributes_count);
	if (person->is_neonate && request->component <= COMPONENT_WHOLE_BLOOD)
		required |=
			attribute_bit("cmv_negative") | attribute_bit("k_negative") | attribute_bit("hbs_negative");
	if (person->is_neonate && request->component == COMPONENT_PLATELETS)
		required |= attribute_bit("cmv_negative");
	if (person->is_child && request->component == COMPONENT_PLATELETS
		&& plasma_rank(person->abo, abo_of(donor), false) < 0)
		required |= attribute_bit("ht_negative");
	return required;
}

/* 0: lacks all that it must lack, 1: not known, 2: has some of it. The random worlds know of K and D alone. */
static int antigen_fault(const struct hospital_blood_requested *request, const struct unit *unit)
{
	const struct patient *patient = request->patient;
	if (patient == NULL || request->component > COMPONENT_WHOLE_BLOOD)
		return 0;
	if (has_text(patient->antibodies, patient->antibodies_count, "anti-D") && is_positive(unit->group))
		return 2;
	if (!has_text(patient->antigen_negative, patient->antigen_negative_count, "K"))
		return 0;
	if (has_text(unit->antigens, unit->antigens_count, "K+"))
		return 2;
	return unit->attributes & attribute_bit("k_negative") ? 0 : 1;
}

static int penalty_of(const struct world *world, const struct person *person, const struct unit *unit,
	int rank, uint32_t required)
{
	const struct rules *rules = &world->rules;
	int penalty = 0;
	for (enum attribute attribute = 0; attribute < ATTRIBUTES; attribute++) {
		uint32_t bit = attribute_bit(attribute_name(attribute));
		if ((unit->attributes & bit) && !(required & bit) && unit->designated_for == NULL)
			penalty += rules->attribute_penalty[attribute];
		if (!(unit->attributes & bit) && (required & bit))
			penalty += rules->unmet_penalty;
	}
	if (unit->designated_for != NULL)
		return penalty + rules->designated_penalty;
	if (unit->group == world->request.group || (person->abo < 0 && rank == 0))
		return penalty;
	return penalty + rules->group_penalty[unit->component][unit->group];
}

/* Fills a view; false when the bag can't be used for this request whatever is conceded. */
static bool see(const struct reference *reference, size_t place, struct view *view)
{
	const struct world *world = reference->world;
	const struct hospital_blood_requested *request = &world->request;
	const struct unit *unit = &world->units[place];
	struct person person = read_person(request);
	const char *ref = request->patient == NULL ? NULL : request->patient->ref;
	int64_t used_at = request->has_needed_at && request->needed_at > NOW ? request->needed_at : NOW;
	bool is_mismatch;
	if (reference->is_taken[place] || unit->component != request->component || unit->expires_at <= used_at)
		return false;
	if (unit->designated_for != NULL && (ref == NULL || strcmp(ref, unit->designated_for) != 0))
		return false;
	int rank = rank_for(&person, request, unit->group, &is_mismatch);
	uint32_t required = required_of(&person, request, unit->group);
	bool is_too_old =
		request->has_max_age_days && (used_at - unit->collected_at) / ONE_DAY > request->max_age_days;
	bool is_conceding = is_mismatch && !person.may_ignore_d;
	if (rank < 0 || (is_conceding && !person.may_get_d))
		return false;
	*view = (struct view){ .unit = unit,
		.place = place,
		.rank = rank,
		.is_emergency = person.is_emergency,
		.is_fresh_first = person.is_neonate };
	view->penalty = penalty_of(world, &person, unit, rank, required);
	view->tier = ((required & ~unit->attributes) != 0 || is_too_old ? 1 : 0) + (is_conceding ? 2 : 0)
		+ 4 * antigen_fault(request, unit);
	for (size_t i = 0; i < world->suppliers_count; i++)
		if (strcmp(world->suppliers[i].bank->bank_id, unit->bank_id) == 0)
			view->distance = world->suppliers[i].distance_m;
	return true;
}

static int order_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* The total order. */
static int compare_views(const void *one, const void *other)
{
	const struct view *a = one, *b = other;
	int keys[] = {
		a->is_emergency ? order_numbers(a->distance, b->distance) : 0,
		order_numbers(a->rank, b->rank),
		order_numbers(a->penalty, b->penalty),
		a->is_fresh_first ? order_numbers(b->unit->collected_at, a->unit->collected_at)
						  : order_numbers(a->unit->expires_at, b->unit->expires_at),
		order_numbers(a->distance, b->distance),
		strcmp(a->unit->unit_id, b->unit->unit_id),
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i] != 0)
			return keys[i];
	return 0;
}

static int64_t count_group(const struct reference *reference, const struct unit *like)
{
	const struct world *world = reference->world;
	int64_t count = 0;
	for (size_t i = 0; i < world->units_count; i++) {
		const struct unit *unit = &world->units[i];
		count += !reference->is_taken[i] && unit->designated_for == NULL && unit->expires_at > NOW
			&& unit->component == like->component && unit->group == like->group
			&& strcmp(unit->bank_id, like->bank_id) == 0;
	}
	return count;
}

/* What one bank (or all, NULL) would give. */
struct basket {
	struct view views[PICKS_MAX];
	size_t count;
	int64_t ranks, penalties;
	bool is_floor_met;
};

static bool breaks_floor(const struct reference *reference, const struct basket *basket,
	const struct unit *unit)
{
	const struct world *world = reference->world;
	if (unit->designated_for != NULL || world->request.urgency <= URGENCY_URGENT)
		return false;
	int64_t left = count_group(reference, unit);
	for (size_t i = 0; i < basket->count; i++)
		left -= basket->views[i].unit->group == unit->group && basket->views[i].unit->designated_for == NULL
			&& strcmp(basket->views[i].unit->bank_id, unit->bank_id) == 0;
	return left <= world->rules.floors[unit->component][unit->group];
}

static void fill_basket(const struct reference *reference, const struct view *views, size_t count,
	const char *bank_id, size_t quantity, struct basket *basket)
{
	*basket = (struct basket){ .count = 0 };
	for (size_t i = 0; i < count && basket->count < quantity; i++) {
		if (bank_id != NULL && strcmp(bank_id, views[i].unit->bank_id) != 0)
			continue;
		if (breaks_floor(reference, basket, views[i].unit)) {
			basket->is_floor_met = true;
			continue;
		}
		basket->views[basket->count++] = views[i];
		basket->ranks += views[i].rank;
		basket->penalties += views[i].penalty;
	}
}

static void source(const struct reference *reference, const struct view *views, size_t count, size_t quantity,
	struct basket *best)
{
	const struct world *world = reference->world;
	bool is_found = false;
	for (size_t i = 0; i < world->suppliers_count; i++) {
		struct basket basket;
		fill_basket(reference, views, count, world->suppliers[i].bank->bank_id, quantity, &basket);
		if (basket.count < quantity || (is_found && world->request.urgency == URGENCY_EMERGENCY))
			continue;
		if (is_found
			&& (basket.ranks > best->ranks
				|| (basket.ranks == best->ranks && basket.penalties >= best->penalties)))
			continue;
		*best = basket;
		is_found = true;
	}
	if (!is_found)
		fill_basket(reference, views, count, NULL, quantity, best);
}

static bool may_concede(const struct hospital_blood_requested *request, int tier)
{
	bool has_override = false;
	for (size_t i = 0; i < request->overrides_count; i++)
		has_override = has_override || strcmp(request->overrides[i].code, "antigen_negative") == 0;
	if (request->urgency != URGENCY_EMERGENCY)
		return tier == 0;
	return tier < 4 || has_override;
}

/* All bags that may be used, sorted by the total order. */
static size_t see_all(const struct reference *reference, struct view *views)
{
	size_t count = 0;
	for (size_t i = 0; i < reference->world->units_count; i++)
		count += see(reference, i, &views[count]);
	qsort(views, count, sizeof(views[0]), compare_views);
	return count;
}

/* Adds what one tier gives to `total`. */
static void add_tier(const struct reference *reference, const struct view *all, size_t all_count, int tier,
	struct basket *total)
{
	struct view views[WORLD_UNITS_MAX];
	struct basket basket;
	size_t count = 0;
	for (size_t i = 0; i < all_count; i++)
		if (all[i].tier == tier)
			views[count++] = all[i];
	source(reference, views, count, (size_t)reference->world->wanted.quantity - total->count, &basket);
	for (size_t i = 0; i < basket.count; i++)
		total->views[total->count++] = basket.views[i];
	total->is_floor_met = total->is_floor_met || basket.is_floor_met;
}

static const char *take_all(struct reference *reference, const struct basket *basket, struct arena *arena)
{
	const char *text = "";
	for (size_t i = 0; i < basket->count; i++) {
		reference->is_taken[basket->views[i].place] = true;
		text = arena_print(arena, "%s%s%s", text, i == 0 ? "" : " ", basket->views[i].unit->unit_id);
	}
	return text;
}

const char *reference_allocate(struct reference *reference, struct arena *arena)
{
	const struct hospital_blood_requested *request = &reference->world->request;
	size_t quantity = (size_t)reference->world->wanted.quantity;
	struct view all[WORLD_UNITS_MAX];
	struct basket total = { .count = 0 };
	if (request->group == BLOOD_GROUP_UNKNOWN
		&& (request->urgency != URGENCY_EMERGENCY || request->component == COMPONENT_WHOLE_BLOOD))
		return "rejected: group_required";
	size_t count = see_all(reference, all);
	for (int tier = 0; tier < 12 && total.count < quantity; tier++)
		if (may_concede(request, tier))
			add_tier(reference, all, count, tier, &total);
	if (total.count == 0)
		return total.is_floor_met ? "rejected: insufficient_stock" : "rejected: no_compatible_stock";
	if (total.count < quantity && !request->accept_partial)
		return "rejected: insufficient_stock";
	return take_all(reference, &total, arena);
}
