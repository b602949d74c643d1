/*
 * The broker keeps what is held: a kill at any moment gives everything back that was not let go, in its old place or behind. What is
 * parked while we look is left for the next run, so that a message which is parked again at once is not met for ever.
 */
#include "parked.h"

static bool visit_held(const char *queue, struct hold *hold, const struct held *held, parked_visit_fn *visit,
	void *owner, struct why *why)
{
	struct parcel parcel;
	parcel_open(&parcel, queue, held);
	bool is_good = visit(owner, hold, held, &parcel, why);
	parcel_close(&parcel);
	return is_good;
}

bool parked_walk(const struct parked_run *run, const char *queue, parked_visit_fn *visit, void *owner,
	struct extent *extent, struct why *why)
{
	struct hold *hold = hold_new(&run->address, queue);
	*extent = (struct extent){ .messages = SIZE_MAX };
	bool is_good = hold_open(hold, why), is_over = false;
	while (is_good && !is_over && extent->looked_at < extent->messages
		&& extent->looked_at < (size_t)run->values->limit) {
		struct held held;
		enum holding holding = hold_next(hold, &held, why);
		is_good = holding != HOLDING_FAILED;
		is_over = holding == HOLDING_END;
		if (holding != HOLDING_MESSAGE)
			continue;
		if (extent->looked_at++ == 0)
			extent->messages = (size_t)held.behind + 1;
		is_good = visit_held(queue, hold, &held, visit, owner, why);
	}
	if (extent->messages == SIZE_MAX || is_over)
		extent->messages = extent->looked_at;
	hold_free(hold);
	return is_good;
}
