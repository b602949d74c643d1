/* Stock as others see it. PURE. */
#pragma once

#include <stdint.h>

#include "events.h"
#include "rules.h"

enum { DEMAND_DAYS = 28 };

/* What is known of one bank's stock of a component and group. */
struct stock_facts {
	const char *bank_id;
	enum component component;
	enum blood_group group;
	int64_t available, reserved, expiring_24h, version;
	int64_t undesignated;   /* of the available ones: for anyone */
	int64_t demand_28_days; /* units used in 28 days; 0: unknown */
	enum stock_level level; /* that people were last told of; 0: nothing yet */
};

struct stock_item stock_item(const struct rules *rules, const struct stock_facts *facts);

/* The same as an event. */
struct bloodbank_inventory_updated inventory_event(const struct stock_item *item);
