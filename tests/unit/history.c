/* The checker of histories: what must pass, what must be refused, and random small ones against a search by definition. */
#include "history.h"

#include <stdlib.h>
#include <string.h>

#include "run.h"

enum { SMALL_MAX = 7, SMALL_ROUNDS = 20000, LONG_OPERATIONS = 200000, CLIENTS = 16 };

static struct history history;
static struct finding finding;
static struct why why;

static void set_up(void)
{
	history_init(&history);
}

static void tear_down(void)
{
	history_clear(&history);
}

static bool read_text(const char *text)
{
	char *copy = strdup(text);
	ck_assert_ptr_nonnull(copy);
	FILE *file = fmemopen(copy, strlen(copy), "r");
	ck_assert_ptr_nonnull(file);
	history_clear(&history);
	history_init(&history);
	bool is_read = history_read(&history, file, &why);
	fclose(file);
	free(copy);
	return is_read;
}

static size_t count_findings(const char *text)
{
	ck_assert_msg(read_text(text), "%s", why.text);
	return history_check(&history, &finding, 1);
}

static void check_good(const char *text)
{
	ck_assert_msg(count_findings(text) == 0, "refused at line %u: %s", finding.line, text);
}

static void check_bad(const char *text, uint32_t line)
{
	ck_assert_msg(count_findings(text) == 1, "taken for good: %s", text);
	ck_assert_int_eq(finding.verdict, NOT_LINEARIZABLE);
	ck_assert_uint_eq(finding.line, line);
}

START_TEST(one_after_the_other)
{
	check_good("a read s 1 2 free\na book s 3 4 x ok\na read s 5 6 x\na read s 7 8 taken\n"
			   "b book s 9 10 y refused\nb cancel s 11 12 y refused\nb cancel s 13 14 x ok\n"
			   "b read s 15 16 free\na book s 17 18 y ok\n# the end\n\n");
	ck_assert_uint_eq(history.count, 9);
	ck_assert_uint_eq(history.reads, 4);
}
END_TEST

START_TEST(free_after_the_booking_was_answered)
{
	check_bad("a book s 1 10 x ok\nb read s 11 12 free\n", 2);
	check_good("a book s 1 10 x ok\nb read s 10 12 free\n"); /* began as the answer came: side by side */
}
END_TEST

START_TEST(seen_taken_and_later_free)
{
	check_bad("a book s 1 100 x ok\nb read s 10 20 taken\nc read s 21 30 free\n", 3);
	check_good("a book s 1 100 x ok\nb read s 10 20 free\nc read s 21 30 taken\n");
	check_good("a book s 1 100 x ok\nb read s 10 20 taken\nc read s 19 30 free\n");
}
END_TEST

START_TEST(booked_twice)
{
	check_bad("a book s 1 10 x ok\nb book s 11 20 y ok\n", 2);
	check_bad("a book s 1 10 x ok\nb book s 2 9 y ok\n", 1);
	check_good("a book s 1 10 x ok\nb book s 2 9 y ok\nc cancel s 3 8 y ok\n");
	check_good("a book s 1 10 x ok\nb book s 11 20 y ok\nc cancel s 5 30 x ok\n");
}
END_TEST

START_TEST(wrongly_refused)
{
	check_bad("a book s 1 10 x refused\n", 1);
	check_good("a book s 1 10 x refused\nb book s 5 15 y ok\n");
	check_bad("a book s 1 10 x ok\nb cancel s 11 12 x refused\n", 2);
	check_bad("a cancel s 1 2 x ok\n", 1);
}
END_TEST

START_TEST(the_wrong_holder)
{
	check_bad("a book s 1 10 x ok\nb read s 11 12 y\n", 2);
	check_bad("a read s 1 2 taken\n", 1);
	check_good("a book s 1 10 x ok\nb book t 1 10 y ok\nc read t 11 12 y\nc read s 11 12 x\n");
}
END_TEST

START_TEST(an_unknown_outcome_is_either)
{
	check_good("a book s 1 - x unknown\nb read s 50 60 free\n");
	check_good("a book s 1 - x unknown\nb read s 50 60 free\nb read s 70 80 x\n");
	check_bad("a book s 1 - x unknown\nb read s 50 60 x\nb read s 70 80 free\n", 3);
	check_good("a book s 1 2 x unknown\nb book s 50 60 y ok\nb read s 70 80 y\n");
	check_bad("a book s 1 2 x unknown\nb read s 3 4 x\nb book s 50 60 y ok\n", 3);
	check_bad("b read s 10 20 x\na book s 21 - x unknown\n", 1);
	check_good("a book s 1 2 x ok\nb cancel s 3 - x unknown\nc book s 50 60 y ok\nc read s 70 80 y\n");
	check_bad("a book s 1 2 x unknown\nb read s 3 4 x\nc cancel s 5 6 x ok\nd read s 7 8 x\n", 4);
}
END_TEST

