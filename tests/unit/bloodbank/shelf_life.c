/* Shelf life: each life of the table, and the ends of days. */
#include "shelf_life.h"

#include <inttypes.h>

#include "clock.h"
#include "run.h"

struct example {
	enum component component;
	const char *anticoagulant, *additive;
	unsigned int processes;
	const char *collected_at, *processed_at;
	int32_t utc_offset_s;
	const char *limit;
};

#define COLLECTED "2026-11-01T10:30:00Z"
#define PROCESSED "2026-11-20T08:15:00Z"

#define HAS(process) PROCESS_BIT(PROCESS_##process)

/* clang-format off */
static const struct example examples[] = {
	{ COMPONENT_RED_CELLS, NULL, NULL, 0, COLLECTED, PROCESSED, 0, "2026-11-22T23:59:00Z" },
	{ COMPONENT_RED_CELLS, "ACD", NULL, 0, COLLECTED, PROCESSED, 0, "2026-11-22T23:59:00Z" },
	{ COMPONENT_RED_CELLS, "CP2D", NULL, 0, COLLECTED, PROCESSED, 0, "2026-11-22T23:59:00Z" },
	{ COMPONENT_RED_CELLS, "CPDA-1", NULL, 0, COLLECTED, PROCESSED, 0, "2026-12-06T23:59:00Z" },
	{ COMPONENT_RED_CELLS, "cpda1", NULL, 0, COLLECTED, PROCESSED, 0, "2026-12-06T23:59:00Z" },
	{ COMPONENT_RED_CELLS, "CPD", "SAGM", 0, COLLECTED, PROCESSED, 0, "2026-12-13T23:59:00Z" },
	{ COMPONENT_RED_CELLS, "CPD", "AS-1", HAS(IRRADIATED), COLLECTED, PROCESSED, 0, "2026-12-13T23:59:00Z" },
	{ COMPONENT_RED_CELLS, "CPD", "AS-1", HAS(IRRADIATED), COLLECTED, "2026-11-02T08:00:00Z", 0,
		"2026-11-30T23:59:00Z" },
	{ COMPONENT_RED_CELLS, "CPD", "AS-1", HAS(WASHED), COLLECTED, PROCESSED, 0, "2026-11-21T08:15:00Z" },
	{ COMPONENT_RED_CELLS, "CPD", "AS-1", HAS(OPENED), COLLECTED, PROCESSED, 0, "2026-11-21T08:15:00Z" },
	{ COMPONENT_WHOLE_BLOOD, "CPD", NULL, 0, COLLECTED, PROCESSED, 0, "2026-11-22T23:59:00Z" },
	{ COMPONENT_WHOLE_BLOOD, "CPDA-1", NULL, 0, COLLECTED, PROCESSED, 0, "2026-12-06T23:59:00Z" },
	{ COMPONENT_WHOLE_BLOOD, "CPD", "AS-1", 0, COLLECTED, PROCESSED, 0, "2026-11-22T23:59:00Z" },
	{ COMPONENT_PLATELETS, NULL, NULL, 0, COLLECTED, PROCESSED, 0, "2026-11-06T23:59:00Z" },
	{ COMPONENT_PLATELETS, NULL, NULL, HAS(TESTED), COLLECTED, PROCESSED, 0, "2026-11-08T23:59:00Z" },
	{ COMPONENT_PLATELETS, NULL, NULL, HAS(IRRADIATED), COLLECTED, PROCESSED, 0, "2026-11-06T23:59:00Z" },
	{ COMPONENT_PLATELETS, NULL, NULL, HAS(WASHED), COLLECTED, "2026-11-03T08:00:00Z", 0,
		"2026-11-03T12:00:00Z" },
	{ COMPONENT_PLATELETS, NULL, NULL, HAS(VOLUME_REDUCED), COLLECTED, "2026-11-03T08:00:00Z", 0,
		"2026-11-03T12:00:00Z" },
	{ COMPONENT_PLASMA, NULL, NULL, 0, COLLECTED, PROCESSED, 0, "2027-11-01T23:59:00Z" },
	{ COMPONENT_PLASMA, NULL, NULL, HAS(THAWED), COLLECTED, PROCESSED, 0, "2026-11-21T08:15:00Z" },
	{ COMPONENT_PLASMA, NULL, NULL, HAS(THAWED) | HAS(RELABELLED), COLLECTED, PROCESSED, 0,
		"2026-11-25T08:15:00Z" },
	{ COMPONENT_CRYO, NULL, NULL, 0, COLLECTED, PROCESSED, 0, "2027-11-01T23:59:00Z" },
	{ COMPONENT_CRYO, NULL, NULL, HAS(THAWED), COLLECTED, PROCESSED, 0, "2026-11-20T14:15:00Z" },
	{ COMPONENT_CRYO, NULL, NULL, HAS(THAWED) | HAS(POOLED), COLLECTED, PROCESSED, 0, "2026-11-20T12:15:00Z" },
	/* days end where the facility is: 23:30 in Berlin is still the same day, in New York too */
	{ COMPONENT_PLATELETS, NULL, NULL, 0, "2026-11-01T22:30:00Z", PROCESSED, 3600, "2026-11-06T22:59:00Z" },
	{ COMPONENT_PLATELETS, NULL, NULL, 0, "2026-11-01T23:30:00Z", PROCESSED, 3600, "2026-11-07T22:59:00Z" },
	{ COMPONENT_PLATELETS, NULL, NULL, 0, "2026-11-02T03:30:00Z", PROCESSED, -18000, "2026-11-07T04:59:00Z" },
	/* a year of a leap day, and over one */
	{ COMPONENT_PLASMA, NULL, NULL, 0, "2028-02-29T10:00:00Z", PROCESSED, 0, "2029-02-28T23:59:00Z" },
	{ COMPONENT_PLASMA, NULL, NULL, 0, "2027-06-01T10:00:00Z", PROCESSED, 0, "2028-06-01T23:59:00Z" },
	{ COMPONENT_PLATELETS, NULL, NULL, 0, "1969-12-31T23:59:59.5Z", PROCESSED, 0, "1970-01-05T23:59:00Z" },
};
/* clang-format on */

