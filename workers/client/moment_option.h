/* Points in time as people type them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* RFC 3339, or from now: "+90m", "+36h", "+3d". Microseconds since 1970. */
bool moment_option_read(const char *text, int64_t now_us, int64_t *time_us);
