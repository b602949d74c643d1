/* A table of statuses, the first that applies counts. Nothing is remembered: facts in any order lead to the same status. */
#include "lifecycle.h"

#include "holding.h"

/* What the table asks. */
struct standing {
	const struct request *request;
	int64_t wanted; /* units; 0 = unknown */
	int64_t held;
	enum release_reason ended_by; /* 0 = more may come */
};

/* Units that it still holds are on their way back. */
static bool is_taken_back(const struct standing *standing)
{
	return standing->request->cancellation != NULL;
}

static bool is_approved(const struct standing *standing)
{
	return standing->held > 0 && standing->held >= standing->wanted;
}

static bool is_partially_approved(const struct standing *standing)
{
	return standing->held > 0;
}

static bool is_rejected(const struct standing *standing)
{
	return standing->request->reason != REJECTION_NONE;
}

static bool is_expired(const struct standing *standing)
{
	return standing->ended_by == RELEASE_REASON_EXPIRED;
}

/* Not by a cancellation that was heard, but nothing is held and nothing waited for any more. */
static bool is_given_up(const struct standing *standing)
{
	return standing->ended_by == RELEASE_REASON_CANCELLED || standing->ended_by == RELEASE_REASON_NOT_NEEDED;
}

static bool is_scheduled(const struct standing *standing)
{
	return standing->request->is_scheduled && standing->request->allocations == NULL;
}

static bool is_pending(const struct standing *standing)
{
	(void)standing;
	return true;
}

static const struct {
	enum request_status status;
	bool (*applies)(const struct standing *standing);
} statuses[] = {
	{ REQUEST_STATUS_CANCELLED, is_taken_back },
	{ REQUEST_STATUS_APPROVED, is_approved },
	{ REQUEST_STATUS_PARTIALLY_APPROVED, is_partially_approved },
	{ REQUEST_STATUS_REJECTED, is_rejected },
	{ REQUEST_STATUS_EXPIRED, is_expired },
	{ REQUEST_STATUS_CANCELLED, is_given_up },
	{ REQUEST_STATUS_SCHEDULED, is_scheduled },
	{ REQUEST_STATUS_PENDING, is_pending },
};

/* The first approval names the quantity where the request itself was not heard yet. */
static int64_t wanted_quantity(const struct request *request)
{
	if (request->quantity > 0 || request->allocations == NULL)
		return request->quantity;
	return request->allocations->quantity_requested;
}

/* All is over once everything that was held is released and the bank says that nothing is waited for. */
static enum release_reason ended_by(const struct request *request)
{
	const struct release *last = holding_last_release(request);
	bool is_over =
		request->allocations != NULL && last != NULL && last->has_backordered && last->backordered == 0;
	return is_over ? last->reason : RELEASE_REASON_NONE;
}

enum request_status lifecycle_status(const struct request *request)
{
	struct allocated_unit units[HOLDING_UNITS_MAX];
	const struct standing standing = {
		.request = request,
		.wanted = wanted_quantity(request),
		.held = (int64_t)holding_units(request, units),
		.ended_by = ended_by(request),
	};
	size_t i = 0;
	while (!statuses[i].applies(&standing))
		i++;
	return statuses[i].status;
}

bool lifecycle_may_be_cancelled(const struct request *request)
{
	return request->status != REQUEST_STATUS_REJECTED && request->status != REQUEST_STATUS_EXPIRED
		&& request->status != REQUEST_STATUS_ISSUED && request->status != REQUEST_STATUS_FULFILLED;
}
