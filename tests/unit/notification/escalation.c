/* An emergency that nobody acknowledged becomes a notification to the supervisor, about the first one. */
#include "escalation.h"

#include <string.h>

#include "run.h"
#include "text.h"

#define NOW INT64_C(1780000000000000)

static struct arena arena;

static void open_arena(void)
{
	arena_init(&arena);
}

static void close_arena(void)
{
	arena_clear(&arena);
}

static struct notice emergency(const char *text)
{
	return (struct notice){
		.notification_id = "5211a091-8142-5de7-9322-73fe12626d90",
		.facility_id = "bank-001",
		.role = "bank",
		.kind = "emergency_allocated",
		.is_emergency = true,
		.text = text,
		.correlation_id = "the workflow",
		.escalate_at = NOW,
		.is_there = true,
	};
}

START_TEST(it_is_due_from_its_moment_on)
{
	struct notice notice = emergency("x");
	ck_assert(!escalation_is_due(&notice, NOW - 1));
	ck_assert(escalation_is_due(&notice, NOW));
	notice.escalate_at = 0;
	ck_assert(!escalation_is_due(&notice, NOW));
	const struct notice unknown = { .notification_id = notice.notification_id };
	ck_assert(!escalation_is_due(&unknown, NOW));
}
END_TEST

START_TEST(the_supervisor_of_the_same_facility_is_told)
{
	const struct notice notice = emergency("These units");
	const struct notice *escalated = escalation_notice(&notice, &rules_default, NOW, &arena);
	ck_assert_str_eq(escalated->facility_id, "bank-001");
	ck_assert_str_eq(escalated->role, "supervisor");
	ck_assert_str_eq(escalated->entity, "notification:5211a091-8142-5de7-9322-73fe12626d90");
	ck_assert_str_eq(escalated->text, "Not acknowledged by role bank within 5 minutes: These units");
	ck_assert_str_eq(escalated->correlation_id, "the workflow");
	ck_assert(escalated->is_emergency);
	ck_assert_msg(escalated->escalate_at == 0, "an escalation does not escalate");
}
END_TEST

/* The id is asked for before the notification is read. */
START_TEST(the_id_follows_from_the_notifications_id_and_facility)
{
	const struct notice notice = emergency("These units");
	const struct notice bare = {
		.notification_id = notice.notification_id, .facility_id = "bank-001", .role = "", .text = ""
	};
	ck_assert_str_eq(escalation_notice(&bare, &rules_default, NOW, &arena)->notification_id,
		escalation_notice(&notice, &rules_default, NOW + 1, &arena)->notification_id);
}
END_TEST

START_TEST(the_longest_text_still_fits)
{
	char text[TEXT_MAX + 1];
	memset(text, 'x', TEXT_MAX);
	text[TEXT_MAX] = '\0';
	const struct notice notice = emergency(text);
	ck_assert_uint_eq(strlen(escalation_notice(&notice, &rules_default, NOW, &arena)->text), TEXT_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notification escalation");
	TCase *tests = tcase_create("escalation");
	tcase_add_checked_fixture(tests, open_arena, close_arena);
	tcase_add_test(tests, it_is_due_from_its_moment_on);
	tcase_add_test(tests, the_supervisor_of_the_same_facility_is_told);
	tcase_add_test(tests, the_id_follows_from_the_notifications_id_and_facility);
	tcase_add_test(tests, the_longest_text_still_fits);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
