/* What people read: as written here, and never what a person wrote. */
#include "wording.h"

#include <string.h>

#include "run.h"
#include "text.h"

#define REQUEST "11111111-1111-4111-8111-111111111111"

static struct arena arena;

static void open_arena(void)
{
	arena_init(&arena);
}

static void close_arena(void)
{
	arena_clear(&arena);
}

START_TEST(a_request)
{
	struct hospital_blood_requested requested = {
		.request_id = REQUEST,
		.component = COMPONENT_RED_CELLS,
		.group = BLOOD_GROUP_O_NEGATIVE,
		.quantity = 1,
		.urgency = URGENCY_EMERGENCY,
		.note = "for Jane Example",
		.requested_by = "dr-example",
	};
	ck_assert_str_eq(wording_requested(&requested, &arena),
		"Request received: 1 unit of red_cells O-, emergency. Request " REQUEST);
	requested.quantity = 2;
	ck_assert_ptr_nonnull(strstr(wording_requested(&requested, &arena), "2 units of"));
}
END_TEST

START_TEST(a_refusal)
{
	struct hospital_blood_refused refused = { .command = "hospital.blood.cancel",
		.reason = REQUEST_REFUSAL_WRONG_STATE };
	ck_assert_str_eq(wording_refused(&refused, &arena), "Refused: hospital.blood.cancel, wrong_state");
	refused.request_id = REQUEST;
	refused.detail = "it is issued";
	ck_assert_str_eq(wording_refused(&refused, &arena),
		"Refused: hospital.blood.cancel for request " REQUEST ", wrong_state: it is issued");
}
END_TEST

START_TEST(an_end)
{
	const struct hospital_blood_cancelled cancelled = {
		.request_id = REQUEST,
		.reason = "Jane Example went home",
		.cancelled_by = "nurse-1",
	};
	ck_assert_str_eq(wording_cancelled(&cancelled, &arena),
		"Request " REQUEST " was cancelled; what was not issued is free again");
	const struct hospital_request_updated updated = { .request_id = REQUEST };
	ck_assert_str_eq(wording_expired(&updated, &arena),
		"Request " REQUEST " expired: its units were not taken in time and are free again");
	const struct bloodbank_blood_rejected rejected = {
		.request_id = REQUEST,
		.reason = REJECTION_INSUFFICIENT_STOCK,
		.detail = "2 wanted, 1 there",
	};
	ck_assert_str_eq(wording_rejected(&rejected, &arena),
		"Request " REQUEST " is rejected, insufficient_stock: 2 wanted, 1 there");
}
END_TEST

#define SLOT \
	.slot_id = "dr-adams.20300304.0900", .zone = "Europe/London", .provider_id = "dr-adams", \
	.clinic_id = "clinic-001", .patient_ref = "patient-1"

START_TEST(an_appointment)
{
	const struct appointment_slot_booked booked = { SLOT, .appointment_id = REQUEST, .reason = "a cough" };
	ck_assert_str_eq(wording_booked(&booked, &arena),
		"Booked: 2030-03-04 09:00 (Europe/London), dr-adams at clinic-001. Appointment " REQUEST);
	const struct appointment_slot_cancelled cancelled = { SLOT, .appointment_id = REQUEST,
		.reason = "Jane is well" };
	ck_assert_str_eq(wording_appointment_cancelled(&cancelled, &arena),
		"Cancelled: 2030-03-04 09:00 (Europe/London), dr-adams at clinic-001. Appointment " REQUEST);
	const struct appointment_slot_moved moved = { SLOT, .appointment_id = REQUEST,
		.from_slot_id = "dr-adams.20291231.2345" };
	ck_assert_str_eq(wording_moved(&moved, &arena),
		"Moved: now 2030-03-04 09:00 (Europe/London), dr-adams at clinic-001; it was 2029-12-31 23:45. Appointment " REQUEST);
	const struct flagged_appointment flagged = {
		.slot_id = "dr-adams.20300304.0900", .clinic_id = "clinic-001", .appointment_id = REQUEST
	};
	ck_assert_str_eq(wording_flagged(&flagged, "dr-adams", &arena),
		"dr-adams is away on 2030-03-04 09:00, at clinic-001: move or cancel appointment " REQUEST);
}
END_TEST

