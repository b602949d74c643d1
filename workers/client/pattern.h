/* PURE. Names of events as people write them: `hospital.*`, `*.blood.*`, `bloodbank.#`. */
#pragma once

#include <stdbool.h>

/* `*` and `#` stand for any characters, dots too, `?` for one; the rest for itself. */
bool pattern_matches(const char *pattern, const char *text);
