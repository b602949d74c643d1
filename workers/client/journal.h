/*
 * What a load has sent and what it was told, a JSON line each: {"id", "sent"}, {"id", "acknowledged"}, {"id", "decided", "decision"}, each with its
 * time. A line that was flushed survives the end of this program, by whatever signal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "outcome.h"
#include "uuid.h"

enum { JOURNAL_IDS_MAX = 10000000, JOURNAL_LINE_MAX = 1024 };

enum journal_event { JOURNAL_SENT = 1, JOURNAL_ACKNOWLEDGED = 2, JOURNAL_DECIDED = 4 };

struct journal {
	int file; /* -1 = none: notes are dropped */
	struct buffer pending;
};

/* Goes on at the end of what is there. `path` may be NULL. */
bool journal_open(struct journal *journal, const char *path, struct why *why);

/* `decision` belongs to JOURNAL_DECIDED. */
void journal_note(struct journal *journal, const char *id, enum journal_event event, int64_t time_us,
	const char *decision);

/* Hands all notes to the system. */
bool journal_flush(struct journal *journal, struct why *why);

/* Flushes, syncs and closes; one that was never opened is accepted. False: the journal is not whole. */
bool journal_close(struct journal *journal, struct why *why);

struct journal_record {
	unsigned char id[UUID_BYTES];
	unsigned char events; /* enum journal_event, or-ed */
	bool is_refused;      /* decided by a refusal: no request of it is kept */
};

struct journal_records {
	struct journal_record *items; /* sorted by id, each once; owned */
	size_t count;
};

/* Reads a journal; its last line may be torn. False: why names the line. */
bool journal_read(const char *path, struct journal_records *out, struct why *why);
void journal_records_clear(struct journal_records *records);
