/*
 * A writer's side of the coherence protocol (coherence.h), with no I/O and no clock: whom to await between the decision and the
 * COMMIT. One write is a transaction that changes lists. In it, each its own statement, in this order: exclusive locks of the
 * keys, in order; decide; if a list changes N = pg_current_wal_insert_lsn(); then read the registry; then coherence_write_begin
 * and {keys, N, write id} to every row's cache, one's own included. Then as coherence_write_next says. The owner goes on serving
 * meanwhile: acknowledgements, invalidations and its cache's renewals.
 *
 * After a crash nothing is left to do: the locks end with the connection. A rolled back write has told too much, which harms
 * nobody. After a failover or a restore: another prefix in Redis, an empty registry, and one TTL before the first commit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coherence.h"

enum { COHERENCE_ROWS_MAX = 256 }; /* registered caches */

/* A row of the registry as the writer read it. */
struct coherence_row {
	uint64_t incarnation;
	bool is_fenced;
};

enum coherence_step {
	COHERENCE_WAIT,   /* for acknowledgements, or until the time told */
	COHERENCE_FENCE,  /* coherence_write_fence names whom; then coherence_write_fenced */
	COHERENCE_COMMIT, /* nobody can answer the old list any more */
};

enum peer_state { PEER_AWAITED, PEER_SILENT, PEER_FENCING, PEER_WAITED_OUT, PEER_DONE };

struct coherence_peer {
	uint64_t incarnation;
	enum peer_state state;
	int64_t
		until_us; /* awaited: when it counts as silent; waited out: when its lease has ended; else unused */
};

struct coherence_write {
	struct coherence_times times;
	uint64_t id; /* repeated by acknowledgements; never used twice by this process's queue */
	struct coherence_peer peers[COHERENCE_ROWS_MAX];
	size_t count;
};

/*
 * `now_us` is read after the registry was, which makes it the start of the wait for those that were found fenced. False: more
 * rows than COHERENCE_ROWS_MAX; roll back.
 */
bool coherence_write_begin(struct coherence_write *write, const struct coherence_times *times, uint64_t id,
	const struct coherence_row rows[], size_t count, int64_t now_us) __attribute__((warn_unused_result));

/* A cache has dropped the keys. Those of other writes and of strangers do nothing; a late one ends a wait. */
void coherence_write_acknowledge(struct coherence_write *write, uint64_t id, uint64_t incarnation);

/* What to do at `now_us`; with COHERENCE_WAIT until when at most, in `*until_us`. */
enum coherence_step coherence_write_next(struct coherence_write *write, int64_t now_us, int64_t *until_us);

/*
 * Those to be set `fenced` now, in a separate transaction that is committed while this one waits; at most COHERENCE_ROWS_MAX.
 * Returns how many. When that transaction fails, roll this one back.
 */
size_t coherence_write_fence(struct coherence_write *write, uint64_t incarnations[]);

/* That transaction is committed (rows already gone do not matter); `now_us` is read after its answer. */
void coherence_write_fenced(struct coherence_write *write, int64_t now_us);

/* After COHERENCE_COMMIT: those whose lease has been waited out without a word. Their rows may be deleted. Returns how many. */
size_t coherence_write_dead(const struct coherence_write *write, uint64_t incarnations[]);
