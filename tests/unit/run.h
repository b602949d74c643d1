/* What all test programs in C share: the run of one suite, told as TAP on standard output. */
#pragma once

#include <check.h>

/* Runs the suite and frees it; the program's exit code. */
int run_suite(Suite *suite);
