/* What the parts of a step share. */
#pragma once

#include "world.h"

static inline uint8_t bit(unsigned row)
{
	return (uint8_t)(1U << row);
}

/* A record in the log that is not yet flushed. */
void world_log(struct world *world);

/* A commit's record: in the log, and flushed. */
void world_log_commit(struct world *world);

/* Parts of world_step; each knows its own kinds. */
enum step cache_step(struct world *world, const struct limits *limits, enum action_kind kind,
	unsigned argument);
enum step write_step(struct world *world, const struct limits *limits, enum action_kind kind,
	unsigned argument);

/* The connection of whoever writes, or the database, is gone: its messages stay under way. */
void write_end(struct world *world);

/* What a registration has logged is seen, whoever still waits for it. */
void request_end(struct world *world, struct request *request);
