/* Between a world's bytes and the structures of lib/: loading, deciding, saving. */
#pragma once

#include "coherence_write.h"
#include "world.h"

enum { NOW = 100 }; /* a world has no date: all its times are counted from here, a tick being 1 */

/* A cache as lib/ sees it; one at a time. Valid until the next load. */
struct coherence *real_load(const struct cache *cache, const struct limits *limits);
void real_save(struct cache *cache, const struct coherence *real);

/* Asks for something; false: no room for the request. */
bool real_ask(struct cache *cache, const struct limits *limits);
void real_hear(struct cache *cache, const struct limits *limits, unsigned request);
void real_invalidate(struct cache *cache, const struct limits *limits, uint8_t n);

/* Keep a list; true: it may be answered to those who joined, or out of Redis. */
bool real_keep(struct cache *cache, const struct limits *limits, uint8_t n, uint8_t version);
bool real_keep_shared(struct cache *cache, const struct limits *limits, uint8_t n, uint8_t version);

/* Whether a look-up finds something and may answer it. */
bool real_is_hit(const struct cache *cache, const struct limits *limits);

void real_begin_write(struct world *world, const struct limits *limits);
void real_acknowledge(struct world *world, const struct limits *limits, unsigned row, bool is_old);

/* Goes on with the write. With COHERENCE_FENCE, `fenced` are the rows that are, as bits. */
enum coherence_step real_next(struct world *world, const struct limits *limits, uint8_t *fenced);
uint8_t real_dead(const struct world *world, const struct limits *limits);
