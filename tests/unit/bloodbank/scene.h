/* One world for a test program, and short words for its tests. */
#pragma once

#include <check.h>

#include "world.h"

extern struct world world; /* two banks, bank-001 at 5 km and bank-002 at 20 km; new for each test */

/* Red cells of the near bank, or of the far one. */
void bag(const char *unit_id, enum blood_group group, int days);
void far_bag(const char *unit_id, enum blood_group group, int days);

/* Changes to a bag, before world_open. */
void set_attributes(const char *unit_id, uint32_t attributes);
void set_antigens(const char *unit_id, const char *const *antigens, size_t count);
void designate(const char *unit_id, const char *patient_ref);

/* Asks for red cells. */
void ask(enum blood_group group, int64_t quantity, enum urgency urgency);

/* Allocates, and compares the answer (see world_allocate); compares the warnings of the last one. */
void expect(const char *answer);
void expect_warnings(const char *warnings);

/* Runs the tests, each in a new world; the program's exit code. */
int run_scenes(const char *name, const TTest *const *tests, size_t count);
