/* Reading a request for the allocator, and judging units against it. */
#include "wish.h"

#include <string.h>

#include "attribute.h"

static void read_attributes(struct wish *wish, struct arena *arena)
{
	const struct hospital_blood_requested *request = wish->request;
	wish->codes = arena_array(arena, request->attributes_count, sizeof(char *));
	for (size_t i = 0; i < request->attributes_count; i++) {
		uint32_t bit = attribute_bit(request->attributes[i]);
		wish->attributes |= bit;
		if (bit == 0)
			wish->codes[wish->codes_count++] = request->attributes[i];
	}
	if (wish->recipient.is_neonate)
		wish->attributes |= wish->rules->neonate_attributes[request->component];
}

static void add_antigens(struct wish *wish, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count && wish->antigens_count < ANTIGENS_WANTED_MAX; i++) {
		char *name = wish->antigens[wish->antigens_count];
		antigen_name(names[i], name);
		if (antigen_matters(name, wish->request->component))
			wish->antigens_count++;
	}
}

/* An antibody asks for units that lack its antigen, just as an explicit wish does. */
static void read_antigens(struct wish *wish, struct arena *arena)
{
	const struct patient *patient = wish->request->patient;
	if (patient == NULL || patient->antibodies_count + patient->antigen_negative_count == 0)
		return;
	wish->antigens = arena_array(arena, ANTIGENS_WANTED_MAX, sizeof(*wish->antigens));
	add_antigens(wish, (const char *const *)patient->antigen_negative, patient->antigen_negative_count);
	add_antigens(wish, (const char *const *)patient->antibodies, patient->antibodies_count);
}

static unsigned int allowed_concessions(const struct recipient *recipient)
{
	unsigned int allowed = recipient->has_rhd_override ? CONCEDE_RHD : 0;
	if (!recipient->is_emergency)
		return allowed;
	allowed |= CONCEDE_ATTRIBUTES;
	if (!recipient->has_anti_d)
		allowed |= CONCEDE_RHD;
	if (recipient->has_antigen_override)
		allowed |= CONCEDE_UNTYPED | CONCEDE_ANTIGEN;
	return allowed;
}

static int64_t read_use(const struct hospital_blood_requested *request, int64_t now)
{
	return request->has_needed_at && request->needed_at > now ? request->needed_at : now;
}

void wish_read(const struct rules *rules, const struct wanted *wanted, int64_t now, struct arena *arena,
	struct wish *out)
{
	const struct hospital_blood_requested *request = wanted->request;
	struct wish wish = { .rules = rules, .wanted = wanted, .request = request, .now = now };
	recipient_read(rules, request, &wish.recipient);
	compatibility_find(rules, &wish.recipient, request->component, &wish.compatibility);
	wish.patient_ref = request->patient == NULL ? NULL : request->patient->ref;
	wish.used_at = read_use(request, now);
	/* the day of collection is day 0, and a day is over only when the next has begun */
	wish.collected_min =
		request->has_max_age_days ? wish.used_at - (request->max_age_days + 1) * ONE_DAY : INT64_MIN;
	read_attributes(&wish, arena);
	read_antigens(&wish, arena);
	wish.concessions = allowed_concessions(&wish.recipient);
	wish.order = wish.recipient.is_neonate ? FRESHEST_FIRST : OLDEST_FIRST;
	wish.keeps_floor = request->urgency != URGENCY_EMERGENCY && request->urgency != URGENCY_URGENT;
	*out = wish;
}

static bool is_designated_for(const char *designated_for, const char *patient_ref)
{
	return patient_ref != NULL && strcmp(designated_for, patient_ref) == 0;
}

bool wish_can_use(const struct wish *wish, const struct unit *unit)
{
	return !unit->is_taken && unit->expires_at > wish->used_at
		&& (unit->designated_for == NULL || is_designated_for(unit->designated_for, wish->patient_ref));
}

static bool has_codes(const struct wish *wish, const struct unit *unit)
{
	for (size_t i = 0; i < wish->codes_count; i++) {
		size_t at = 0;
		while (at < unit->codes_count && strcmp(unit->codes[at], wish->codes[i]) != 0)
			at++;
		if (at == unit->codes_count)
			return false;
	}
	return true;
}

static enum typing worst_typing(const struct wish *wish, const struct unit *unit)
{
	enum typing worst = TYPED_NEGATIVE;
	for (size_t i = 0; i < wish->antigens_count; i++) {
		enum typing typing = antigen_typing(unit, wish->antigens[i]);
		if (typing > worst)
			worst = typing;
	}
	return worst;
}

static uint32_t missing_attributes(const struct wish *wish, const struct bin *bin)
{
	uint32_t required = wish->attributes | wish->compatibility.donors[bin->shelf->group].attributes;
	return required & ~bin->attributes;
}

unsigned int wish_bin_concession(const struct wish *wish, const struct bin *bin)
{
	const struct donor *donor = &wish->compatibility.donors[bin->shelf->group];
	unsigned int concession = missing_attributes(wish, bin) != 0 ? CONCEDE_ATTRIBUTES : 0;
	/* an override is a permission, not a last resort: then D+ is only ranked behind D- */
	if (donor->is_rhd_mismatch && !wish->recipient.has_rhd_override)
		concession |= CONCEDE_RHD;
	return concession;
}

unsigned int wish_concession(const struct wish *wish, const struct unit *unit)
{
	static const unsigned int by_typing[] = {
		[TYPED_NEGATIVE] = 0,
		[UNTYPED] = CONCEDE_UNTYPED,
		[TYPED_POSITIVE] = CONCEDE_ANTIGEN,
	};
	unsigned int concession = wish_bin_concession(wish, unit->bin);
	if (unit->collected_at <= wish->collected_min || !has_codes(wish, unit))
		concession |= CONCEDE_ATTRIBUTES;
	return concession | by_typing[worst_typing(wish, unit)];
}

bool wish_is_picky(const struct wish *wish)
{
	return wish->collected_min != INT64_MIN || wish->codes_count > 0 || wish->antigens_count > 0;
}

static int32_t sum_penalties(const struct rules *rules, uint32_t surplus)
{
	int32_t sum = 0;
	for (enum attribute attribute = 0; attribute < ATTRIBUTES; attribute++)
		if (surplus & ATTRIBUTE_BIT(attribute))
			sum += rules->attribute_penalty[attribute];
	return sum;
}

/* A scarce group costs nothing for those who need it: its own, and the unknown for whom it is the first choice. */
static int32_t group_penalty(const struct wish *wish, const struct shelf *shelf)
{
	enum blood_group group = wish->recipient.group;
	bool is_needed = shelf->group == group
		|| (group == BLOOD_GROUP_UNKNOWN && wish->compatibility.donors[shelf->group].rank == 0);
	return is_needed ? 0 : wish->rules->group_penalty[shelf->component][shelf->group];
}

int32_t wish_penalty(const struct wish *wish, const struct bin *bin)
{
	const struct rules *rules = wish->rules;
	uint32_t missing = missing_attributes(wish, bin);
	int32_t unmet = (int32_t)__builtin_popcount(missing) * rules->unmet_penalty;
	if (bin->designated_for != NULL)
		return unmet + rules->designated_penalty; /* what is special about it was meant for this patient */
	uint32_t needed = wish->attributes | wish->compatibility.donors[bin->shelf->group].attributes
		| wish->compatibility.donors[bin->shelf->group].strict_attributes;
	return unmet + group_penalty(wish, bin->shelf) + sum_penalties(rules, bin->attributes & ~needed);
}
