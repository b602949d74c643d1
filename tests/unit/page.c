/* Pages: as many items as fit, whatever they are like. */
#include "page.h"

#include <string.h>

#include "events.h"
#include "run.h"

enum { ITEMS = 400, NOTE_BYTES = 1000 };

static char note[NOTE_BYTES + 1];
static struct hospital_blood_cancel items[ITEMS];

static size_t length_of(const struct hospital_blood_cancel *item)
{
	struct buffer text = { 0 };
	ck_assert(schema_write(&hospital_blood_cancel_schema, item, &text));
	size_t length = text.length_bytes;
	buffer_clear(&text);
	return length;
}

/* Each byte of the reason takes six in JSON. */
static void fill(size_t reason_bytes)
{
	memset(note, 1, reason_bytes);
	note[reason_bytes] = '\0';
	for (size_t i = 0; i < ITEMS; i++)
		items[i] = (struct hospital_blood_cancel){
			.request_id = "11111111-1111-4111-8111-111111111111",
			.reason = note,
		};
}

START_TEST(few_fit_all)
{
	fill(1);
	ck_assert_uint_eq(page_fit(&hospital_blood_cancel_schema, items, 0), 0);
	ck_assert_uint_eq(page_fit(&hospital_blood_cancel_schema, items, 1), 1);
	ck_assert_uint_eq(page_fit(&hospital_blood_cancel_schema, items, ITEMS), ITEMS);
}
END_TEST

START_TEST(of_many_as_many_as_fit)
{
	fill(500);
	size_t fit = page_fit(&hospital_blood_cancel_schema, items, ITEMS);
	size_t bytes = length_of(&items[0]) + 1;
	ck_assert_uint_eq(fit, PAGE_BODY_BYTES / bytes);
	ck_assert_uint_gt(fit, 1);
	ck_assert_uint_lt(fit, ITEMS);
}
END_TEST

/* Two lists of 200 units, each unit with all that may be said of it. */
START_TEST(one_that_is_too_long_goes_alone)
{
	static const char *antigens[32];
	static struct stored_unit units[200];
	struct bloodbank_unit_received lists[2] = {
		{ .bank_id = "bank-001", .units = units, .units_count = 200 }
	};
	fill(32);
	for (size_t i = 0; i < 32; i++)
		antigens[i] = note;
	for (size_t i = 0; i < 200; i++)
		units[i] = (struct stored_unit){
			.unit_id = "A999926000001-E0336-00",
			.din = "A999926000001",
			.product_code = "E0336",
			.division = "00",
			.component = COMPONENT_CRYO,
			.group = BLOOD_GROUP_A_POSITIVE,
			.initial_status = UNIT_STATUS_AVAILABLE,
			.antigens = antigens,
			.antigens_count = 32,
		};
	lists[1] = lists[0];
	ck_assert_uint_eq(page_fit(&bloodbank_unit_received_schema, lists, 2), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("page");
	TCase *tests = tcase_create("page");
	tcase_add_test(tests, few_fit_all);
	tcase_add_test(tests, of_many_as_many_as_fit);
	tcase_add_test(tests, one_that_is_too_long_goes_alone);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
