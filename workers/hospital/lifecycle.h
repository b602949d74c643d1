/* The status of a request, as it follows from the facts. */
#pragma once

#include "request.h"

enum { LIFECYCLE_SCHEDULE_HOURS = 48 }; /* a request needed later than this waits for its time */

enum request_status lifecycle_status(const struct request *request);

/* Whether there is something left to cancel, or it was cancelled before. */
bool lifecycle_may_be_cancelled(const struct request *request);
