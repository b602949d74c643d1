/* Runs a suite of Check and writes TAP. */
#include "run.h"

#include <stdlib.h>

int run_suite(Suite *suite)
{
	/* Check's own 4 s fail on a busy machine; a test that hangs still ends. */
	setenv("CK_DEFAULT_TIMEOUT", "60", 0);
	SRunner *runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
