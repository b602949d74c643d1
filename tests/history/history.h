/*
 * Histories of slots under concurrent readers and bookers, and whether they are linearizable: whether each operation can have
 * happened at one moment between its begin and its end, all in one order in which every answer is right. Slots are independent,
 * so each is checked alone.
 *
 * One operation a line, its words parted by single spaces; empty lines and those that begin with # are skipped:
 *
 *	<client> read <slot> <begin_ns> <end_ns> free|taken|<holder>
 *	<client> book <slot> <begin_ns> <end_ns> <holder> ok|refused|unknown
 *	<client> cancel <slot> <begin_ns> <end_ns> <holder> ok|refused|unknown
 *
 * A slot is free at first, or held by one holder. `book` makes a free slot the holder's, and is refused because the slot was not
 * free; `cancel` makes the holder's slot free, and is refused because it was not the holder's. Refusals for other reasons, and
 * reads without an answer, are left out. `unknown`: it may have happened at any time after its begin, or never; its end is
 * ignored and may be -. A command that was repeated is one operation, from the first begin to the last end. The clock is one
 * for all clients. The order of the lines says nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "outcome.h"

enum {
	HISTORY_PENDING_MAX = 4096, /* operations of one slot at the same time */
	HISTORY_ORDERS_MAX = 1024,  /* orders of one slot that are still possible */
	HISTORY_LINE_MAX = 512,     /* bytes */
	HISTORY_OPERATIONS_MAX = 1 << 27,
};

enum operation_kind { OPERATION_READ, OPERATION_BOOK, OPERATION_CANCEL };
enum operation_outcome { OPERATION_OK, OPERATION_REFUSED, OPERATION_UNKNOWN };

/* Holders are numbers; these two are none. */
enum { HOLDER_FREE, HOLDER_ANY, HOLDER_FIRST };

struct operation {
	int64_t begin_ns, end_ns; /* INT64_MAX: never answered */
	uint32_t slot;
	uint32_t holder; /* of a read: what it saw */
	uint32_t line;
	enum operation_kind kind;
	enum operation_outcome outcome; /* of a read: ok */
};

struct names;
struct check;

struct history {
	struct operation *operations;
	size_t count, capacity;
	size_t reads;
	struct names *slots, *holders;
	struct check *check; /* the checker's memory, from the first check on */
};

enum verdict { LINEARIZABLE, NOT_LINEARIZABLE, UNDECIDED };

/* The first operation of a slot that fits into no order (or, undecided, at which there were too many). */
struct finding {
	enum verdict verdict;
	uint32_t slot;
	uint32_t line;        /* of the operation */
	uint32_t possible[4]; /* what the slot may have been when it ended */
	size_t possible_count;
};

void history_init(struct history *history);
void history_clear(struct history *history);

/* Adds one; a bad one (an end before the begin) is refused. The line's number is the count so far unless it is given. */
bool history_add(struct history *history, const struct operation *operation, struct why *why);

/* A slot's or holder's number by name, new or not. */
uint32_t history_slot(struct history *history, const char *name, size_t length);
uint32_t history_holder(struct history *history, const char *name, size_t length);
const char *history_slot_name(const struct history *history, uint32_t slot);
const char *history_holder_name(const struct history *history, uint32_t holder);
size_t history_slots(const struct history *history);

/* All lines of a file; `why` names the line. */
bool history_read(struct history *history, FILE *file, struct why *why);

void check_free(struct check *check); /* history_clear does it */

/* Checks each slot; sorts the operations. Returns how many findings there are, of which at most `max` are told. */
size_t history_check(struct history *history, struct finding findings[], size_t max);
