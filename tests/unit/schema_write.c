/* Writing the contract's own bodies: bytes, checks, and what the generated functions know of each event. */
#include "events.h"

#include <math.h>
#include <string.h>

#include "run.h"

static struct arena arena;
static struct buffer out;

static void open_all(void)
{
	arena_init(&arena);
	buffer_init(&out);
}

static void close_all(void)
{
	arena_clear(&arena);
	buffer_clear(&out);
}

static struct hospital_blood_request good_request(void)
{
	return (struct hospital_blood_request){ .request_id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		.hospital_id = "hospital-001",
		.component = COMPONENT_RED_CELLS,
		.group = BLOOD_GROUP_AB_NEGATIVE,
		.quantity = 2,
		.urgency = URGENCY_EMERGENCY,
		.accept_partial = true };
}

START_TEST(absent_members_are_left_out)
{
	struct hospital_blood_request request = good_request();
	ck_assert(schema_write(&hospital_blood_request_schema, &request, &out));
	ck_assert_str_eq(buffer_text(&out),
		"{\"request_id\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\",\"hospital_id\":\"hospital-001\","
		"\"component\":\"red_cells\",\"group\":\"AB-\",\"quantity\":2,\"urgency\":\"emergency\",\"accept_partial\":true}");
}
END_TEST

START_TEST(what_is_there_is_written_in_schema_order)
{
	struct mother mother = { .group = BLOOD_GROUP_O_NEGATIVE };
	struct patient patient = { .ref = "p\"\\\n\x01\x7f\xc3\xa4", .has_age_days = true, .mother = &mother };
	const char *attributes[] = { "washed", "irradiated" };
	struct override overrides[] = { { .code = "rhd" } };
	struct hospital_blood_request request = good_request();
	request.patient = &patient;
	request.attributes = attributes;
	request.attributes_count = 2;
	request.overrides = overrides;
	request.overrides_count = 1;
	request.needed_at = 1500000;
	request.has_needed_at = true;
	request.note = "";
	ck_assert(schema_write(&hospital_blood_request_schema, &request, &out));
	ck_assert_ptr_nonnull(strstr(buffer_text(&out),
		"\"needed_at\":\"1970-01-01T00:00:01.500000Z\",\"attributes\":[\"washed\",\"irradiated\"],"
		"\"patient\":{\"ref\":\"p\\\"\\\\\\n\\u0001\x7f\xc3\xa4\",\"age_days\":0,\"mother\":{\"group\":\"O-\"}},"
		"\"accept_partial\":true,\"overrides\":[{\"code\":\"rhd\"}],\"note\":\"\"}"));
}
END_TEST

START_TEST(read_and_written_again_it_is_the_same)
{
	struct hospital_blood_request request = good_request();
	ck_assert(schema_write(&hospital_blood_request_schema, &request, &out));
	void *again = NULL;
	struct why why = { 0 };
	ck_assert(schema_read(&hospital_blood_request_schema, buffer_text(&out), out.length_bytes, &arena, &again,
		&why));
	struct buffer second;
	buffer_init(&second);
	ck_assert(schema_write(&hospital_blood_request_schema, again, &second));
	ck_assert_str_eq(buffer_text(&second), buffer_text(&out));
	buffer_clear(&second);
}
END_TEST

START_TEST(numbers_and_null)
{
	struct bloodbank_inventory_updated stock = {
		.bank_id = "bank-001", .component = COMPONENT_PLASMA, .group = BLOOD_GROUP_O_POSITIVE, .version = 1
	};
	ck_assert(schema_write(&bloodbank_inventory_updated_schema, &stock, &out));
	ck_assert_ptr_nonnull(strstr(buffer_text(&out), "\"days_of_stock\":null,\"version\":1"));
	static const struct {
		double number;
		const char *text;
	} examples[] = { { 0, ":0," }, { 0.1, ":0.1," }, { 1.0 / 3, ":0.3333333333333333," }, { 5, ":5," },
		{ 1e21, ":1e+21," } };
	stock.has_days_of_stock = true;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		buffer_reset(&out);
		stock.days_of_stock = examples[i].number;
		ck_assert(schema_write(&bloodbank_inventory_updated_schema, &stock, &out));
		ck_assert_msg(strstr(buffer_text(&out), examples[i].text) != NULL, "%s", buffer_text(&out));
	}
}
END_TEST

static void refuse(const struct schema *schema, const void *in, const char *reason)
{
	struct why why = { 0 };
	ck_assert(!schema_check(schema, in, &why));
	ck_assert_str_eq(why.text, reason);
	buffer_reset(&out);
	buffer_add_text(&out, "before");
	ck_assert(!schema_write(schema, in, &out));
	ck_assert_str_eq(buffer_text(&out), "before");
}

START_TEST(what_could_not_be_read_is_not_written)
{
	const struct schema *schema = &hospital_blood_request_schema;
	struct hospital_blood_request request = good_request();
	request.quantity = 101;
	refuse(schema, &request, "/quantity: 101 is above 100");
	request = good_request();
	request.hospital_id = NULL;
	refuse(schema, &request, "/hospital_id: is missing");
	request = good_request();
	request.hospital_id = "Hospital";
	refuse(schema, &request, "/hospital_id: 'Hospital' has not the form it must have");
	request = good_request();
	request.component = COMPONENT_NONE;
	refuse(schema, &request, "/component: is missing");
	request.component = (enum component)99;
	refuse(schema, &request, "/component: 99 is no value");
	request = good_request();
	request.request_id = "6BA7B810-9DAD-11D1-80B4-00C04FD430C8";
	refuse(schema, &request, "/request_id: '6BA7B810-9DAD-11D1-80B4-00C04FD430C8' is not a uuid");
	request = good_request();
	request.has_needed_at = true;
	request.needed_at = INT64_MAX;
	refuse(schema, &request, "/needed_at: is outside of the years 1 to 9999");
	struct override overrides[17] = { 0 };
	request = good_request();
	request.overrides = overrides;
	request.overrides_count = 1;
	refuse(schema, &request, "/overrides/0/code: is missing");
}
END_TEST

