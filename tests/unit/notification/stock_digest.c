/* Changes gather in a window; when it is over they are one text. */
#include "stock_digest.h"

#include <string.h>

#include "run.h"
#include "text.h"

#define NOW INT64_C(1780000000000000)

static struct arena arena;

static void open_arena(void)
{
	arena_init(&arena);
}

static void close_arena(void)
{
	arena_clear(&arena);
}

static struct bloodbank_inventory_updated stock(int64_t available, int64_t version)
{
	return (struct bloodbank_inventory_updated){ .available = available, .version = version };
}

START_TEST(the_first_change_opens_the_window)
{
	struct shelf shelf = { .bank_id = "bank-001" };
	struct window window = { .bank_id = "bank-001" };
	const struct bloodbank_inventory_updated first = stock(12, 3), second = stock(11, 4);
	ck_assert(!stock_digest_is_due(&window, &rules_default, NOW));
	stock_digest_gather(&shelf, &window, &first, NOW);
	stock_digest_gather(&shelf, &window, &second, NOW + 1);
	ck_assert_int_eq(window.opened_at, NOW);
	ck_assert_int_eq(shelf.available, 11);
	ck_assert_int_eq(shelf.version, 4);
	ck_assert(shelf.is_waiting && shelf.is_changed);
	ck_assert(!stock_digest_is_due(&window, &rules_default, NOW + rules_default.digest_window_us - 1));
	ck_assert(stock_digest_is_due(&window, &rules_default, NOW + rules_default.digest_window_us));
}
END_TEST

START_TEST(an_older_state_changes_nothing)
{
	struct shelf shelf = { .bank_id = "bank-001", .available = 12, .version = 3 };
	struct window window = { .bank_id = "bank-001" };
	const struct bloodbank_inventory_updated same = stock(99, 3), older = stock(99, 2);
	stock_digest_gather(&shelf, &window, &same, NOW);
	stock_digest_gather(&shelf, &window, &older, NOW);
	ck_assert_int_eq(shelf.available, 12);
	ck_assert(!shelf.is_waiting && !shelf.is_changed);
	ck_assert_int_eq(window.opened_at, 0);
}
END_TEST

static const struct notice *close_with(struct window *window, struct shelf *shelves, size_t count)
{
	const struct notice *notice = stock_digest_notice(window, shelves, count, &rules_default,
		NOW + rules_default.digest_window_us, &arena);
	stock_digest_close(window, shelves, count);
	return notice;
}

START_TEST(the_text_names_what_changed)
{
	struct window window = { .bank_id = "bank-001", .opened_at = NOW, .is_stored = true };
	struct shelf shelves[] = {
		{ "bank-001", COMPONENT_RED_CELLS, BLOOD_GROUP_O_NEGATIVE, 12, 4, true, false },
		{ "bank-001", COMPONENT_RED_CELLS, BLOOD_GROUP_O_POSITIVE, 7, 4, false, false },
		{ "bank-001", COMPONENT_PLASMA, BLOOD_GROUP_AB_POSITIVE, 0, 9, true, false },
	};
	const struct notice *notice = close_with(&window, shelves, 3);
	ck_assert_str_eq(notice->text, "2 shelves changed: O- red_cells 12 available, AB+ plasma 0 available");
	ck_assert_str_eq(notice->facility_id, "bank-001");
	ck_assert_str_eq(notice->entity, "stock:bank-001");
	ck_assert_str_eq(notice->transition, "digest:2026-05-28T20:26:40Z");
	ck_assert_int_eq(window.opened_at, 0);
	ck_assert(!shelves[0].is_waiting && shelves[0].is_changed);
	ck_assert_msg(!shelves[1].is_changed, "what did not wait is not written again");
}
END_TEST

START_TEST(no_digest_without_changes)
{
	struct window window = { .bank_id = "bank-001", .opened_at = NOW };
	struct shelf shelf = { "bank-001", COMPONENT_RED_CELLS, BLOOD_GROUP_O_NEGATIVE, 12, 4, false, false };
	ck_assert_ptr_null(close_with(&window, &shelf, 1));
	window.opened_at = NOW;
	ck_assert_ptr_null(close_with(&window, NULL, 0));
	ck_assert_int_eq(window.opened_at, 0);
}
END_TEST

START_TEST(all_shelves_of_a_bank_fit)
{
	struct window window = { .bank_id = "bank-001", .opened_at = NOW };
	struct shelf shelves[40];
	size_t count = 0;
	for (int component = COMPONENT_RED_CELLS; component <= COMPONENT_PLATELETS; component++)
		for (int group = BLOOD_GROUP_O_NEGATIVE; group < BLOOD_GROUP_UNKNOWN; group++)
			shelves[count++] = (struct shelf){ "bank-001", (enum component)component, (enum blood_group)group,
				1000000000, 4, true, false };
	ck_assert_uint_eq(count, 40);
	const char *text = close_with(&window, shelves, count)->text;
	ck_assert_uint_le(strlen(text), TEXT_MAX);
	ck_assert_ptr_nonnull(strstr(text, "40 shelves changed: "));
	ck_assert_ptr_nonnull(strstr(text, " more"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notification stock digest");
	TCase *tests = tcase_create("stock digest");
	tcase_add_checked_fixture(tests, open_arena, close_arena);
	tcase_add_test(tests, the_first_change_opens_the_window);
	tcase_add_test(tests, an_older_state_changes_nothing);
	tcase_add_test(tests, the_text_names_what_changed);
	tcase_add_test(tests, no_digest_without_changes);
	tcase_add_test(tests, all_shelves_of_a_bank_fit);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
