/* Crash points: each has a name, kills at the wanted passage, and a wrong name is told. */
#include "crash.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

enum { PASSAGES = 5, EXIT_CONFIGURATION = 78 };

/* Passes every point some times in a process of its own; returns its wait status. */
static int pass_all(const char *crash_at)
{
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		setenv("CRASH_AT", crash_at, 1);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		for (int passage = 0; passage < PASSAGES; passage++) {
			for (enum crash_point point = 0; point < CRASH_POINT_COUNT; point++)
				crash_point_pass(point);
		}
		_exit(0);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

static bool is_killed(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

START_TEST(names_differ)
{
	for (enum crash_point a = 0; a < CRASH_POINT_COUNT; a++) {
		ck_assert_ptr_nonnull(crash_point_name(a));
		for (enum crash_point b = 0; b < a; b++)
			ck_assert_str_ne(crash_point_name(a), crash_point_name(b));
	}
	ck_assert_str_eq(crash_point_name(CRASH_AFTER_COMMIT), "after_commit");
}
END_TEST

START_TEST(each_point_kills)
{
	for (enum crash_point point = 0; point < CRASH_POINT_COUNT; point++) {
		char crash_at[64];
		ck_assert(is_killed(pass_all(crash_point_name(point))));
		snprintf(crash_at, sizeof(crash_at), "%s:%d", crash_point_name(point), PASSAGES);
		ck_assert(is_killed(pass_all(crash_at)));
		snprintf(crash_at, sizeof(crash_at), "%s:%d", crash_point_name(point), PASSAGES + 1);
		ck_assert_int_eq(pass_all(crash_at), 0);
	}
}
END_TEST

START_TEST(without_a_plan_nothing_happens)
{
	ck_assert_int_eq(pass_all(""), 0);
}
END_TEST

START_TEST(a_file_arms_the_plan)
{
	setenv("CRASH_WHILE", "/nonexistent", 1);
	ck_assert_int_eq(pass_all("after_commit"), 0);
	setenv("CRASH_WHILE", "/dev/null", 1);
	ck_assert(is_killed(pass_all("after_commit")));
	unsetenv("CRASH_WHILE");
}
END_TEST

static int ask_before_each(const char *crash_at)
{
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		setenv("CRASH_AT", crash_at, 1);
		if (crash_point_is_next(CRASH_AFTER_COMMIT) || crash_point_is_next(CRASH_AFTER_PUBLISH))
			_exit(1);
		crash_point_pass(CRASH_AFTER_COMMIT);
		_exit(crash_point_is_next(CRASH_AFTER_COMMIT) && !crash_point_is_next(CRASH_AFTER_PUBLISH) ? 0 : 1);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

START_TEST(the_passage_before_the_last_is_known)
{
	ck_assert_int_eq(ask_before_each("after_commit:2"), 0);
	ck_assert_int_ne(ask_before_each("after_commit:3"), 0);
	setenv("CRASH_WHILE", "/nonexistent", 1);
	ck_assert_int_ne(ask_before_each("after_commit:2"), 0);
	unsetenv("CRASH_WHILE");
}
END_TEST

START_TEST(a_wrong_plan_is_a_fault)
{
	static const char *const wrong[] = { "after", "after_commit:", "after_commit:0", "after_commit:x",
		"after_commit:1x", "after_commit:-1", ":1", "after_commitment" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int status = pass_all(wrong[i]);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CONFIGURATION, "\"%s\" was taken",
			wrong[i]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crash");
	TCase *test_case = tcase_create("crash");
	tcase_set_timeout(test_case, 30);
	tcase_add_test(test_case, names_differ);
	tcase_add_test(test_case, each_point_kills);
	tcase_add_test(test_case, without_a_plan_nothing_happens);
	tcase_add_test(test_case, a_file_arms_the_plan);
	tcase_add_test(test_case, the_passage_before_the_last_is_known);
	tcase_add_test(test_case, a_wrong_plan_is_a_fault);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
