/*
 * The loop itself: a batch in the database, the one before it with the broker. Environment: AMQP_URL, AMQP_USER,
 * AMQP_PASSWORD, DATABASE_URL, DATABASE_PASSWORD, REDIS_URL, REDIS_USER, REDIS_PASSWORD. Ends with SIGTERM, when
 * everything is confirmed.
 */
#include "bare.h"

#include <signal.h>
#include <string.h>

#include "clock.h"

enum { IDLE_MS = 1000 };

static volatile sig_atomic_t is_over;

struct loop {
	struct bare_facilities facilities;
	struct bare_batch batch;
	struct bare_flight flights[BARE_FLIGHTS];
	size_t first, count; /* of the flights under way */
	struct bare_marks marks;
};

static void end(int number)
{
	(void)number;
	is_over = 1;
}

/* Acknowledges the batches whose outputs are confirmed. */
static void land(struct loop *loop)
{
	uint64_t confirmed = bare_confirmed();
	uint64_t tag = 0;
	while (loop->count > 0 && loop->flights[loop->first].last_sequence <= confirmed) {
		struct bare_flight *flight = &loop->flights[loop->first];
		memcpy(&loop->marks.sent[loop->marks.count], flight->sent,
			flight->sent_count * sizeof(flight->sent[0]));
		loop->marks.count += flight->sent_count;
		bare_take_views(flight->views_count);
		tag = flight->last_tag;
		loop->first = (loop->first + 1) % BARE_FLIGHTS;
		loop->count--;
	}
	if (tag > 0)
		bare_acknowledge(tag);
}

static bool collect(struct loop *loop)
{
	bool is_there = bare_receive(&loop->facilities, &loop->batch, IDLE_MS);
	while (is_there && loop->batch.count < BARE_BATCH)
		is_there = bare_receive(&loop->facilities, &loop->batch, 0);
	return loop->batch.count > 0;
}

static void run_batch(struct loop *loop)
{
	struct bare_batch *batch = &loop->batch;
	batch->now = clock_now_us();
	bare_load(&loop->facilities, batch);
	bare_decide(&loop->facilities, batch);
	bare_store(&loop->facilities, batch, &loop->marks);
	while (land(loop), loop->count == BARE_FLIGHTS)
		bare_wait_for_confirms(IDLE_MS);
	struct bare_flight *flight = &loop->flights[(loop->first + loop->count++) % BARE_FLIGHTS];
	flight->views_count = bare_put_views(batch);
	bare_publish(batch, flight);
	bare_clear(batch);
}

int main(void)
{
	static struct loop loop;
	struct sigaction action = { .sa_handler = end };
	sigaction(SIGTERM, &action, NULL);
	bare_connect_database(&loop.facilities);
	bare_connect_broker();
	bare_connect_views();
	int64_t last_ms = clock_steady_ms();
	while (!is_over || loop.count > 0 || loop.marks.count > 0) {
		bool has_work = !is_over && collect(&loop);
		if (has_work) {
			run_batch(&loop);
			last_ms = clock_steady_ms();
		}
		land(&loop);
		bool is_idle = is_over || clock_steady_ms() - last_ms >= IDLE_MS;
		if (is_idle && loop.marks.count > 0)
			bare_store_marks(&loop.marks);
		else if (is_over)
			bare_wait_for_confirms(IDLE_MS);
	}
	return 0;
}
