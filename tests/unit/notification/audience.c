/* Who is told, of which entity, by which transition. */
#include "audience.h"

#include <string.h>

#include "run.h"

#define NOW INT64_C(1780000000000000)
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

static const struct notice *tell(enum event event, const void *body)
{
	const struct message message = {
		.event = event,
		.body = body,
		.message_id = "aaaaaaaa-0000-4000-8000-000000000001",
		.correlation_id = "the workflow",
		.traceparent = "the trace",
		.now = NOW,
		.arena = &arena,
	};
	return audience_notices(&message, &rules_default);
}

static const struct hospital_blood_requested requested = {
	.request_id = REQUEST,
	.hospital_id = "hospital-001",
	.component = COMPONENT_RED_CELLS,
	.group = BLOOD_GROUP_O_NEGATIVE,
	.quantity = 2,
	.urgency = URGENCY_EMERGENCY,
};

START_TEST(a_fact_becomes_a_notification)
{
	const struct notice *notice = tell(HOSPITAL_BLOOD_REQUESTED, &requested);
	ck_assert_str_eq(notice->facility_id, "hospital-001");
	ck_assert_str_eq(notice->role, "hospital");
	ck_assert_str_eq(notice->kind, "request_received");
	ck_assert_str_eq(notice->entity, "request:" REQUEST);
	ck_assert_str_eq(notice->transition, "requested");
	ck_assert_str_eq(notice->notification_id, notice_id(notice, &arena));
	ck_assert_str_eq(notice->correlation_id, "the workflow");
	ck_assert_str_eq(notice->traceparent, "the trace");
	ck_assert_int_eq(notice->created_at, NOW);
	ck_assert(notice->is_emergency);
	ck_assert_int_eq(notice->escalate_at, NOW + rules_default.acknowledge_within_us);
	ck_assert(!notice->is_there && notice->next == NULL);
}
END_TEST

START_TEST(what_is_no_emergency_never_escalates)
{
	struct hospital_blood_requested calm = requested;
	calm.urgency = URGENCY_URGENT;
	const struct notice *notice = tell(HOSPITAL_BLOOD_REQUESTED, &calm);
	ck_assert(!notice->is_emergency);
	ck_assert_int_eq(notice->escalate_at, 0);
}
END_TEST

START_TEST(what_happened_before_all_that_is_kept_is_history)
{
	struct hospital_blood_requested old = requested;
	old.has_requested_at = true;
	old.requested_at = NOW - rules_default.kept_us;
	ck_assert_ptr_nonnull(tell(HOSPITAL_BLOOD_REQUESTED, &old));
	old.requested_at--;
	ck_assert_ptr_null(tell(HOSPITAL_BLOOD_REQUESTED, &old));
}
END_TEST

START_TEST(an_event_that_concerns_nobody_tells_nothing)
{
	ck_assert_ptr_null(tell(BLOODBANK_INVENTORY_UPDATED,
		&(struct bloodbank_inventory_updated){ .bank_id = "b" }));
	ck_assert_ptr_null(tell(HOSPITAL_BLOOD_CANCELLED,
		&(struct hospital_blood_cancelled){ .request_id = REQUEST }));
	ck_assert_ptr_null(tell(HOSPITAL_REQUEST_UPDATED,
		&(struct hospital_request_updated){ .request_id = REQUEST, .status = REQUEST_STATUS_EXPIRED }));
}
END_TEST

/* A command that was refused before it named a request is an entity of its own. */
START_TEST(each_refused_command_is_told)
{
	struct hospital_blood_refused refused = {
		.hospital_id = "hospital-001",
		.command = "hospital.blood.request",
		.causation = "aaaaaaaa-0000-4000-8000-000000000002",
		.reason = REQUEST_REFUSAL_UNKNOWN_FACILITY,
	};
	const struct notice *first = tell(HOSPITAL_BLOOD_REFUSED, &refused);
	ck_assert_str_eq(first->entity, "command:aaaaaaaa-0000-4000-8000-000000000002");
	ck_assert_str_eq(first->transition, "refused:aaaaaaaa-0000-4000-8000-000000000002");
	refused.request_id = REQUEST;
	const struct notice *second = tell(HOSPITAL_BLOOD_REFUSED, &refused);
	ck_assert_str_eq(second->entity, "request:" REQUEST);
	refused.causation = "aaaaaaaa-0000-4000-8000-000000000003";
	ck_assert_str_ne(tell(HOSPITAL_BLOOD_REFUSED, &refused)->notification_id, second->notification_id);
}
END_TEST

