/* What a batch is about: each thing once, found by its key. */
#include "state.h"

#include "run.h"
#include "worker.h"

static struct arena arena;
static struct state *state;

static void open_state(void)
{
	arena_init(&arena);
	const struct batch batch = { .arena = &arena };
	state = state_new(&batch);
}

static void close_state(void)
{
	arena_clear(&arena);
}

START_TEST(an_empty_state_knows_nothing)
{
	struct shelf *first;
	state_index(state);
	ck_assert_ptr_null(state_notice(state, "a"));
	ck_assert_ptr_null(state_window(state, "a"));
	ck_assert_ptr_null(state_shelf(state, "a", COMPONENT_PLASMA, BLOOD_GROUP_O_NEGATIVE));
	ck_assert_uint_eq(state_shelves_of(state, "a", &first), 0);
}
END_TEST

START_TEST(what_is_listed_twice_is_there_once)
{
	struct notice notices[] = { { .notification_id = "c" }, { .notification_id = "a" },
		{ .notification_id = "c" }, { .notification_id = "b" }, { .notification_id = "a" } };
	struct window windows[] = { { .bank_id = "b" }, { .bank_id = "a" }, { .bank_id = "b" } };
	state->notices = notices;
	state->notices_count = 5;
	state->windows = windows;
	state->windows_count = 3;
	state_index(state);
	ck_assert_uint_eq(state->notices_count, 3);
	ck_assert_uint_eq(state->windows_count, 2);
	for (const char *id = "abc"; *id != '\0'; id++)
		ck_assert_str_eq(state_notice(state, (char[]){ *id, '\0' })->notification_id,
			((char[]){ *id, '\0' }));
	ck_assert_ptr_null(state_notice(state, "d"));
	ck_assert_str_eq(state_window(state, "b")->bank_id, "b");
}
END_TEST

START_TEST(shelves_of_one_bank_lie_side_by_side)
{
	struct shelf shelves[] = {
		{ .bank_id = "b", .component = COMPONENT_PLASMA, .group = BLOOD_GROUP_O_NEGATIVE },
		{ .bank_id = "a", .component = COMPONENT_PLASMA, .group = BLOOD_GROUP_O_POSITIVE },
		{ .bank_id = "b", .component = COMPONENT_RED_CELLS, .group = BLOOD_GROUP_A_NEGATIVE },
		{ .bank_id = "b", .component = COMPONENT_PLASMA, .group = BLOOD_GROUP_O_NEGATIVE },
	};
	struct shelf *first;
	state->shelves = shelves;
	state->shelves_count = 4;
	state_index(state);
	ck_assert_uint_eq(state_shelves_of(state, "b", &first), 2);
	ck_assert_str_eq(first[0].bank_id, "b");
	ck_assert_int_eq(first[0].component, COMPONENT_RED_CELLS);
	ck_assert_int_eq(first[1].component, COMPONENT_PLASMA);
	ck_assert_ptr_eq(state_shelf(state, "b", COMPONENT_PLASMA, BLOOD_GROUP_O_NEGATIVE), &first[1]);
	ck_assert_ptr_null(state_shelf(state, "a", COMPONENT_PLASMA, BLOOD_GROUP_O_NEGATIVE));
}
END_TEST

START_TEST(what_is_created_keeps_its_order_and_is_created_once)
{
	struct notice notices[] = { { .notification_id = "a" },
		{ .notification_id = "b", .is_there = true, .is_stored = true }, { .notification_id = "c" } };
	const struct notice a = { .notification_id = "a", .text = "first" },
						again = { .notification_id = "a", .text = "second" }, b = { .notification_id = "b" },
						c = { .notification_id = "c" };
	state->notices = notices;
	state->notices_count = 3;
	state_index(state);
	ck_assert_ptr_nonnull(state_create(state, &c));
	ck_assert_ptr_nonnull(state_create(state, &a));
	ck_assert_ptr_null(state_create(state, &again));
	ck_assert_ptr_null(state_create(state, &b));
	ck_assert_str_eq(state->created->notification_id, "c");
	ck_assert_str_eq(state->created->next->text, "first");
	ck_assert_ptr_null(state->created->next->next);
	ck_assert(state_notice(state, "a")->is_there && !state_notice(state, "a")->is_stored);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notification state");
	TCase *tests = tcase_create("state");
	tcase_add_checked_fixture(tests, open_state, close_state);
	tcase_add_test(tests, an_empty_state_knows_nothing);
	tcase_add_test(tests, what_is_listed_twice_is_there_once);
	tcase_add_test(tests, shelves_of_one_bank_lie_side_by_side);
	tcase_add_test(tests, what_is_created_keeps_its_order_and_is_created_once);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