START_TEST(a_finding_tells_what_was_possible)
{
	ck_assert_uint_eq(count_findings("a book s 1 10 x ok\nb read s 11 12 free\n"), 1);
	ck_assert_uint_eq(finding.possible_count, 1);
	ck_assert_str_eq(history_holder_name(&history, finding.possible[0]), "x");
	ck_assert_str_eq(history_slot_name(&history, finding.slot), "s");
	ck_assert_uint_eq(count_findings("a read s 1 2 taken\nb read t 1 2 taken\nc read u 1 2 free\n"), 2);
}
END_TEST

START_TEST(bad_lines_are_told)
{
	const char *const bad[] = { "a read s 1 2\n", "a read s 1 2 free ok\n", "a book s 1 2 x\n",
		"a book s 1 2 x maybe\n", "a hold s 1 2 x ok\n", "a read s x 2 free\n", "a read s 1 - free\n",
		"a read s 2 1 free\n", "a  read s 1 2 free\n", "a read s -1 2 free\n", "a book s 1 2 free ok\n",
		"a read s 1 2 free", "a read s 1 99999999999999999999 free\n" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(!read_text(bad[i]), "%s", bad[i]);
		ck_assert_msg(strstr(why.text, "line 1: ") == why.text, "%s", why.text);
	}
}
END_TEST

/* Books of one slot at the same time: one wins, the others are refused. */
START_TEST(a_thousand_at_once)
{
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert(history_add(&history,
			&(struct operation){ .begin_ns = i,
				.end_ns = 5000 + i,
				.holder = HOLDER_FIRST + i,
				.kind = OPERATION_BOOK,
				.outcome = i == 777 ? OPERATION_OK : OPERATION_REFUSED },
			&why));
	history_slot(&history, "s", 1);
	ck_assert_uint_eq(history_check(&history, &finding, 1), 0);
	for (size_t i = 0; i < history.count; i++)
		if (history.operations[i].line == 501)
			history.operations[i].outcome = OPERATION_OK;
	ck_assert_uint_eq(history_check(&history, &finding, 1), 1);
	ck_assert_int_eq(finding.verdict, NOT_LINEARIZABLE);
}
END_TEST

/* By definition: some order of all operations (of unknown ones any part) keeps to the times and gives every answer. */
static bool can_be_next(const struct operation operations[], size_t count, unsigned used, size_t next)
{
	for (size_t i = 0; i < count; i++)
		if ((used >> i & 1) == 0 && operations[i].outcome != OPERATION_UNKNOWN
			&& operations[i].end_ns < operations[next].begin_ns)
			return false;
	return true;
}

static bool step(const struct operation *operation, uint32_t *state)
{
	bool is_free = *state == HOLDER_FREE, is_own = *state == operation->holder;
	if (operation->kind == OPERATION_READ)
		return operation->holder == HOLDER_ANY ? !is_free : is_own;
	if (operation->outcome == OPERATION_REFUSED)
		return operation->kind == OPERATION_BOOK ? !is_free : !is_own;
	if (operation->kind == OPERATION_BOOK ? !is_free : !is_own)
		return false;
	*state = operation->kind == OPERATION_BOOK ? operation->holder : (uint32_t)HOLDER_FREE;
	return true;
}

static bool search(const struct operation operations[], size_t count, unsigned used, uint32_t state)
{
	bool is_complete = true;
	for (size_t i = 0; i < count; i++)
		is_complete = is_complete && ((used >> i & 1) != 0 || operations[i].outcome == OPERATION_UNKNOWN);
	if (is_complete)
		return true;
	for (size_t i = 0; i < count; i++) {
		uint32_t after = state;
		if ((used >> i & 1) == 0 && can_be_next(operations, count, used, i) && step(&operations[i], &after)
			&& search(operations, count, used | 1U << i, after))
			return true;
	}
	return false;
}

static struct operation make_operation(int64_t span)
{
	struct operation operation = {
		.begin_ns = random() % span, .kind = (enum operation_kind)(random() % 3), .outcome = OPERATION_OK
	};
	operation.end_ns = operation.begin_ns + random() % (span / 2);
	if (operation.kind == OPERATION_READ) {
		operation.holder = (uint32_t)(random() % 4);
	} else {
		operation.holder = (uint32_t)(HOLDER_FIRST + random() % 2);
		operation.outcome = (enum operation_outcome)(random() % 3);
	}
	return operation;
}

