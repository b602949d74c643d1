/* The allocator against the plain one of reference.c, on seeded random worlds; loaded in full and by demand. */
#include "allocation.h"

#include <stdio.h>
#include <string.h>

#include "demand.h"
#include "reference.h"
#include "run.h"
#include "world.h"

enum {
	WORLDS = 1500,
	REQUESTS = 12,
	ROUNDS_MAX = 8,
};

static uint64_t state;

/* splitmix64 */
static uint64_t next_random(void)
{
	state += UINT64_C(0x9E3779B97F4A7C15);
	uint64_t z = state;
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

static int below(int limit)
{
	return (int)(next_random() % (uint64_t)limit);
}

static bool one_in(int n)
{
	return below(n) == 0;
}

static const char *const bank_ids[] = { "bank-001", "bank-002", "bank-003" };
static const char *const patients[] = { "patient-1", "patient-2" };
static const char *const typed_k_negative[] = { "K-" };
static const char *const typed_k_positive[] = { "K+" };

static uint32_t random_attributes(void)
{
	static const uint32_t usual[] = { 0, 0, 0, 1, 2, 3, 4, 16, 32, 22 };
	return one_in(8) ? (uint32_t)below(1 << ATTRIBUTES) : usual[below(10)];
}

static void add_random_unit(struct world *world, int number, enum component component)
{
	char id[16];
	(void)snprintf(id, sizeof(id), "u%03d", (number * 37) % 1000);
	struct unit *unit = world_unit(world, bank_ids[below((int)world->suppliers_count)], id, component,
		(enum blood_group)(1 + below(8)), below(14) - 1);
	unit->collected_at = unit->expires_at - (14 + 7 * below(5)) * ONE_DAY;
	unit->attributes = random_attributes();
	unit->designated_for = one_in(25) ? patients[below(2)] : NULL;
	if (one_in(4)) {
		bool is_positive = one_in(3);
		unit->antigens = is_positive ? typed_k_positive : typed_k_negative;
		unit->antigens_count = 1;
		if (is_positive)
			unit->attributes &= ~ATTRIBUTE_BIT(ATTRIBUTE_K_NEGATIVE);
	}
}

static void fill_world(struct world *world, enum component component)
{
	int banks = 1 + below(3);
	for (int i = 0; i < banks; i++)
		world_bank(world, bank_ids[i], (i + below(2)) * 1000);
	for (int i = 1; i < banks; i++)
		if (world->suppliers[i].distance_m < world->suppliers[i - 1].distance_m)
			world->suppliers[i].distance_m = world->suppliers[i - 1].distance_m;
	int units = below(140);
	for (int i = 0; i < units; i++)
		add_random_unit(world, i, component);
}

static void add_random_patient(struct world *world)
{
	static const int years[] = { -1, 0, 10, 17, 18, 19, 30, 50, 51, 70 };
	struct patient *patient = world_patient(world, (enum sex)below(4), years[below(10)]);
	patient->ref = one_in(3) ? NULL : patients[below(2)];
	if (one_in(2)) {
		world->mother.group = (enum blood_group)(1 + below(9));
		patient->mother = &world->mother;
	}
	if (one_in(6))
		world_antibody(world, "anti-D");
	if (one_in(6))
		world_antigen_negative(world, "K");
}

/* The same request for the same state of the generator. */
static void make_request(struct world *world, enum component component)
{
	int quantity = one_in(4) ? 1 + below(40) : 1 + below(5);
	struct hospital_blood_requested *request = world_request(world, component,
		(enum blood_group)(1 + below(9)), quantity, (enum urgency)(1 + below(4)));
	if (!one_in(3))
		add_random_patient(world);
	if (one_in(4))
		world_attribute(world, attribute_name((enum attribute)below(ATTRIBUTES)));
	if (one_in(6))
		world_override(world, one_in(2) ? "rhd_mismatch" : "antigen_negative", "dr-1");
	request->accept_partial = !one_in(5);
	request->has_max_age_days = one_in(8);
	request->max_age_days = 1 + below(30);
	request->has_needed_at = one_in(3);
	request->needed_at = NOW + below(4) * ONE_DAY;
}

static void check_no_double(const struct world *world)
{
	for (size_t i = 0; i < world->allocation.units_count; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert(world->allocation.chosen[i] != world->allocation.chosen[j]);
}

START_TEST(both_allocators_agree)
{
	static struct world world;
	state = (uint64_t)_i + 1;
	for (int n = 0; n < WORLDS; n++) {
		struct reference reference = { .world = &world };
		enum component component = (enum component)(1 + below(5));
		world_init(&world);
		fill_world(&world, component);
		world_open(&world);
		for (int i = 0; i < REQUESTS; i++) {
			make_request(&world, component);
			const char *wanted = reference_allocate(&reference, &world.arena);
			const char *found = world_allocate(&world);
			ck_assert_msg(strcmp(found, wanted) == 0, "world %d request %d: %s, not %s", n, i, found, wanted);
			ck_assert(!world.shelves.wants_more);
			check_no_double(&world);
		}
		world_clear(&world);
	}
}
END_TEST

/* --- the same, loading only what demand asks for --- */

struct batch {
	struct world worlds[REQUESTS]; /* one request each, over the units of the first */
	struct wanted wanted[REQUESTS];
};

/* The requests point into worlds of their own, the suppliers all to the first. */
static void make_batch(struct batch *batch, enum component component)
{
	for (size_t i = 0; i < REQUESTS; i++) {
		make_request(&batch->worlds[i], component);
		batch->wanted[i] = batch->worlds[i].wanted;
		batch->wanted[i].suppliers = batch->worlds[0].suppliers;
		batch->wanted[i].suppliers_count = batch->worlds[0].suppliers_count;
	}
}

/* Counters alone, as the database keeps them. */
static void count_units(const struct world *world, struct shelves *shelves)
{
	for (size_t i = 0; i < world->units_count; i++) {
		const struct unit *unit = &world->units[i];
		struct bank *bank = shelves_bank(shelves, unit->bank_id);
		struct bin *bin = shelves_bin(shelves, bank, unit->component, unit->group,
			unit->attributes | attribute_set_of_unit(NULL, 0, unit->antigens, unit->antigens_count), NULL);
		if (unit->designated_for == NULL)
			bin_count(bin, bin->available_count + 1);
	}
}

static bool comes_before(const struct unit *a, const struct unit *b, enum shelf_order order)
{
	if (order == OLDEST_FIRST && a->expires_at != b->expires_at)
		return a->expires_at < b->expires_at;
	if (order == FRESHEST_FIRST && a->collected_at != b->collected_at)
		return a->collected_at > b->collected_at;
	return strcmp(a->unit_id, b->unit_id) < 0;
}

/* The unit's place in its bin, in that order. */
static size_t place_in_bin(const struct world *world, const struct unit *unit, enum shelf_order order)
{
	size_t place = 0;
	for (size_t i = 0; i < world->units_count; i++) {
		const struct unit *other = &world->units[i];
		place += other->designated_for == NULL && other->group == unit->group
			&& other->attributes == unit->attributes && strcmp(other->bank_id, unit->bank_id) == 0
			&& comes_before(other, unit, order);
	}
	return place;
}

/* What the database would answer to the bins' `asked`; how many rows. */
static size_t load_units(const struct world *world, struct shelves *shelves)
{
	size_t rows = 0;
	for (size_t i = 0; i < world->units_count; i++) {
		const struct unit *unit = &world->units[i];
		struct bin *bin = shelves_bin(shelves, shelves_bank(shelves, unit->bank_id), unit->component,
			unit->group, unit->attributes, unit->designated_for);
		for (enum shelf_order order = 0; order < SHELF_ORDERS; order++) {
			if (unit->designated_for == NULL && place_in_bin(world, unit, order) >= bin->queues[order].asked)
				continue;
			ck_assert(shelves_add(shelves, unit, order));
			rows++;
		}
	}
	shelves_ready(shelves, NOW);
	return rows;
}

static void point_suppliers(struct world *world, struct shelves *shelves)
{
	for (size_t i = 0; i < world->suppliers_count; i++)
		world->suppliers[i].bank = shelves_bank(shelves, world->suppliers[i].bank->bank_id);
}

/* Decides the whole batch on what is loaded; the answers as one text. */
static const char *decide_batch(struct world *world, const struct wanted *wanted, struct shelves *shelves)
{
	const char *text = "";
	for (size_t i = 0; i < REQUESTS; i++) {
		struct allocation allocation;
		allocate(&world->rules, &wanted[i], shelves, NOW, &world->arena, &allocation);
		text = arena_print(&world->arena, "%s|%d %d", text, (int)allocation.decision, (int)allocation.reason);
		for (size_t j = 0; j < allocation.units_count; j++)
			text = arena_print(&world->arena, "%s %s", text, allocation.units[j].unit_id);
	}
	return text;
}

/* Rounds of loading until the allocator is content. */
static const char *decide_by_demand(struct world *world, const struct wanted *wanted, unsigned *rounds)
{
	struct shelves shelves;
	const char *text = NULL;
	for (*rounds = 1; *rounds <= ROUNDS_MAX; (*rounds)++) {
		shelves_init(&shelves, &world->arena);
		point_suppliers(world, &shelves);
		count_units(world, &shelves);
		demand_batch(&world->rules, wanted, REQUESTS, NOW, &world->arena, &shelves);
		if (*rounds > 1)
			demand_deeper(&shelves, *rounds - 1);
		load_units(world, &shelves);
		text = decide_batch(world, wanted, &shelves);
		if (!shelves.wants_more)
			return text;
	}
	ck_abort_msg("still wants more after %d rounds", ROUNDS_MAX);
	return text;
}

START_TEST(loading_by_demand_gives_the_same_answers)
{
	static struct batch batch;
	int first_rounds = 0;
	state = 1000 + (uint64_t)_i;
	for (int n = 0; n < WORLDS / 3; n++) {
		struct world *world = &batch.worlds[0];
		enum component component = (enum component)(1 + below(5));
		unsigned rounds;
		world_init(world);
		fill_world(world, component);
		make_batch(&batch, component);
		world_open(world);
		const char *all = decide_batch(world, batch.wanted, &world->shelves);
		const char *found = decide_by_demand(world, batch.wanted, &rounds);
		first_rounds += rounds == 1;
		ck_assert_msg(strcmp(all, found) == 0, "world %d: %s, not %s", n, found, all);
		world_clear(world);
	}
	ck_assert_int_gt(first_rounds, 0);
}
END_TEST

START_TEST(the_same_input_gives_the_same_answer)
{
	static struct world world;
	for (int n = 0; n < 50; n++) {
		const char *before = NULL;
		char first[4000];
		for (int run = 0; run < 2; run++) {
			state = 5000 + (uint64_t)n;
			world_init(&world);
			fill_world(&world, COMPONENT_RED_CELLS);
			world_open(&world);
			make_request(&world, COMPONENT_RED_CELLS);
			const char *answer = world_allocate(&world);
			if (before == NULL)
				(void)snprintf(first, sizeof(first), "%s", answer);
			else
				ck_assert_str_eq(first, answer);
			before = first;
			world_clear(&world);
		}
	}
}
END_TEST

START_TEST(a_rehearsal_leaves_no_trace)
{
	static struct batch batch;
	state = 9000;
	for (int n = 0; n < 200; n++) {
		struct world *world = &batch.worlds[0];
		enum component component = (enum component)(1 + below(5));
		world_init(world);
		fill_world(world, component);
		make_batch(&batch, component);
		world_open(world);
		const char *first = decide_batch(world, batch.wanted, &world->shelves);
		shelves_rewind(&world->shelves);
		ck_assert_str_eq(decide_batch(world, batch.wanted, &world->shelves), first);
		world_clear(world);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("allocation random");
	TCase *test_case = tcase_create("allocation random");
	tcase_set_timeout(test_case, 300);
	tcase_add_loop_test(test_case, both_allocators_agree, 0, 4);
	tcase_add_loop_test(test_case, loading_by_demand_gives_the_same_answers, 0, 4);
	tcase_add_test(test_case, the_same_input_gives_the_same_answer);
	tcase_add_test(test_case, a_rehearsal_leaves_no_trace);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
