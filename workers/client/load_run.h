/* One load: its schedule, the way its requests go, and who hears the decisions. */
#pragma once

#include "command.h"
#include "hearer.h"
#include "lane.h"
#include "load_plan.h"

struct load_values {
	struct common_values common;
	const char *via, *mix, *journal, *verify;
	struct option_texts hospitals;
	long rate, duration_s, quantity, open, connections, wait_s, drain_s;
	bool is_remote;
};

struct load_run {
	const struct load_values *values;
	struct load_plan plan;
	struct schedule schedule;
	struct journal journal;
	struct lane *lane;
	struct hearer *hearer; /* NULL: decisions are not heard from the feed */
	struct arena arena;    /* of one request */
	struct buffer body;
	int timer, signals;     /* descriptors */
	int64_t drain_until_ms; /* 0 while requests become due */
	int64_t told_ms;        /* progress */
};

/* Runs the schedule to its end, then waits for what is not yet answered. False: the journal cannot be written; `why` tells. */
bool load_loop(struct load_run *run, struct why *why);

/* Prints the figures; how the run ended. */
enum ending load_report(const struct load_run *run);

/* Whether what a journal has as acknowledged is known and decided; waits for it as long as `drain_s` says. */
enum ending load_verify(const struct load_values *values, struct door *door);
