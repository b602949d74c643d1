/* What happens at a writer, and between it and the caches. */
#include "internal.h"

#include <string.h>

#include "real.h"

/* What is under way stays so, as the messages of a write before; what was of the one before that is lost. */
void write_end(struct world *world)
{
	if (world->write.stage >= WRITE_TOLD) {
		world->old_told = world->told;
		world->old_acknowledged = world->acknowledged;
		world->old_n = world->write.n;
	}
	world->told = world->acknowledged = 0;
	memset(&world->write, 0, sizeof(world->write));
	memset(world->write.peers, PEER_ABSENT, sizeof(world->write.peers));
}

static enum step deliver(struct world *world, const struct limits *limits, unsigned row, bool is_old)
{
	uint8_t *told = is_old ? &world->old_told : &world->told;
	uint8_t *acknowledged = is_old ? &world->old_acknowledged : &world->acknowledged;
	unsigned owner = world->rows[row].owner;
	if ((*told & bit(row)) == 0 || owner >= limits->caches)
		return STEP_NONE;
	/* The fault: the first delivery acknowledges, and a second one does what it should have done before. */
	bool is_early = limits->fault == FAULT_ACKNOWLEDGE_EARLY && (*acknowledged & bit(row)) == 0;
	*acknowledged |= bit(row);
	if (is_early)
		return STEP_DONE;
	*told &= (uint8_t)~bit(row);
	real_invalidate(&world->caches[owner], limits, is_old ? world->old_n : world->write.n);
	return STEP_DONE;
}

static enum step acknowledge(struct world *world, const struct limits *limits, unsigned row, bool is_old)
{
	uint8_t *acknowledged = is_old ? &world->old_acknowledged : &world->acknowledged;
	if ((*acknowledged & bit(row)) == 0 || world->write.stage != WRITE_TOLD)
		return STEP_NONE;
	if (limits->fault != FAULT_ACKNOWLEDGE_EARLY || is_old)
		*acknowledged &= (uint8_t)~bit(row);
	real_acknowledge(world, limits, row, is_old);
	return STEP_DONE;
}

/* By a fault, one of the two is done before the lock is there. */
static enum step lock(struct world *world, const struct limits *limits)
{
	bool is_early = limits->fault == FAULT_NUMBER_EARLY || limits->fault == FAULT_REGISTRY_EARLY;
	if (world->write.stage == WRITE_EARLY) {
		world->write.stage = WRITE_LOCKED;
		return STEP_DONE;
	}
	if (world->write.stage != WRITE_NONE || world->writes_left == 0)
		return STEP_NONE;
	world->writes_left--;
	world->write.stage = is_early ? WRITE_EARLY : WRITE_LOCKED;
	if (limits->fault == FAULT_NUMBER_EARLY)
		world->write.n = world->inserted;
	if (limits->fault == FAULT_REGISTRY_EARLY)
		real_begin_write(world, limits);
	return STEP_DONE;
}

static enum step number(struct world *world, const struct limits *limits)
{
	if (world->write.stage != WRITE_LOCKED)
		return STEP_NONE;
	world->write.stage = WRITE_NUMBERED;
	if (limits->fault != FAULT_NUMBER_EARLY)
		world->write.n = world->inserted;
	return STEP_DONE;
}

static enum step tell(struct world *world, const struct limits *limits)
{
	if (world->write.stage != WRITE_NUMBERED)
		return STEP_NONE;
	world->write.stage = WRITE_TOLD;
	if (limits->fault != FAULT_REGISTRY_EARLY)
		real_begin_write(world, limits);
	for (unsigned row = 0; row < ROWS; row++)
		if (world->write.peers[row] != PEER_ABSENT)
			world->told |= bit(row);
	return STEP_DONE;
}

/* In a transaction of its own, committed at once. */
static void fence(struct world *world, const struct limits *limits, uint8_t fenced)
{
	if (limits->fault == FAULT_FENCE_LATE)
		return;
	for (unsigned row = 0; row < ROWS; row++)
		if ((fenced & bit(row)) != 0 && world->rows[row].state == ROW_SEEN)
			world->rows[row] = (struct row){ .state = ROW_FENCED, .owner = world->rows[row].owner };
	world_log_commit(world);
}

static enum step next(struct world *world, const struct limits *limits)
{
	uint8_t fenced;
	if (world->write.stage != WRITE_TOLD)
		return STEP_NONE;
	enum coherence_step step = real_next(world, limits, &fenced);
	if (step == COHERENCE_WAIT)
		return STEP_NONE;
	if (step == COHERENCE_FENCE) {
		fence(world, limits, fenced);
		return STEP_DONE;
	}
	world->write.stage = WRITE_LOGGED;
	world_log_commit(world);
	return STEP_DONE;
}

static enum step commit(struct world *world, const struct limits *limits, bool is_deleting)
{
	if (world->write.stage != WRITE_LOGGED)
		return STEP_NONE;
	uint8_t dead = real_dead(world, limits);
	if (is_deleting && dead == 0)
		return STEP_NONE;
	for (unsigned row = 0; row < ROWS && is_deleting; row++)
		if ((dead & bit(row)) != 0 && world->rows[row].state != ROW_NONE) {
			world->rows[row].state = ROW_DELETED;
			world->rows[row].age = 0;
		}
	world->version++;
	write_end(world);
	return STEP_DONE;
}

static enum step abort_write(struct world *world)
{
	if (world->write.stage == WRITE_NONE || world->write.stage == WRITE_LOGGED)
		return STEP_NONE;
	write_end(world);
	return STEP_DONE;
}

enum step write_step(struct world *world, const struct limits *limits, enum action_kind kind,
	unsigned argument)
{
	if (kind == ACTION_DELIVER || kind == ACTION_DELIVER_OLD)
		return deliver(world, limits, argument, kind == ACTION_DELIVER_OLD);
	if (kind == ACTION_ACKNOWLEDGE || kind == ACTION_ACKNOWLEDGE_OLD)
		return acknowledge(world, limits, argument, kind == ACTION_ACKNOWLEDGE_OLD);
	if (kind == ACTION_COMMIT)
		return commit(world, limits, argument == 1);
	if (kind == ACTION_LOCK)
		return lock(world, limits);
	if (kind == ACTION_NUMBER)
		return number(world, limits);
	if (kind == ACTION_TELL)
		return tell(world, limits);
	return kind == ACTION_NEXT ? next(world, limits) : abort_write(world);
}
