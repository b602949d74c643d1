/* Identifiers of slots, there and back. */
#include "slot_id.h"

#include "calendar.h"
#include "run.h"

START_TEST(there_and_back)
{
	struct arena arena;
	arena_init(&arena);
	const char *slot_id = slot_id_print("dr-adams", calendar_day("2026-03-01"), 9 * 60 + 5, &arena);
	ck_assert_str_eq(slot_id, "dr-adams.20260301.0905");
	ck_assert_str_eq(slot_id_provider(slot_id, &arena), "dr-adams");
	ck_assert_str_eq(slot_id_date(slot_id, &arena), "2026-03-01");
	ck_assert_str_eq(slot_id_date("x.20269999.2359", &arena), "2026-99-99");
	ck_assert_str_eq(slot_id_provider("x.20269999.2359", &arena), "x");
	arena_clear(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("appointment slot_id");
	TCase *tests = tcase_create("slot_id");
	tcase_add_test(tests, there_and_back);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
