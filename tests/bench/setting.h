/* What the programs of the benches are told by their environment, and how they end when it is wrong. */
#pragma once

/* Says "PROGRAM: what: detail" on standard error and ends with 70. */
_Noreturn void fail(const char *what, const char *detail);

/* The variable's value; the program ends without it. */
const char *setting(const char *name);
