/* Acknowledgements: prefixes by one `multiple`, single ones beyond a gap, each tag said once, and random orders against a plain model. */
#include "acks.h"

#include <stdlib.h>
#include <string.h>

#include "run.h"

enum { INCARNATION = 7, ROUNDS = 50, TAGS = 60 };

static struct acks acks;

static void set_up(void)
{
	acks_reset(&acks, INCARNATION);
}

static void deliver(uint64_t count)
{
	uint64_t first = acks.next;
	for (uint64_t tag = first; tag < first + count; tag++)
		ck_assert(acks_add(&acks, INCARNATION, tag));
}

static void check_next(uint64_t tag, bool is_multiple)
{
	struct ack ack;
	ck_assert(acks_take(&acks, &ack));
	ck_assert_uint_eq(ack.tag, tag);
	ck_assert_int_eq(ack.is_multiple, is_multiple);
}

static void check_nothing_left(void)
{
	struct ack ack;
	ck_assert(!acks_take(&acks, &ack));
}

static uint64_t outstanding(void)
{
	return acks.next - acks.first;
}

START_TEST(a_finished_batch_is_said_at_once)
{
	deliver(5);
	check_nothing_left();
	for (uint64_t tag = 1; tag <= 5; tag++)
		acks_finish(&acks, INCARNATION, tag);
	check_next(5, true);
	check_nothing_left();
	ck_assert_uint_eq(outstanding(), 0);
}
END_TEST

START_TEST(one_alone_is_said_alone)
{
	deliver(2);
	acks_finish(&acks, INCARNATION, 1);
	check_next(1, false);
	ck_assert_uint_eq(outstanding(), 1);
}
END_TEST

START_TEST(beyond_a_gap_each_is_said_alone)
{
	deliver(6);
	acks_finish(&acks, INCARNATION, 3);
	acks_finish(&acks, INCARNATION, 5);
	check_next(3, false);
	check_next(5, false);
	check_nothing_left();
	ck_assert_uint_eq(outstanding(), 6);
}
END_TEST

/* Those that wait ride together: what was a gap when it finished may be none when it is said. */
START_TEST(the_longer_they_wait_the_fewer_they_are)
{
	static const uint64_t order[] = { 3, 1, 5, 2 };
	deliver(6);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		acks_finish(&acks, INCARNATION, order[i]);
	acks_finish(&acks, INCARNATION, 2);
	ck_assert_uint_eq(acks.finished, 4);
	check_next(3, true);
	check_next(5, false);
	check_nothing_left();
	ck_assert_uint_eq(acks.finished, 0);
}
END_TEST

/* A `multiple` above a tag that was said alone is right; a second ack of that tag itself would end the channel. */
START_TEST(what_was_said_alone_is_not_named_again)
{
	deliver(3);
	acks_finish(&acks, INCARNATION, 3);
	check_next(3, false);
	acks_finish(&acks, INCARNATION, 1);
	acks_finish(&acks, INCARNATION, 2);
	check_next(2, true);
	ck_assert_uint_eq(outstanding(), 0);
	check_nothing_left();
}
END_TEST

START_TEST(only_said_ones_need_no_prefix)
{
	deliver(2);
	acks_finish(&acks, INCARNATION, 2);
	check_next(2, false);
	acks_finish(&acks, INCARNATION, 1);
	check_next(1, false);
	check_nothing_left();
	ck_assert_uint_eq(outstanding(), 0);
}
END_TEST

START_TEST(other_channels_and_strange_tags_do_nothing)
{
	deliver(2);
	acks_finish(&acks, INCARNATION - 1, 1);
	acks_finish(&acks, INCARNATION, 0);
	acks_finish(&acks, INCARNATION, 3);
	check_nothing_left();
	ck_assert(!acks_add(&acks, INCARNATION - 1, 3));
	ck_assert(!acks_add(&acks, INCARNATION, 2));
	ck_assert(!acks_add(&acks, INCARNATION, 4));
	ck_assert(acks_add(&acks, INCARNATION, 3));
}
END_TEST

START_TEST(there_is_a_limit_and_room_again)
{
	deliver(ACKS_MAX);
	ck_assert(!acks_add(&acks, INCARNATION, ACKS_MAX + 1));
	acks_finish(&acks, INCARNATION, 1);
	check_next(1, false);
	ck_assert(acks_add(&acks, INCARNATION, ACKS_MAX + 1));
	ck_assert_uint_eq(outstanding(), ACKS_MAX);
}
END_TEST

START_TEST(a_new_channel_starts_from_nothing)
{
	deliver(3);
	acks_finish(&acks, INCARNATION, 1);
	acks_reset(&acks, INCARNATION + 1);
	check_nothing_left();
	ck_assert_uint_eq(outstanding(), 0);
	ck_assert(acks_add(&acks, INCARNATION + 1, 1));
}
END_TEST

/* What the broker remembers: each tag must be acknowledged exactly once, and never before it is finished. */
struct model {
	bool is_finished[TAGS + 1], is_acknowledged[TAGS + 1];
};

static void say(struct model *model, const struct ack *ack)
{
	ck_assert_msg(!model->is_acknowledged[ack->tag], "tag %u is named twice", (unsigned)ack->tag);
	for (uint64_t tag = ack->is_multiple ? 1 : ack->tag; tag <= ack->tag; tag++) {
		ck_assert_msg(model->is_finished[tag], "tag %u was not finished", (unsigned)tag);
		model->is_acknowledged[tag] = true;
	}
}

static void say_all(struct model *model)
{
	struct ack ack;
	while (acks_take(&acks, &ack))
		say(model, &ack);
}

static void finish_some(struct model *model)
{
	size_t count = 1 + (size_t)(random() % 8);
	for (size_t i = 0; i < count; i++) {
		uint64_t tag = 1 + (uint64_t)(random() % TAGS);
		model->is_finished[tag] = true;
		acks_finish(&acks, INCARNATION, tag);
	}
	if (random() % 2 == 0)
		say_all(model);
}

static size_t count_open(const struct model *model)
{
	size_t open = 0;
	for (size_t tag = 1; tag <= TAGS; tag++)
		open += !model->is_finished[tag];
	return open;
}

static void check_all_said(const struct model *model)
{
	for (size_t tag = 1; tag <= TAGS; tag++)
		ck_assert_msg(model->is_acknowledged[tag], "tag %u is forgotten", (unsigned)tag);
	ck_assert_uint_eq(outstanding(), 0);
}

START_TEST(any_order_acknowledges_each_once)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct model model = { .is_finished = { false } };
		srandom(round);
		acks_reset(&acks, INCARNATION);
		deliver(TAGS);
		do
			finish_some(&model);
		while (count_open(&model) > 0);
		say_all(&model);
		check_all_said(&model);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("acks");
	TCase *test_case = tcase_create("acks");
	tcase_add_checked_fixture(test_case, set_up, NULL);
	tcase_add_test(test_case, a_finished_batch_is_said_at_once);
	tcase_add_test(test_case, one_alone_is_said_alone);
	tcase_add_test(test_case, beyond_a_gap_each_is_said_alone);
	tcase_add_test(test_case, the_longer_they_wait_the_fewer_they_are);
	tcase_add_test(test_case, what_was_said_alone_is_not_named_again);
	tcase_add_test(test_case, only_said_ones_need_no_prefix);
	tcase_add_test(test_case, other_channels_and_strange_tags_do_nothing);
	tcase_add_test(test_case, there_is_a_limit_and_room_again);
	tcase_add_test(test_case, a_new_channel_starts_from_nothing);
	tcase_add_test(test_case, any_order_acknowledges_each_once);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
