/* Groups, components and ages as a bank in Europe meets them. Donation numbers are of the test facility A9999. */
#include "world.h"

#include <string.h>

#include "clock.h"
#include "digest.h"

enum { CODES_MAX = 3 };

/* How often, per mille; the last of a table takes what is left. */
static const struct {
	enum blood_group group;
	unsigned per_mille;
} group_shares[] = {
	{ BLOOD_GROUP_O_POSITIVE, 370 },
	{ BLOOD_GROUP_A_POSITIVE, 310 },
	{ BLOOD_GROUP_O_NEGATIVE, 110 },
	{ BLOOD_GROUP_B_POSITIVE, 85 },
	{ BLOOD_GROUP_A_NEGATIVE, 65 },
	{ BLOOD_GROUP_AB_POSITIVE, 30 },
	{ BLOOD_GROUP_B_NEGATIVE, 20 },
	{ BLOOD_GROUP_AB_NEGATIVE, 10 },
};

static const struct product {
	enum component component;
	unsigned per_mille;
	const char *product_code; /* opaque, of no standard */
	const char *anticoagulant, *additive;
	unsigned age_days_max; /* so old that some life is left */
	int64_t volume_ml;
} products[] = {
	{ COMPONENT_RED_CELLS, 600, "RC01", "CPD", "SAGM", 38, 280 },
	{ COMPONENT_PLASMA, 170, "PL01", "CPD", NULL, 330, 250 },
	{ COMPONENT_PLATELETS, 120, "PT01", "ACD", NULL, 2, 220 },
	{ COMPONENT_CRYO, 60, "CR01", "CPD", NULL, 330, 40 },
	{ COMPONENT_WHOLE_BLOOD, 50, "WB01", "CPDA-1", NULL, 31, 450 },
};

static const struct {
	const char *code;
	unsigned per_mille;
	unsigned components;   /* bits */
	unsigned age_days_max; /* irradiation shortens a unit's life; 0 = any */
} attribute_shares[] = {
	{ "cmv_negative", 350, 1U << COMPONENT_RED_CELLS | 1U << COMPONENT_PLATELETS, 0 },
	{ "irradiated", 120, 1U << COMPONENT_RED_CELLS | 1U << COMPONENT_PLATELETS, 14 },
	{ "ht_negative", 300, 1U << COMPONENT_PLATELETS, 0 },
};

/* SplitMix64 (Steele, Lea, Flood 2014): from any state a well mixed number. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);
	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ mixed >> 31;
}

static uint64_t seed_number(const char *seed)
{
	unsigned char digest[SHA256_BYTES];
	uint64_t number = 0;
	sha256(seed, strlen(seed), digest);
	for (int i = 0; i < 8; i++)
		number = number << 8 | digest[i];
	return number;
}

static enum blood_group draw_group(uint64_t *state)
{
	uint64_t drawn = next_random(state) % 1000;
	size_t i = 0;
	while (i + 1 < sizeof(group_shares) / sizeof(group_shares[0]) && drawn >= group_shares[i].per_mille)
		drawn -= group_shares[i++].per_mille;
	return group_shares[i].group;
}

static const struct product *draw_product(uint64_t *state)
{
	uint64_t drawn = next_random(state) % 1000;
	size_t i = 0;
	while (i + 1 < sizeof(products) / sizeof(products[0]) && drawn >= products[i].per_mille)
		drawn -= products[i++].per_mille;
	return &products[i];
}

static const struct product *find_product(enum component component)
{
	size_t i = 0;
	while (products[i].component != component)
		i++;
	return &products[i];
}

static void draw_attributes(uint64_t *state, int64_t age_days, struct arena *arena,
	struct received_unit *unit)
{
	unit->attributes = arena_array(arena, CODES_MAX, sizeof(*unit->attributes));
	for (size_t i = 0; i < CODES_MAX; i++) {
		bool is_drawn = next_random(state) % 1000 < attribute_shares[i].per_mille;
		bool is_young = attribute_shares[i].age_days_max == 0 || age_days <= attribute_shares[i].age_days_max;
		if (is_drawn && is_young && (attribute_shares[i].components >> unit->component & 1) != 0)
			unit->attributes[unit->attributes_count++] = attribute_shares[i].code;
	}
}

/* Facility, the year of collection, a serial number of its own for each unit of a seed. */
static const char *donation_number(const struct world *world, int64_t collected_at, unsigned long number,
	struct arena *arena)
{
	char day[TIME_TEXT_BYTES];
	unsigned long first =
		strcmp(world->seed, "demo") == 0 ? 0 : (unsigned long)(seed_number(world->seed) % WORLD_UNITS_MAX);
	time_print(collected_at, day);
	return arena_print(arena, "A9999%.2s%06lu", day + 2, (first + number) % WORLD_UNITS_MAX);
}

void world_unit(const struct world *world, unsigned long number, struct arena *arena,
	struct received_unit *out)
{
	uint64_t state = seed_number(world->seed) + number * UINT64_C(0xd1342543de82ef95);
	const struct product *drawn = draw_product(&state);
	const struct product *product =
		world->component == COMPONENT_NONE ? drawn : find_product(world->component);
	enum blood_group group = draw_group(&state);
	int64_t age_days = (int64_t)(next_random(&state) % (product->age_days_max + 1));
	if (world->is_fresh)
		age_days = 0;
	int64_t hour_us = HOURS_US((int64_t)(next_random(&state) % 10));
	*out = (struct received_unit){
		.product_code = product->product_code,
		.division = "00",
		.component = product->component,
		.group = world->group == BLOOD_GROUP_NONE ? group : world->group,
		.collected_at = world->day_us - DAYS_US(age_days + 1) + HOURS_US(8) + hour_us,
		.anticoagulant = product->anticoagulant,
		.additive = product->additive,
		.volume_ml = product->volume_ml,
		.has_volume_ml = true,
		.initial_status = UNIT_STATUS_AVAILABLE,
	};
	out->din = donation_number(world, out->collected_at, number, arena);
	draw_attributes(&state, age_days, arena, out);
}
