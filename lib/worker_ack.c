/* What was done is acknowledged: together with what else is done in a while. */
#include "worker_internal.h"

enum {
	ACKS_TOGETHER_MS = 40,
	ACKS_PER_PREFETCH = 4, /* deliveries never run out for want of acknowledgements */
};

/* Deliveries of a connection that is gone come again: an answer to them must not pass for the first of the new one. */
static bool is_from_open_channel(const struct runtime *runtime)
{
	return consumer_is_open(runtime->consumer)
		&& consumer_incarnation(runtime->consumer) == runtime->acks.incarnation;
}

static bool say_ack(struct runtime *runtime, const struct ack *ack)
{
	struct why why = { 0 };
	if (!consumer_ack(runtime->consumer, runtime->acks.incarnation, ack->tag, ack->is_multiple, &why)) {
		links_lost(runtime, LINK_CONSUMER, &why); /* it all comes again, and the inbox knows it */
		return false;
	}
	runtime->progress_ms = clock_steady_ms();
	count(runtime, METRIC_ACKS, 1);
	crash_point_pass(CRASH_AFTER_ACK);
	return true;
}

int64_t acks_due_ms(const struct runtime *runtime)
{
	bool is_none = runtime->acks.finished == 0 || !is_from_open_channel(runtime);
	return is_none ? INT64_MAX : runtime->acks_since_ms + ACKS_TOGETHER_MS;
}

/* Each acknowledgement is an entry of the queue's log, synced like a message: those of a while ride together. */
static bool are_acks_due(const struct runtime *runtime)
{
	int64_t due_ms = acks_due_ms(runtime);
	if (due_ms == INT64_MAX)
		return false;
	return runtime->is_stopping || !runtime->is_full_prefetch
		|| runtime->acks.finished * ACKS_PER_PREFETCH >= (size_t)runtime->settings.prefetch
		|| clock_steady_ms() >= due_ms;
}

void acks_send(struct runtime *runtime)
{
	struct ack ack;
	if (!are_acks_due(runtime))
		return;
	links_first_ack(runtime);
	while (acks_take(&runtime->acks, &ack))
		if (!say_ack(runtime, &ack))
			return;
}

void acks_note(struct runtime *runtime, const struct flight *flight)
{
	if (!is_from_open_channel(runtime))
		return;
	if (runtime->acks.finished == 0)
		runtime->acks_since_ms = clock_steady_ms();
	for (size_t i = 0; i < flight->deliveries_count; i++)
		acks_finish(&runtime->acks, flight->deliveries[i]->incarnation, flight->deliveries[i]->tag);
	acks_send(runtime);
}
