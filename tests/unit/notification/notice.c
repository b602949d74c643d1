/* The id follows from the key; what happens to a notification happens once. */
#include "notice.h"

#include <string.h>

#include "run.h"

static const struct notice received = {
	.facility_id = "hospital-001",
	.role = "hospital",
	.entity = "request:11111111-1111-4111-8111-111111111111",
	.transition = "requested",
	.created_at = 1000,
};

/* Made by another program: UUIDv5 of the four parts, joined by NUL. It must never change: replays rest on it. */
START_TEST(the_id_is_the_one_that_was_always_given)
{
	struct arena arena;
	arena_init(&arena);
	ck_assert_str_eq(notice_id(&received, &arena), "5211a091-8142-5de7-9322-73fe12626d90");
	arena_clear(&arena);
}
END_TEST

START_TEST(each_part_of_the_key_makes_another_id)
{
	struct arena arena;
	arena_init(&arena);
	struct notice others[4] = { received, received, received, received };
	others[0].facility_id = "hospital-002";
	others[1].role = "supervisor";
	others[2].entity = "request:22222222-2222-4222-8222-222222222222";
	others[3].transition = "rejected";
	const char *id = notice_id(&received, &arena);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_ne(notice_id(&others[i], &arena), id);
	struct notice same = received;
	same.text = "other words";
	same.kind = "other_kind";
	same.created_at = 2000;
	ck_assert_str_eq(notice_id(&same, &arena), id);
	/* the parts are not just put side by side */
	struct notice shifted = received;
	shifted.facility_id = "hospital-001h";
	shifted.role = "ospital";
	ck_assert_str_ne(notice_id(&shifted, &arena), id);
	arena_clear(&arena);
}
END_TEST

START_TEST(it_is_delivered_once)
{
	struct notice notice = received;
	ck_assert_str_eq(notice_progress(&notice), "pending");
	ck_assert(notice_deliver(&notice, 2000));
	ck_assert(notice.is_changed);
	ck_assert(!notice_deliver(&notice, 3000));
	ck_assert_int_eq(notice.delivered_at, 2000);
	ck_assert_str_eq(notice_progress(&notice), "delivered");
}
END_TEST

START_TEST(the_first_acknowledgement_counts)
{
	struct notice notice = received;
	notice.escalate_at = 9000;
	ck_assert(notice_acknowledge(&notice, "nurse-1", 2000));
	ck_assert(!notice_acknowledge(&notice, "nurse-2", 3000));
	ck_assert_int_eq(notice.acknowledged_at, 2000);
	ck_assert_str_eq(notice.acknowledged_by, "nurse-1");
	ck_assert_int_eq(notice.escalate_at, 0);
	ck_assert_str_eq(notice_progress(&notice), "acknowledged");
}
END_TEST

START_TEST(the_version_counts_what_happened)
{
	struct notice notice = received;
	ck_assert_int_eq(notice_state(&notice).version, 1);
	ck_assert(!notice_state(&notice).has_delivered_at && !notice_state(&notice).has_acknowledged_at);
	notice_acknowledge(&notice, NULL, 2000);
	ck_assert_int_eq(notice_state(&notice).version, 2);
	notice_deliver(&notice, 3000);
	const struct notification_state state = notice_state(&notice);
	ck_assert_int_eq(state.version, 3);
	ck_assert(state.has_delivered_at && state.has_acknowledged_at);
	ck_assert_int_eq(state.at, 1000);
	ck_assert_int_eq(state.delivered_at, 3000);
	ck_assert_int_eq(state.acknowledged_at, 2000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notification notice");
	TCase *tests = tcase_create("notice");
	tcase_add_test(tests, the_id_is_the_one_that_was_always_given);
	tcase_add_test(tests, each_part_of_the_key_makes_another_id);
	tcase_add_test(tests, it_is_delivered_once);
	tcase_add_test(tests, the_first_acknowledgement_counts);
	tcase_add_test(tests, the_version_counts_what_happened);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
