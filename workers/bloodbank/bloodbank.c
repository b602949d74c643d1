/*
 * The blood bank: central stock, unit by unit. It decides requests, reserves units for them, takes units in, and lets go what time
 * has ended. There is one allocator (allocation.h) and one place where stock is deducted (state_change_unit); every route and
 * timer leads through both.
 */
#include "bloodbank.h"

#include "bloodbank_queries.h"

const struct worker bloodbank = {
	.name = "bloodbank",
	.has_emergency_lane = true,
	.schema_version = 7,
	.routes = {
		{ HOSPITAL_BLOOD_REQUESTED, decide_requested, NULL },
		{ HOSPITAL_BLOOD_CANCELLED, decide_cancelled, NULL },
		{ BLOODBANK_UNIT_RECEIVE, decide_receive, refuse_receive },
		{ 0 },
	},
	.timers = {
		{ "scheduled requests due", SECONDS(5), load_due_requests, decide_due_requests, is_more_due },
		{ "reservations and units ending", SECONDS(2), load_due_units, decide_due_units, is_more_due },
		{ 0 },
	},
	.questions = {
		{ BLOODBANK_QUERY_STOCK, answer_stock },
		{ BLOODBANK_QUERY_UNIT, answer_unit },
		{ BLOODBANK_QUERY_UNITS, answer_units },
		{ 0 },
	},
	.views = {
		{ "stock", BLOODBANK_INVENTORY_UPDATED, read_stock_view },
		{ 0 },
	},
	.load = load_batch,
	.conclude = conclude_batch,
	.store = store_batch,
	.queries = bloodbank_queries,
};
