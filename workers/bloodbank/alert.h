/*
 * Stock alerts. PURE.
 *
 * A shelf is normal, low or critical, by the units on it and, where the demand is known, by the days that they last; the worse
 * of both counts. People are told when it gets worse than they were told last, once, however often units are taken from then
 * on, and once when it is normal again. What fell below a limit is back only at 1.1 times the limit, so that a shelf at the
 * edge does not raise an alert at every second request; from critical back to low nothing is told.
 *
 * A shelf that is filled for the first time has to be normal once, or units must be taken from it, before anything is told: a
 * new bank would begin with an alert for every shelf, and with news that each has recovered.
 */
#pragma once

#include "inventory.h"
#include "rules.h"

struct alert {
	enum event event;       /* low, critical, recovered; 0: nothing is told */
	enum stock_level level; /* to be remembered as told; 0: nothing yet */
	double threshold;       /* the limit that was passed: of days or units */
	bool is_in_days;
};

/* The level as it is shown. Never 0. */
enum stock_level alert_level(const struct rules *rules, const struct stock_facts *facts);

/* What is told of a change that led to these facts. `is_taken_from`: units left the shelf with it. */
struct alert alert_decide(const struct rules *rules, const struct stock_facts *facts, bool is_taken_from);
