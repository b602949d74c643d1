/* One world for a test program, and short words for its tests. */
#include "scene.h"

#include <string.h>

#include "run.h"

struct world world;

static void set_up(void)
{
	world_init(&world);
	world_bank(&world, "bank-001", 5000);
	world_bank(&world, "bank-002", 20000);
}

static void tear_down(void)
{
	world_clear(&world);
}

void bag(const char *unit_id, enum blood_group group, int days)
{
	world_unit(&world, "bank-001", unit_id, COMPONENT_RED_CELLS, group, days);
}

void far_bag(const char *unit_id, enum blood_group group, int days)
{
	world_unit(&world, "bank-002", unit_id, COMPONENT_RED_CELLS, group, days);
}

void ask(enum blood_group group, int64_t quantity, enum urgency urgency)
{
	world_request(&world, COMPONENT_RED_CELLS, group, quantity, urgency);
}

void expect(const char *answer)
{
	ck_assert_str_eq(world_allocate(&world), answer);
}

void expect_warnings(const char *warnings)
{
	ck_assert_str_eq(world_warnings(&world), warnings);
}

static struct unit *find_bag(const char *unit_id)
{
	for (size_t i = 0; i < world.units_count; i++)
		if (strcmp(world.units[i].unit_id, unit_id) == 0)
			return &world.units[i];
	ck_abort_msg("no bag %s", unit_id);
	return NULL;
}

void set_attributes(const char *unit_id, uint32_t attributes)
{
	find_bag(unit_id)->attributes = attributes;
}

void set_antigens(const char *unit_id, const char *const *antigens, size_t count)
{
	find_bag(unit_id)->antigens = antigens;
	find_bag(unit_id)->antigens_count = count;
}

void designate(const char *unit_id, const char *patient_ref)
{
	find_bag(unit_id)->designated_for = patient_ref;
}

int run_scenes(const char *name, const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *test_case = tcase_create(name);
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(test_case, tests[i]);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
