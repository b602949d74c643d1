/* Guards: each has a name, is on until it is switched off, and a wrong name is told. */
#include "guard.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

enum { EXIT_CONFIGURATION = 78, EXIT_CRASHED = 255 };

static int count_off(void)
{
	int count = 0;
	for (enum guard guard = 0; guard < GUARD_COUNT; guard++)
		count += !guard_is_on(guard);
	return count;
}

/* In a process of its own: how many are off with this environment, or its exit code. */
static int count_off_with(const char *text)
{
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		setenv("GUARD_OFF", text, 1);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		_exit(count_off());
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_CRASHED;
}

START_TEST(each_is_switched_off_alone)
{
	for (enum guard guard = 0; guard < GUARD_COUNT; guard++) {
		ck_assert_int_eq(count_off(), 0);
		guard_switch_off(guard);
		ck_assert(!guard_is_on(guard));
		ck_assert_int_eq(count_off(), 1);
		guard_switch_off(GUARD_COUNT);
	}
}
END_TEST

START_TEST(the_environment_names_them)
{
	ck_assert_int_eq(count_off_with(""), 0);
	ck_assert_int_eq(count_off_with("floor"), 1);
	ck_assert_int_eq(count_off_with("floor,lease,lease_shared"), 3);
	ck_assert_int_eq(count_off_with("flo"), EXIT_CONFIGURATION);
	ck_assert_int_eq(count_off_with("floor,,lease"), EXIT_CONFIGURATION);
	ck_assert_int_eq(count_off_with("floors"), EXIT_CONFIGURATION);
}
END_TEST

START_TEST(each_has_a_name_of_its_own)
{
	for (enum guard guard = 0; guard < GUARD_COUNT; guard++)
		for (enum guard other = 0; other < guard; other++)
			ck_assert_str_ne(guard_name(guard), guard_name(other));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guard");
	TCase *test_case = tcase_create("guard");
	tcase_add_test(test_case, each_is_switched_off_alone);
	tcase_add_test(test_case, the_environment_names_them);
	tcase_add_test(test_case, each_has_a_name_of_its_own);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
