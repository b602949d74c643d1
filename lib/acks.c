/* Acknowledgements of one channel: a ring of states, indexed by delivery tag. */
#include "acks.h"

#include <string.h>

static unsigned char *state_of(struct acks *acks, uint64_t tag)
{
	return &acks->states[tag % ACKS_MAX];
}

static bool is_ours(const struct acks *acks, uint64_t incarnation, uint64_t tag)
{
	return incarnation == acks->incarnation && tag >= acks->first && tag < acks->next;
}

void acks_reset(struct acks *acks, uint64_t incarnation)
{
	memset(acks, 0, sizeof(*acks));
	acks->incarnation = incarnation;
	acks->first = acks->next = 1;
}

bool acks_add(struct acks *acks, uint64_t incarnation, uint64_t tag)
{
	if (incarnation != acks->incarnation || tag != acks->next || tag - acks->first >= ACKS_MAX)
		return false;
	*state_of(acks, tag) = ACK_WAITING;
	acks->next++;
	return true;
}

void acks_finish(struct acks *acks, uint64_t incarnation, uint64_t tag)
{
	if (!is_ours(acks, incarnation, tag) || *state_of(acks, tag) != ACK_WAITING)
		return;
	*state_of(acks, tag) = ACK_FINISHED;
	acks->finished++;
}

static bool take_prefix(struct acks *acks, struct ack *ack)
{
	uint64_t newest = 0; /* highest tag of the prefix that the broker still counts as outstanding */
	size_t finished = 0;
	while (acks->first < acks->next && *state_of(acks, acks->first) != ACK_WAITING) {
		if (*state_of(acks, acks->first) == ACK_FINISHED) {
			newest = acks->first;
			finished++;
		}
		*state_of(acks, acks->first) = ACK_NONE;
		acks->first++;
	}
	*ack = (struct ack){ .tag = newest, .is_multiple = finished > 1 };
	acks->finished -= finished;
	return finished > 0;
}

static bool take_single(struct acks *acks, struct ack *ack)
{
	for (uint64_t tag = acks->first; tag < acks->next; tag++) {
		if (*state_of(acks, tag) != ACK_FINISHED)
			continue;
		*state_of(acks, tag) = ACK_SAID;
		acks->finished--;
		*ack = (struct ack){ .tag = tag, .is_multiple = false };
		return true;
	}
	return false;
}

bool acks_take(struct acks *acks, struct ack *ack)
{
	return acks->finished > 0 && (take_prefix(acks, ack) || take_single(acks, ack));
}
