/* PURE. What may be seen of a thing before its owner has told of it. */
#pragma once

#include "route.h"

/* The guess at what `command` (JSON) makes; the caller frees it. */
char *guess_write(const struct guess *guess, const char *id, const char *command, size_t command_bytes);
