/* A write of the coherence protocol: each registered cache acknowledges, or its lease is waited out. */
#include "coherence_write.h"

#include "guard.h"

/* No lease granted before now, by whatever clock, is valid then. */
static int64_t lease_end(const struct coherence_write *write, int64_t now_us)
{
	int64_t margin_us = guard_is_on(GUARD_MARGIN) ? write->times.margin_us : 0;
	return guard_is_on(GUARD_FENCE_WAIT) ? now_us + write->times.ttl_us + margin_us : now_us;
}

static struct coherence_peer begin_peer(const struct coherence_write *write, const struct coherence_row *row,
	int64_t now_us)
{
	struct coherence_peer peer = {
		.incarnation = row->incarnation, .state = PEER_AWAITED, .until_us = now_us + write->times.silent_us
	};
	if (row->is_fenced) {
		peer.state = guard_is_on(GUARD_FENCED_FOUND) ? PEER_WAITED_OUT : PEER_DONE;
		peer.until_us = lease_end(write, now_us);
	}
	if (!guard_is_on(GUARD_AWAIT))
		peer.state = PEER_DONE;
	return peer;
}

bool coherence_write_begin(struct coherence_write *write, const struct coherence_times *times, uint64_t id,
	const struct coherence_row rows[], size_t count, int64_t now_us)
{
	if (count > COHERENCE_ROWS_MAX)
		return false;
	write->times = *times;
	write->id = id;
	write->count = count;
	for (size_t i = 0; i < count; i++)
		write->peers[i] = begin_peer(write, &rows[i], now_us);
	return true;
}

void coherence_write_acknowledge(struct coherence_write *write, uint64_t id, uint64_t incarnation)
{
	if (id != write->id && guard_is_on(GUARD_WRITE_ID))
		return;
	for (size_t i = 0; i < write->count; i++)
		if (write->peers[i].incarnation == incarnation)
			write->peers[i].state = PEER_DONE;
}

/* Whether this one no longer holds the commit up. Those awaited become silent in time. */
static bool is_settled(struct coherence_peer *peer, int64_t now_us)
{
	if (peer->state == PEER_AWAITED && now_us >= peer->until_us)
		peer->state = guard_is_on(GUARD_FENCE) ? PEER_SILENT : PEER_DONE;
	return peer->state == PEER_DONE || (peer->state == PEER_WAITED_OUT && now_us >= peer->until_us);
}

enum coherence_step coherence_write_next(struct coherence_write *write, int64_t now_us, int64_t *until_us)
{
	enum coherence_step step = COHERENCE_COMMIT;
	int64_t earliest_us = INT64_MAX;
	for (size_t i = 0; i < write->count; i++) {
		struct coherence_peer *peer = &write->peers[i];
		if (is_settled(peer, now_us))
			continue;
		if (peer->state == PEER_SILENT)
			step = COHERENCE_FENCE;
		else if (peer->state != PEER_FENCING && peer->until_us < earliest_us)
			earliest_us = peer->until_us;
		if (step == COHERENCE_COMMIT)
			step = COHERENCE_WAIT;
	}
	if (step == COHERENCE_WAIT)
		*until_us = earliest_us;
	return step;
}

static size_t list_peers(const struct coherence_write *write, enum peer_state state, uint64_t incarnations[])
{
	size_t count = 0;
	for (size_t i = 0; i < write->count; i++)
		if (write->peers[i].state == state)
			incarnations[count++] = write->peers[i].incarnation;
	return count;
}

size_t coherence_write_fence(struct coherence_write *write, uint64_t incarnations[])
{
	size_t count = list_peers(write, PEER_SILENT, incarnations);
	for (size_t i = 0; i < write->count; i++)
		if (write->peers[i].state == PEER_SILENT)
			write->peers[i].state = PEER_FENCING;
	return count;
}

void coherence_write_fenced(struct coherence_write *write, int64_t now_us)
{
	for (size_t i = 0; i < write->count; i++)
		if (write->peers[i].state == PEER_FENCING) {
			write->peers[i].state = PEER_WAITED_OUT;
			write->peers[i].until_us = lease_end(write, now_us);
		}
}

size_t coherence_write_dead(const struct coherence_write *write, uint64_t incarnations[])
{
	return list_peers(write, PEER_WAITED_OUT, incarnations);
}