START_TEST(limits_hold_when_writing_too)
{
	const char *attributes[17];
	for (size_t i = 0; i < 17; i++)
		attributes[i] = "washed";
	struct hospital_blood_request request = good_request();
	request.attributes = attributes;
	request.attributes_count = 17;
	refuse(&hospital_blood_request_schema, &request, "/attributes: 17 items, at most 16 are allowed");
	struct bloodbank_inventory_updated stock = { .bank_id = "bank-001",
		.component = COMPONENT_PLASMA,
		.group = BLOOD_GROUP_UNKNOWN,
		.version = 1,
		.has_days_of_stock = true };
	refuse(&bloodbank_inventory_updated_schema, &stock, "/group: 'unknown' is not allowed here");
	stock.group = BLOOD_GROUP_A_NEGATIVE;
	stock.days_of_stock = (double)NAN;
	refuse(&bloodbank_inventory_updated_schema, &stock, "/days_of_stock: is not a number");
	struct bloodbank_blood_approved approved = { .request_id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		.hospital_id = "h",
		.decision = DECISION_REJECTED,
		.allocation_no = 1,
		.rules_version = "1" };
	refuse(&bloodbank_blood_approved_schema, &approved, "/decision: 'rejected' is not allowed here");
}
END_TEST

START_TEST(events_are_found_by_name)
{
	for (enum event event = EVENT_NONE + 1; event < EVENT_COUNT; event++) {
		const struct event_type *type = event_type(event);
		ck_assert_int_eq(event_find(type->name), event);
		ck_assert_uint_eq(type->size, type->schema->size_bytes);
		ck_assert_int_ge(type->schema_version, 1);
	}
	ck_assert_int_eq(event_find("hospital.blood.requests"), EVENT_NONE);
	ck_assert_int_eq(event_find(""), EVENT_NONE);
	ck_assert_int_eq(event_find(NULL), EVENT_NONE);
	ck_assert_ptr_null(event_type(EVENT_NONE));
	ck_assert_ptr_null(event_type(EVENT_COUNT));
}
END_TEST

START_TEST(events_know_their_id_lane_and_urgency)
{
	struct hospital_blood_request request = good_request();
	ck_assert_str_eq(event_id(HOSPITAL_BLOOD_REQUEST, &request), request.request_id);
	ck_assert_int_eq(event_urgency(HOSPITAL_BLOOD_REQUEST, &request), URGENCY_EMERGENCY);
	request.request_id = NULL;
	ck_assert_ptr_null(event_id(HOSPITAL_BLOOD_REQUEST, &request));
	struct bloodbank_unit_expired expired = { .unit_id = "x" };
	ck_assert_ptr_null(event_id(BLOODBANK_UNIT_EXPIRED, &expired));
	ck_assert_int_eq(event_urgency(BLOODBANK_UNIT_EXPIRED, &expired), URGENCY_NONE);
	ck_assert(event_type(BLOODBANK_BLOOD_APPROVED)->has_emergency_lane);
	ck_assert(!event_type(BLOODBANK_UNIT_RECEIVE)->has_emergency_lane);
	ck_assert(event_type(BLOODBANK_UNIT_RECEIVE)->mandatory);
	ck_assert(!event_type(BLOODBANK_UNIT_RECEIVED)->mandatory);
	ck_assert(event_type(HOSPITAL_REQUEST_ANSWERED)->is_answer);
	ck_assert_str_eq(event_type(HOSPITAL_QUERY_REQUEST)->exchange, "questions");
}
END_TEST

START_TEST(names_of_enums)
{
	ck_assert_str_eq(blood_group_name(BLOOD_GROUP_AB_POSITIVE), "AB+");
	ck_assert_ptr_null(blood_group_name(BLOOD_GROUP_NONE));
	ck_assert_ptr_null(blood_group_name((enum blood_group)99));
	ck_assert_int_eq(blood_group_find("O-"), BLOOD_GROUP_O_NEGATIVE);
	ck_assert_int_eq(blood_group_find("o-"), BLOOD_GROUP_NONE);
	ck_assert_int_eq(component_find("whole_blood"), COMPONENT_WHOLE_BLOOD);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("schema_write");
	TCase *tests = tcase_create("all");
	tcase_add_checked_fixture(tests, open_all, close_all);
	tcase_add_test(tests, absent_members_are_left_out);
	tcase_add_test(tests, what_is_there_is_written_in_schema_order);
	tcase_add_test(tests, read_and_written_again_it_is_the_same);
	tcase_add_test(tests, numbers_and_null);
	tcase_add_test(tests, what_could_not_be_read_is_not_written);
	tcase_add_test(tests, limits_hold_when_writing_too);
	tcase_add_test(tests, events_are_found_by_name);
	tcase_add_test(tests, events_know_their_id_lane_and_urgency);
	tcase_add_test(tests, names_of_enums);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return run_suite(make_suite());
}
