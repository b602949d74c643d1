/* Lists that others may ask for: requests page by page, and the hospital's own stock. */
#pragma once

#include "worker.h"

enum outcome answer_requests(const struct message *message, struct database *database,
	enum event *answer_event, const void **answer, struct why *why);

enum outcome answer_stock(const struct message *message, struct database *database, enum event *answer_event,
	const void **answer, struct why *why);
