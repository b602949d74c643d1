/* Entries of the waitlist: what they want, and who comes first. */
#include "entry.h"

#include "clock.h"
#include "run.h"

static struct slot slot = { .date = "2026-12-01" }; /* at 09:00 in New York */

static const struct {
	const char *from, *to;
	bool wants;
} examples[] = {
	{ NULL, NULL, true },
	{ "2026-12-01", "2026-12-01", true },
	{ "2026-12-02", NULL, false },
	{ NULL, "2026-11-30", false },
	{ "2026-12-01T14:00:00Z", "2026-12-01T09:00:00-05:00", true },
	{ "2026-12-01T14:00:01Z", NULL, false },
	{ NULL, "2026-12-01T13:59:59Z", false },
	{ "2026-11-01", "2026-12-01T14:00:00Z", true },
};

START_TEST(what_they_want)
{
	const struct entry entry = { .from = examples[_i].from, .to = examples[_i].to };
	ck_assert(time_parse("2026-12-01T14:00:00Z", &slot.starts_at));
	ck_assert_int_eq(entry_wants(&entry, &slot), examples[_i].wants);
}
END_TEST

START_TEST(what_is_a_moment)
{
	struct moment moment;
	ck_assert(moment_read("2026-12-01", &moment) && moment.date != NULL);
	ck_assert(moment_read("2026-12-01T00:00:00+01:00", &moment) && moment.date == NULL);
	ck_assert(!moment_read("2026-02-30", &moment) && !moment_read("next monday", &moment));
}
END_TEST

START_TEST(who_comes_first)
{
	struct entry a = { .waitlist_id = "a", .joined_at = 2 }, b = { .waitlist_id = "b", .joined_at = 1 };
	ck_assert(!entry_precedes(&a, &b) && entry_precedes(&b, &a));
	a.priority = 1;
	ck_assert(entry_precedes(&a, &b) && !entry_precedes(&b, &a));
	b.priority = 1;
	b.joined_at = 2;
	ck_assert(entry_precedes(&a, &b) && !entry_precedes(&b, &a));
}
END_TEST

START_TEST(statuses_have_names)
{
	for (enum entry_status status = ENTRY_WAITING; status <= ENTRY_LEFT; status++)
		ck_assert_int_eq(entry_status_find(entry_status_name(status)), status);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("appointment entry");
	TCase *tests = tcase_create("entry");
	tcase_add_loop_test(tests, what_they_want, 0, sizeof(examples) / sizeof(examples[0]));
	tcase_add_test(tests, what_is_a_moment);
	tcase_add_test(tests, who_comes_first);
	tcase_add_test(tests, statuses_have_names);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
