/* Shelves: sorting, counting, truncation, taking and giving back. */
#include "shelf.h"

#include <string.h>

#include "run.h"

#define NOW (1000 * ONE_DAY)

static struct arena arena;
static struct shelves shelves;
static struct bank *bank;

static void set_up(void)
{
	arena_init(&arena);
	shelves_init(&shelves, &arena);
	bank = shelves_bank(&shelves, "bank-001");
}

static void tear_down(void)
{
	arena_clear(&arena);
}

static struct unit make_unit(const char *unit_id, int days)
{
	return (struct unit){ .unit_id = arena_text(&arena, unit_id),
		.bank_id = "bank-001",
		.component = COMPONENT_PLASMA,
		.group = BLOOD_GROUP_A_POSITIVE,
		.expires_at = NOW + days * ONE_DAY,
		.collected_at = NOW - days * ONE_DAY };
}

static void add(const char *unit_id, int days, enum shelf_order order)
{
	struct unit unit = make_unit(unit_id, days);
	ck_assert(shelves_add(&shelves, &unit, order));
}

static struct bin *the_bin(void)
{
	return shelves_bin(&shelves, bank, COMPONENT_PLASMA, BLOOD_GROUP_A_POSITIVE, 0, NULL);
}

static const char *list(enum shelf_order order)
{
	const struct queue *queue = &the_bin()->queues[order];
	const char *text = "";
	for (size_t i = 0; i < queue->count; i++)
		text = arena_print(&arena, "%s%s", text, queue->units[i]->unit_id);
	return text;
}

START_TEST(each_order_is_sorted_whatever_order_rows_come_in)
{
	static const char *const ids[] = { "d", "b", "e", "a", "c" };
	static const int days[] = { 3, 1, 3, 9, 2 };
	for (size_t i = 0; i < 5; i++) {
		add(ids[i], days[i], OLDEST_FIRST);
		add(ids[i], days[i], FRESHEST_FIRST);
		add(ids[i], days[i], OLDEST_FIRST); /* twice: counts once */
	}
	shelves_ready(&shelves, NOW);
	ck_assert_str_eq(list(OLDEST_FIRST), "bcdea");
	ck_assert_str_eq(list(FRESHEST_FIRST), "bcdea");
	ck_assert_uint_eq(shelves.index_count, 5);
}
END_TEST

START_TEST(long_lists_are_sorted_too)
{
	for (int i = 0; i < 1000; i++) {
		const char *id = arena_print(&arena, "%04d", i * 7919 % 1000);
		add(id, i * 7919 % 1000 / 10, OLDEST_FIRST);
	}
	shelves_ready(&shelves, NOW - ONE_DAY);
	const struct queue *queue = &the_bin()->queues[OLDEST_FIRST];
	ck_assert_uint_eq(queue->count, 1000);
	for (int i = 0; i < 1000; i++) {
		const char *id = arena_print(&arena, "%04d", i);
		ck_assert_str_eq(queue->units[i]->unit_id, id);
		ck_assert_ptr_eq(shelves_find(&shelves, id), queue->units[i]);
	}
	ck_assert_ptr_null(shelves_find(&shelves, "1000"));
}
END_TEST

START_TEST(the_expired_are_counted_out)
{
	bin_count(the_bin(), 5);
	add("a", -1, OLDEST_FIRST);
	add("b", 0, OLDEST_FIRST);
	add("c", 1, OLDEST_FIRST);
	shelves_ready(&shelves, NOW);
	ck_assert_int_eq(the_bin()->available_count, 3);
	ck_assert_int_eq(the_bin()->shelf->available_count, 3);
}
END_TEST

struct truncation_case {
	int64_t available;
	size_t asked, loaded;
	bool is_truncated;
};

START_TEST(a_queue_is_truncated_when_more_exist_than_were_loaded)
{
	static const struct truncation_case cases[] = {
		{ 0, 0, 0, false }, { 5, 0, 0, true }, { 5, 3, 3, true }, { 3, 3, 3, false }, { 3, 10, 3, false },
		{ 5, 10, 3, false }, /* the rows are to be trusted */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		shelves_init(&shelves, &arena);
		bank = shelves_bank(&shelves, "bank-001");
		bin_count(the_bin(), cases[i].available);
		the_bin()->queues[OLDEST_FIRST].asked = cases[i].asked;
		for (size_t n = 0; n < cases[i].loaded; n++)
			add(arena_print(&arena, "u%zu", n), 5, OLDEST_FIRST);
		shelves_ready(&shelves, NOW);
		ck_assert_msg(the_bin()->queues[OLDEST_FIRST].is_truncated == cases[i].is_truncated, "case %zu", i);
	}
}
END_TEST

