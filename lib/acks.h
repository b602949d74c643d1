/*
 * Which deliveries of one channel are finished, and the fewest acknowledgements that say so: one `multiple` for the finished
 * prefix, single ones for those beyond a gap (an emergency that overtook).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ACKS_MAX = 8192 }; /* deliveries outstanding at most: above the sum of all prefetches */

enum ack_state { ACK_NONE, ACK_WAITING, ACK_FINISHED, ACK_SAID };

struct acks {
	uint64_t incarnation;           /* of the channel; others' tags are ignored */
	uint64_t first;                 /* lowest tag that is not acknowledged */
	uint64_t next;                  /* highest tag delivered + 1 */
	size_t finished;                /* and not yet acknowledged */
	unsigned char states[ACKS_MAX]; /* enum ack_state, by tag modulo ACKS_MAX */
};

struct ack {
	uint64_t tag;
	bool is_multiple;
};

/* A new channel: tags start at 1. */
void acks_reset(struct acks *acks, uint64_t incarnation);

/* A delivery arrived. False: more than ACKS_MAX outstanding, or a tag out of order: the peer is at fault. */
bool acks_add(struct acks *acks, uint64_t incarnation, uint64_t tag);

void acks_finish(struct acks *acks, uint64_t incarnation, uint64_t tag);

/* The next acknowledgement to send: for the finished prefix, then for each beyond a gap. False: none is left. */
bool acks_take(struct acks *acks, struct ack *ack);
