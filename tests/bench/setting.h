/* What the programs of the benches are told by their environment, and how they end when it is wrong. */
#pragma once

/* Says what is wrong on standard error, behind the program's name, and ends with 70. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The variable's value; the program ends without it. */
const char *setting(const char *name);
