/* Appointments: whose they are, until when they can be changed, and how they are described. */
#include "booking.h"

#include <string.h>

#include "clock.h"
#include "run.h"

#define NOW INT64_C(1780000000000000)

static const struct {
	struct caller caller; /* by, facility, role, patient */
	bool is_theirs;
} callers[] = {
	{ { "p1", NULL, NULL, NULL }, true },
	{ { "p2", NULL, NULL, NULL }, false },
	{ { "clinic-001", NULL, NULL, NULL }, true },
	{ { NULL, NULL, NULL, NULL }, false },
	{ { "x", "clinic-001", NULL, NULL }, true },
	{ { "p1", "clinic-002", NULL, NULL }, false },
	{ { "x", NULL, "admin", NULL }, true },
	{ { "x", NULL, "reader", NULL }, false },
	{ { "x", NULL, NULL, "p1" }, true },
	{ { "p1", NULL, NULL, "p2" }, false },
	{ { "x", NULL, "admin", "p2" }, false },
	{ { "x", "clinic-002", "admin", NULL }, false },
	{ { "x", "clinic-002", NULL, "p1" }, true },
};

START_TEST(whose_it_is)
{
	const struct booking booking = { .patient_ref = "p1", .clinic_id = "clinic-001" };
	ck_assert_int_eq(booking_belongs_to(&booking, &callers[_i].caller), callers[_i].is_theirs);
}
END_TEST

START_TEST(until_when)
{
	const struct terms terms = { .cutoff_minutes = 60 };
	const struct booking booking = { .starts_at = NOW + HOURS_US(1) };
	ck_assert(!booking_is_cut_off(&booking, &terms, NOW));
	ck_assert(booking_is_cut_off(&booking, &terms, NOW + 1));
}
END_TEST

START_TEST(who_takes_up_time)
{
	struct booking booking = { .starts_at = 10, .ends_at = 20 };
	const struct slot slot = { .starts_at = 15, .ends_at = 25 };
	const bool expected[] = { true, true, true, false, false };
	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		booking.status = APPOINTMENT_STATUS_BOOKED + i;
		ck_assert_int_eq(booking_overlaps(&booking, &slot), expected[i]);
	}
}
END_TEST

/* The token proves a hold: it is stored nowhere else, and told nobody. */
START_TEST(what_was_asked_is_kept_without_the_secret)
{
	struct arena arena;
	arena_init(&arena);
	struct medicine_order order = { .medicine_id = "amox-500", .quantity = 21 };
	const struct appointment_slot_book command = { .slot_id = "dr-adams.20260301.0900",
		.patient_ref = "p1",
		.hold_token = "secret",
		.reason = "cough",
		.orders = &order,
		.orders_count = 1 };
	struct booking booking = { .appointment_id = "a", .patient_ref = "p1" };
	struct slot slot = { .slot_id = command.slot_id, .starts_at = NOW, .ends_at = NOW + 1, .version = 1 };
	struct appointment described;
	booking.content = booking_content(&command, &arena);
	ck_assert_ptr_null(strstr(booking.content, "secret"));
	booking_make(&booking, &slot, NOW);
	booking_describe(&booking, &arena, &described);
	ck_assert_str_eq(described.reason, "cough");
	ck_assert_uint_eq(described.orders_count, 1);
	ck_assert_str_eq(described.orders[0].medicine_id, "amox-500");
	ck_assert_str_eq(slot.appointment_id, "a");
	booking_cancel(&booking, &slot, "p1", "feels better", NOW);
	booking_describe(&booking, &arena, &described);
	ck_assert_str_eq(described.reason, "feels better");
	ck_assert_ptr_null(slot.appointment_id);
	ck_assert_int_eq(described.version, 2);
	arena_clear(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("appointment booking");
	TCase *tests = tcase_create("booking");
	tcase_add_loop_test(tests, whose_it_is, 0, sizeof(callers) / sizeof(callers[0]));
	tcase_add_test(tests, until_when);
	tcase_add_test(tests, who_takes_up_time);
	tcase_add_test(tests, what_was_asked_is_kept_without_the_secret);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
