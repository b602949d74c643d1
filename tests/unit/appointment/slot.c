/* Who can have a slot, as a table: its state, who asks with what, the answer. */
#include "slot.h"

#include "clock.h"
#include "run.h"

#define NOW INT64_C(1780000000000000)
#define START (NOW + DAYS_US(1))
#define HELD(until, for) .held_until = NOW + (until), .held_for = (for)

static const struct terms terms = { .horizon_days = 90, .notice_minutes = 60, .cutoff_minutes = 60 };

static const struct {
	const char *name;
	struct slot slot;
	struct claim claim;
	enum appointment_refusal reason;
} claims[] = {
	{ "free", { .starts_at = START }, { "p1", NULL }, APPOINTMENT_REFUSAL_NONE },
	{ "booked", { .starts_at = START, .appointment_id = "a" }, { "p1", NULL }, APPOINTMENT_REFUSAL_TAKEN },
	{ "blocked", { .starts_at = START, .is_blocked = true }, { "p1", NULL }, APPOINTMENT_REFUSAL_BLOCKED },
	{ "begun", { .starts_at = NOW }, { "p1", NULL }, APPOINTMENT_REFUSAL_TOO_LATE },
	{ "too near", { .starts_at = NOW + HOURS_US(1) - 1 }, { "p1", NULL }, APPOINTMENT_REFUSAL_TOO_LATE },
	{ "just in time", { .starts_at = NOW + HOURS_US(1) }, { "p1", NULL }, APPOINTMENT_REFUSAL_NONE },
	{ "on the horizon", { .starts_at = NOW + DAYS_US(90) }, { "p1", NULL }, APPOINTMENT_REFUSAL_NONE },
	{ "beyond it", { .starts_at = NOW + DAYS_US(90) + 1 }, { "p1", NULL },
		APPOINTMENT_REFUSAL_BEYOND_HORIZON },
	{ "held, no token", { .starts_at = START, HELD(1, "p1"), .hold_token = "t" }, { "p1", NULL },
		APPOINTMENT_REFUSAL_HELD },
	{ "held, its token", { .starts_at = START, HELD(1, "p1"), .hold_token = "t" }, { "p1", "t" },
		APPOINTMENT_REFUSAL_NONE },
	{ "held, another token", { .starts_at = START, HELD(1, "p1"), .hold_token = "t" }, { "p1", "u" },
		APPOINTMENT_REFUSAL_NOT_OWNER },
	{ "held, another patient", { .starts_at = START, HELD(1, "p1"), .hold_token = "t" }, { "p2", "t" },
		APPOINTMENT_REFUSAL_NOT_OWNER },
	{ "over, its token", { .starts_at = START, HELD(0, "p1"), .hold_token = "t" }, { "p1", "t" },
		APPOINTMENT_REFUSAL_HOLD_EXPIRED },
	{ "over, another comes", { .starts_at = START, HELD(0, "p1"), .hold_token = "t" }, { "p2", NULL },
		APPOINTMENT_REFUSAL_NONE },
	{ "ended, its token", { .starts_at = START, .hold_token = "t" }, { "p1", "t" },
		APPOINTMENT_REFUSAL_HOLD_EXPIRED },
	{ "offered", { .starts_at = START, HELD(1, "p1"), .waitlist_id = "w" }, { "p1", NULL },
		APPOINTMENT_REFUSAL_NONE },
	{ "offered to another", { .starts_at = START, HELD(1, "p1"), .waitlist_id = "w" }, { "p2", NULL },
		APPOINTMENT_REFUSAL_HELD },
	{ "offered, any token", { .starts_at = START, HELD(1, "p1"), .waitlist_id = "w" }, { "p2", "t" },
		APPOINTMENT_REFUSAL_NOT_OWNER },
	{ "offer over", { .starts_at = START, HELD(0, "p1"), .waitlist_id = "w" }, { "p1", NULL },
		APPOINTMENT_REFUSAL_HOLD_EXPIRED },
	{ "offer over: the next in the list comes first",
		{ .starts_at = START, HELD(0, "p1"), .waitlist_id = "w" }, { "p2", NULL }, APPOINTMENT_REFUSAL_HELD },
};

START_TEST(each_claim)
{
	enum appointment_refusal reason = slot_refusal(&claims[_i].slot, &terms, &claims[_i].claim, NOW);
	ck_assert_msg(reason == claims[_i].reason, "%s: %s instead of %s", claims[_i].name,
		appointment_refusal_name(reason), appointment_refusal_name(claims[_i].reason));
}
END_TEST

START_TEST(a_release_needs_the_token_in_time)
{
	struct slot slot = { HELD(1, "p1"), .hold_token = "t" };
	ck_assert_int_eq(slot_release_refusal(&slot, "t", NOW), APPOINTMENT_REFUSAL_NONE);
	ck_assert_int_eq(slot_release_refusal(&slot, "u", NOW), APPOINTMENT_REFUSAL_NOT_OWNER);
	ck_assert_int_eq(slot_release_refusal(&slot, "t", NOW + 1), APPOINTMENT_REFUSAL_HOLD_EXPIRED);
	slot_end_hold(&slot);
	ck_assert_int_eq(slot_release_refusal(&slot, "t", NOW), APPOINTMENT_REFUSAL_HOLD_EXPIRED);
	ck_assert_int_eq(slot_release_refusal(&slot, "u", NOW), APPOINTMENT_REFUSAL_WRONG_STATE);
}
END_TEST

START_TEST(every_change_raises_the_version_and_is_listed)
{
	struct slot slot = { .version = 1 };
	slot_hold(&slot, "p1", NOW, "t", NULL);
	ck_assert_int_eq(slot_state(&slot), SLOT_STATE_HELD);
	slot_take(&slot, "a");
	ck_assert_int_eq(slot_state(&slot), SLOT_STATE_BOOKED);
	ck_assert(slot.held_until == 0 && slot.held_for == NULL);
	slot_block(&slot);
	ck_assert_int_eq(slot_state(&slot), SLOT_STATE_BOOKED);
	slot_leave(&slot);
	ck_assert_int_eq(slot_state(&slot), SLOT_STATE_BLOCKED);
	ck_assert_int_eq(slot.version, 5);
	ck_assert(slot.is_changed && slot.is_listed_anew);
}
END_TEST

START_TEST(intervals_are_half_open)
{
	const struct slot slot = { .starts_at = 10, .ends_at = 20 };
	ck_assert(!slot_overlaps(&slot, 0, 10) && !slot_overlaps(&slot, 20, 30));
	ck_assert(slot_overlaps(&slot, 0, 11) && slot_overlaps(&slot, 19, 30) && slot_overlaps(&slot, 12, 13));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("appointment slot");
	TCase *tests = tcase_create("slot");
	tcase_add_loop_test(tests, each_claim, 0, sizeof(claims) / sizeof(claims[0]));
	tcase_add_test(tests, a_release_needs_the_token_in_time);
	tcase_add_test(tests, every_change_raises_the_version_and_is_listed);
	tcase_add_test(tests, intervals_are_half_open);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