START_TEST(an_offer)
{
	const struct appointment_slot_offered offered = { SLOT, .held_until = INT64_C(1780000000000000) };
	ck_assert_str_eq(wording_offered(&offered, &arena),
		"Offered: 2030-03-04 09:00 (Europe/London), dr-adams at clinic-001, kept until 2026-05-28T20:26:40Z. Book slot "
		"dr-adams.20300304.0900 to accept");
	const struct appointment_slot_offer_expired expired = {
		.slot_id = "dr-adams.20300304.0900", .provider_id = "dr-adams", .clinic_id = "clinic-001"
	};
	ck_assert_str_eq(wording_offer_expired(&expired, &arena),
		"The offer of 2030-03-04 09:00, dr-adams at clinic-001, is over; you stay on the waitlist");
}
END_TEST

START_TEST(an_approval_says_when_it_is_partial)
{
	struct bloodbank_blood_approved approved = {
		.request_id = REQUEST,
		.decision = DECISION_FULL,
		.quantity_requested = 4,
		.quantity_allocated = 4,
		.units_count = 3,
	};
	ck_assert_str_eq(wording_approved(&approved, &arena),
		"Request " REQUEST " is approved: 4 of 4 units reserved, 3 of them now");
	approved.decision = DECISION_PARTIAL;
	approved.quantity_allocated = 3;
	approved.backordered = 1;
	ck_assert_str_eq(wording_approved(&approved, &arena),
		"Request " REQUEST " is approved in part: 3 of 4 units reserved, 3 of them now; 1 is back-ordered");
}
END_TEST

START_TEST(an_alert)
{
	struct alert alert = {
		.level = "low",
		.component = COMPONENT_PLATELETS,
		.group = BLOOD_GROUP_AB_POSITIVE,
		.available = 1,
		.days_of_stock = 0.75,
		.has_days_of_stock = true,
		.threshold = 1,
		.is_in_days = true,
	};
	ck_assert_str_eq(wording_alert(&alert, &arena),
		"Stock low: AB+ platelets, 1 unit available, 0.8 days; the threshold is 1.0 days");
	alert.has_days_of_stock = false;
	alert.is_in_days = false;
	alert.available = 4;
	alert.threshold = 1e300;
	ck_assert_ptr_nonnull(strstr(wording_alert(&alert, &arena), "4 units available; the threshold is 1"));
	ck_assert_uint_le(strlen(wording_alert(&alert, &arena)), TEXT_MAX);
}
END_TEST

/* The longest that the contract lets through. */
START_TEST(a_hundred_units_fit)
{
	struct allocated_unit units[100];
	for (size_t i = 0; i < 100; i++)
		units[i] = (struct allocated_unit){ .unit_id = "A999926000001-ABCDEFGHIJKLMNOP-00",
			.bank_id = "bank-001",
			.component = COMPONENT_WHOLE_BLOOD,
			.group = BLOOD_GROUP_AB_POSITIVE };
	const struct bloodbank_blood_approved approved = {
		.request_id = REQUEST,
		.hospital_id = "hospital-of-sixty-four-characters-that-goes-on-until-it-is-full-",
		.units = units,
		.units_count = 100,
	};
	const char *text = wording_allocated(&approved, "bank-001", &arena);
	ck_assert_uint_le(strlen(text), TEXT_MAX);
	ck_assert_ptr_nonnull(strstr(text, units[0].unit_id));
	ck_assert_ptr_nonnull(strstr(text, " more"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notification wording");
	TCase *tests = tcase_create("wording");
	tcase_add_checked_fixture(tests, open_arena, close_arena);
	tcase_add_test(tests, a_request);
	tcase_add_test(tests, a_refusal);
	tcase_add_test(tests, an_end);
	tcase_add_test(tests, an_appointment);
	tcase_add_test(tests, an_offer);
	tcase_add_test(tests, an_approval_says_when_it_is_partial);
	tcase_add_test(tests, an_alert);
	tcase_add_test(tests, a_hundred_units_fit);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