START_TEST(small_histories_agree_with_a_search_by_definition)
{
	unsigned good = 0, bad = 0;
	history_slot(&history, "s", 1);
	srandom(1);
	for (unsigned round = 0; round < SMALL_ROUNDS; round++) {
		size_t count = 1 + (size_t)random() % SMALL_MAX;
		int64_t span = 4 + random() % 40;
		history.count = 0;
		for (size_t i = 0; i < count; i++) {
			struct operation operation = make_operation(span);
			ck_assert(history_add(&history, &operation, &why));
		}
		bool is_good = search(history.operations, history.count, 0, HOLDER_FREE);
		ck_assert_msg((history_check(&history, &finding, 1) == 0) == is_good, "round %u", round);
		good += is_good;
		bad += !is_good;
	}
	ck_assert_uint_gt(good, SMALL_ROUNDS / 20);
	ck_assert_uint_gt(bad, SMALL_ROUNDS / 20);
}
END_TEST

/*
 * A long history of many clients, made by letting each operation happen at one moment between its begin and its end: it is good.
 * The same with one answer changed at its end to what no longer can be is not.
 */
static void make_long(void)
{
	uint32_t state = HOLDER_FREE;
	for (int64_t i = 0; i < LONG_OPERATIONS; i++) {
		struct operation operation = { .begin_ns = 100 * i - random() % (50 * CLIENTS),
			.end_ns = 100 * i + random() % (50 * CLIENTS),
			.kind = random() % 50 == 0 ? (enum operation_kind)(1 + random() % 2) : OPERATION_READ };
		if (operation.kind == OPERATION_READ) {
			operation.holder = state != HOLDER_FREE && random() % 2 == 0 ? (uint32_t)HOLDER_ANY : state;
		} else {
			operation.holder = operation.kind == OPERATION_CANCEL && state != HOLDER_FREE
				? state
				: (uint32_t)(HOLDER_FIRST + random() % 1000);
			if (!step(&operation, &state))
				operation.outcome = OPERATION_REFUSED;
		}
		ck_assert(history_add(&history, &operation, &why));
	}
}

START_TEST(a_long_history_is_checked)
{
	srandom(2);
	history_slot(&history, "s", 1);
	make_long();
	ck_assert_uint_eq(history_check(&history, &finding, 1), 0);
	int64_t begin_ns = history.operations[history.count - 1].end_ns + 100 * CLIENTS;
	struct operation last[] = { { .begin_ns = begin_ns, .end_ns = begin_ns + 1, .holder = 5000000 } };
	ck_assert(history_add(&history, last, &why));
	ck_assert_uint_eq(history_check(&history, &finding, 1), 1);
	ck_assert_int_eq(finding.verdict, NOT_LINEARIZABLE);
	ck_assert_uint_eq(finding.line, LONG_OPERATIONS + 1);
}
END_TEST

/* Unknown bookings are the hard part: each may have been, and no name tells which. */
START_TEST(too_many_possible_orders_are_told)
{
	int64_t time_ns = 0;
	history_slot(&history, "s", 1);
	for (uint32_t i = 0; i < 2 * HISTORY_ORDERS_MAX; i++)
		ck_assert(history_add(&history,
			&(struct operation){ .begin_ns = time_ns++,
				.end_ns = INT64_MAX,
				.holder = HOLDER_FIRST + i,
				.kind = OPERATION_BOOK,
				.outcome = OPERATION_UNKNOWN },
			&why));
	ck_assert(history_add(&history,
		&(struct operation){ .begin_ns = time_ns, .end_ns = time_ns + 1, .holder = HOLDER_ANY }, &why));
	ck_assert_uint_eq(history_check(&history, &finding, 1), 1);
	ck_assert_int_eq(finding.verdict, UNDECIDED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("history");
	TCase *test_case = tcase_create("history");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, one_after_the_other);
	tcase_add_test(test_case, free_after_the_booking_was_answered);
	tcase_add_test(test_case, seen_taken_and_later_free);
	tcase_add_test(test_case, booked_twice);
	tcase_add_test(test_case, wrongly_refused);
	tcase_add_test(test_case, the_wrong_holder);
	tcase_add_test(test_case, an_unknown_outcome_is_either);
	tcase_add_test(test_case, a_finding_tells_what_was_possible);
	tcase_add_test(test_case, bad_lines_are_told);
	tcase_add_test(test_case, a_thousand_at_once);
	tcase_add_test(test_case, small_histories_agree_with_a_search_by_definition);
	tcase_add_test(test_case, a_long_history_is_checked);
	tcase_add_test(test_case, too_many_possible_orders_are_told);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
