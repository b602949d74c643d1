/* Who is told of an event, and in which words: a table. */
#pragma once

#include "notice.h"
#include "rules.h"
#include "worker.h"

/* What is needed of a message to tell of it: whom, about what. */
struct fact {
	const char *facility_id; /* NULL: nobody is told */
	const char *role;
	const char *recipient_ref; /* the patient whom it concerns; NULL: it concerns none */
	const char *kind;
	const char *entity;
	const char *transition;
	const char *text;
	bool is_emergency;
	int64_t happened_at; /* 0 = not said */
};

/* What the rules make of a fact; NULL: nobody is told, or it is history. The workflow's names are left out. */
struct notice *audience_notice(const struct fact *fact, const struct rules *rules, int64_t now,
	struct arena *arena);

/*
 * All that a message has to tell, as a list, in the message's arena; NULL for nothing. The same message tells the same, always.
 */
struct notice *audience_notices(const struct message *message, const struct rules *rules);