START_TEST(what_was_taken_can_be_put_back)
{
	bin_count(the_bin(), 3);
	the_bin()->queues[OLDEST_FIRST].asked = 10;
	add("a", 1, OLDEST_FIRST);
	add("b", 2, OLDEST_FIRST);
	add("c", 3, OLDEST_FIRST);
	shelves_ready(&shelves, NOW);
	shelves_take(&shelves, shelves_find(&shelves, "a"));
	shelves_take(&shelves, shelves_find(&shelves, "c"));
	queue_settle(&the_bin()->queues[OLDEST_FIRST]);
	ck_assert_uint_eq(the_bin()->queues[OLDEST_FIRST].first, 1);
	ck_assert_int_eq(the_bin()->available_count, 1);
	shelves.wants_more = true;
	shelves_rewind(&shelves);
	ck_assert_int_eq(the_bin()->available_count, 3);
	ck_assert_int_eq(the_bin()->shelf->available_count, 3);
	ck_assert_uint_eq(the_bin()->queues[OLDEST_FIRST].first, 0);
	ck_assert(!shelves_find(&shelves, "a")->is_taken);
	ck_assert(!shelves.wants_more);
}
END_TEST

START_TEST(a_unit_that_arrives_later_is_seen_where_it_belongs)
{
	bin_count(the_bin(), 2);
	the_bin()->queues[OLDEST_FIRST].asked = 10;
	add("a", 1, OLDEST_FIRST);
	add("c", 3, OLDEST_FIRST);
	shelves_ready(&shelves, NOW);
	shelves_take(&shelves, shelves_find(&shelves, "a"));
	queue_settle(&the_bin()->queues[OLDEST_FIRST]);
	struct unit unit = make_unit("b", 0);
	ck_assert(shelves_insert(&shelves, &unit));
	ck_assert(!shelves_insert(&shelves, &unit));
	ck_assert_str_eq(list(OLDEST_FIRST), "bac");
	ck_assert_uint_eq(the_bin()->queues[OLDEST_FIRST].first, 0);
	ck_assert_int_eq(the_bin()->available_count, 2);
}
END_TEST

START_TEST(behind_the_loaded_part_an_arrival_stays_unseen)
{
	bin_count(the_bin(), 5);
	the_bin()->queues[OLDEST_FIRST].asked = 2;
	add("a", 1, OLDEST_FIRST);
	add("c", 3, OLDEST_FIRST);
	shelves_ready(&shelves, NOW);
	struct unit before = make_unit("b", 2), behind = make_unit("d", 4);
	ck_assert(shelves_insert(&shelves, &before));
	ck_assert(shelves_insert(&shelves, &behind));
	ck_assert_str_eq(list(OLDEST_FIRST), "abc");
	ck_assert_str_eq(list(FRESHEST_FIRST), "");
	ck_assert_int_eq(the_bin()->available_count, 7);
}
END_TEST

START_TEST(designated_units_lie_apart_and_are_not_counted)
{
	struct unit unit = make_unit("a", 1);
	unit.designated_for = "patient-1";
	ck_assert(shelves_add(&shelves, &unit, OLDEST_FIRST));
	shelves_ready(&shelves, NOW);
	const struct unit *kept = shelves_find(&shelves, "a");
	ck_assert_ptr_ne(kept->bin, the_bin());
	ck_assert_int_eq(kept->bin->shelf->available_count, 0);
	ck_assert(!kept->bin->queues[FRESHEST_FIRST].is_truncated);
}
END_TEST

START_TEST(banks_are_limited_and_strangers_refused)
{
	struct unit unit = make_unit("a", 1);
	unit.bank_id = "bank-999";
	ck_assert(!shelves_add(&shelves, &unit, OLDEST_FIRST));
	ck_assert(!shelves_insert(&shelves, &unit));
	for (int i = 0; i < BANKS_MAX - 1; i++)
		ck_assert_ptr_nonnull(shelves_bank(&shelves, arena_print(&arena, "other-%d", i)));
	ck_assert_ptr_null(shelves_bank(&shelves, "one-more"));
	ck_assert_ptr_eq(shelves_bank(&shelves, "bank-001"), bank);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shelf");
	TCase *test_case = tcase_create("shelf");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, each_order_is_sorted_whatever_order_rows_come_in);
	tcase_add_test(test_case, long_lists_are_sorted_too);
	tcase_add_test(test_case, the_expired_are_counted_out);
	tcase_add_test(test_case, a_queue_is_truncated_when_more_exist_than_were_loaded);
	tcase_add_test(test_case, what_was_taken_can_be_put_back);
	tcase_add_test(test_case, a_unit_that_arrives_later_is_seen_where_it_belongs);
	tcase_add_test(test_case, behind_the_loaded_part_an_arrival_stays_unseen);
	tcase_add_test(test_case, designated_units_lie_apart_and_are_not_counted);
	tcase_add_test(test_case, banks_are_limited_and_strangers_refused);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