static int64_t read_time(const char *text)
{
	int64_t time_us;
	ck_assert_msg(time_parse(text, &time_us), "%s", text);
	return time_us;
}

START_TEST(each_product_has_its_life)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		const struct example *example = &examples[i];
		struct product product = {
			.component = example->component,
			.anticoagulant = example->anticoagulant,
			.additive = example->additive,
			.processes = example->processes,
			.collected_at = read_time(example->collected_at),
			.processed_at = read_time(example->processed_at),
			.parts_expire_at = INT64_MAX,
			.utc_offset_s = example->utc_offset_s,
		};
		char text[TIME_TEXT_BYTES];
		time_print(shelf_life_limit(&product), text);
		ck_assert_msg(shelf_life_limit(&product) == read_time(example->limit), "example %zu: %s, not %s", i,
			text, example->limit);
	}
}
END_TEST

START_TEST(the_shortest_part_counts)
{
	struct product product = { .component = COMPONENT_RED_CELLS,
		.additive = "AS-1",
		.collected_at = read_time(COLLECTED),
		.processed_at = read_time(PROCESSED),
		.parts_expire_at = read_time("2026-11-25T00:00:00Z") };
	ck_assert_int_eq(shelf_life_limit(&product), product.parts_expire_at);
}
END_TEST

START_TEST(processes_are_read_from_attributes)
{
	static const char *const attributes[] = { "cmv_negative", "washed", "irradiated", "none", "tested" };
	ck_assert_uint_eq(processes_find(attributes, 5), HAS(WASHED) | HAS(IRRADIATED) | HAS(TESTED));
	ck_assert_uint_eq(processes_find(NULL, 0), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shelf life");
	TCase *test_case = tcase_create("shelf life");
	tcase_add_test(test_case, each_product_has_its_life);
	tcase_add_test(test_case, the_shortest_part_counts);
	tcase_add_test(test_case, processes_are_read_from_attributes);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
