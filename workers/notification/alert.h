/* A change of a stock's level, whichever of the three events told of it. */
#pragma once

#include "message.h"

struct alert {
	const char *level; /* "low", "critical" or "recovered" */
	const char *bank_id;
	enum component component;
	enum blood_group group;
	int64_t available; /* units */
	double days_of_stock;
	bool has_days_of_stock;
	double threshold;
	bool is_in_days;
	int64_t version; /* of the stock */
	int64_t at;
};

struct alert alert_of(const struct message *message);