START_TEST(each_bank_of_an_emergency_hears_of_its_own_units)
{
	struct allocated_unit units[] = {
		{ .unit_id = "A999926000001-RC01-00",
			.bank_id = "bank-001",
			.component = COMPONENT_RED_CELLS,
			.group = BLOOD_GROUP_O_NEGATIVE },
		{ .unit_id = "A999926000002-RC01-00",
			.bank_id = "bank-002",
			.component = COMPONENT_RED_CELLS,
			.group = BLOOD_GROUP_O_NEGATIVE },
		{ .unit_id = "A999926000003-RC01-00",
			.bank_id = "bank-001",
			.component = COMPONENT_RED_CELLS,
			.group = BLOOD_GROUP_O_NEGATIVE },
	};
	struct bloodbank_blood_approved approved = {
		.request_id = REQUEST,
		.hospital_id = "hospital-001",
		.urgency = URGENCY_EMERGENCY,
		.decision = DECISION_FULL,
		.allocation_no = 2,
		.quantity_requested = 3,
		.quantity_allocated = 3,
		.units = units,
		.units_count = 3,
		.decided_at = NOW,
	};
	const struct notice *hospital = tell(BLOODBANK_BLOOD_APPROVED, &approved);
	const struct notice *first = hospital->next, *second = first->next;
	ck_assert_ptr_null(second->next);
	ck_assert_str_eq(hospital->transition, "approved:2");
	ck_assert_str_eq(first->facility_id, "bank-001");
	ck_assert_str_eq(first->role, "bank");
	ck_assert_str_eq(first->transition, "approved:2");
	ck_assert_ptr_nonnull(strstr(first->text, units[0].unit_id));
	ck_assert_ptr_null(strstr(first->text, units[1].unit_id));
	ck_assert_ptr_nonnull(strstr(first->text, units[2].unit_id));
	ck_assert_str_eq(second->facility_id, "bank-002");
	approved.urgency = URGENCY_ROUTINE;
	ck_assert_ptr_null(tell(BLOODBANK_BLOOD_APPROVED, &approved)->next);
}
END_TEST

START_TEST(an_alert_is_a_transition_of_its_shelf)
{
	const struct bloodbank_stock_critical critical = {
		.bank_id = "bank-001",
		.component = COMPONENT_PLATELETS,
		.group = BLOOD_GROUP_AB_POSITIVE,
		.version = 17,
		.at = NOW,
	};
	const struct notice *notice = tell(BLOODBANK_STOCK_CRITICAL, &critical);
	ck_assert_str_eq(notice->entity, "stock:bank-001/platelets/AB+");
	ck_assert_str_eq(notice->transition, "critical:17");
	ck_assert_str_eq(notice->kind, "stock_critical");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notification audience");
	TCase *tests = tcase_create("audience");
	tcase_add_checked_fixture(tests, open_arena, close_arena);
	tcase_add_test(tests, a_fact_becomes_a_notification);
	tcase_add_test(tests, what_is_no_emergency_never_escalates);
	tcase_add_test(tests, what_happened_before_all_that_is_kept_is_history);
	tcase_add_test(tests, an_event_that_concerns_nobody_tells_nothing);
	tcase_add_test(tests, each_refused_command_is_told);
	tcase_add_test(tests, each_bank_of_an_emergency_hears_of_its_own_units);
	tcase_add_test(tests, an_alert_is_a_transition_of_its_shelf);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
