/* A byte of state for each request; times follow from its number. */
#include "schedule.h"

#include <stdlib.h>

#include "clock.h"
#include "load_plan.h"

enum state { LEFT_OUT = 1, SENT = 2, ACKNOWLEDGED = 4, FAILED = 8, DECIDED = 16 };

const char *failure_name(enum failure failure)
{
	static const char *const names[FAILURES] = { "returned", "full", "lost", "refused", "throttled",
		"unavailable", "timeout" };
	return names[failure];
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[VERDICTS] = { "approved", "rejected", "refused" };
	return names[verdict];
}

void schedule_init(struct schedule *schedule, uint64_t total, struct journal *journal)
{
	*schedule = (struct schedule){ .total = total, .states = calloc(total, 1), .journal = journal };
	if (schedule->states == NULL)
		abort();
	histogram_init(&schedule->confirm);
	histogram_init(&schedule->decision);
}

void schedule_clear(struct schedule *schedule)
{
	free(schedule->states);
	histogram_clear(&schedule->confirm);
	histogram_clear(&schedule->decision);
	*schedule = (struct schedule){ .total = 0 };
}

int64_t schedule_due_us(const struct schedule *schedule, uint64_t number)
{
	return schedule->start_us + (int64_t)(number * MICROSECONDS_PER_SECOND / schedule->rate);
}

void schedule_admit(struct schedule *schedule, int64_t now_us)
{
	for (; schedule->admitted < schedule->total; schedule->admitted++) {
		if (schedule_due_us(schedule, schedule->admitted) > now_us)
			return;
		if (schedule->open < schedule->open_max) {
			schedule->open++;
		} else {
			schedule->states[schedule->admitted] = LEFT_OUT;
			schedule->overflow++;
		}
	}
}

bool schedule_take(struct schedule *schedule, uint64_t *number)
{
	while (schedule->next < schedule->admitted && schedule->states[schedule->next] == LEFT_OUT)
		schedule->next++;
	if (schedule->next == schedule->admitted)
		return false;
	*number = schedule->next++;
	return true;
}

void schedule_stop(struct schedule *schedule)
{
	schedule->total = schedule->admitted;
}

bool schedule_is_over(const struct schedule *schedule)
{
	return schedule->admitted == schedule->total && schedule->next == schedule->admitted;
}

static void note(struct schedule *schedule, uint64_t number, enum journal_event event, int64_t now_us,
	const char *decision)
{
	char id[UUID_TEXT_BYTES];
	load_id_print(schedule->key, number, id);
	journal_note(schedule->journal, id, event, now_us + schedule->wall_offset_us, decision);
}

/* Sets a bit of a request's state. False: it was set. */
static bool set(struct schedule *schedule, uint64_t number, enum state state)
{
	if (number >= schedule->total || (schedule->states[number] & state) != 0)
		return false;
	schedule->states[number] = (unsigned char)(schedule->states[number] | state);
	return true;
}

void schedule_sent(struct schedule *schedule, uint64_t number, int64_t now_us)
{
	if (!set(schedule, number, SENT))
		return;
	schedule->sent++;
	schedule->last_sent_us = now_us;
	note(schedule, number, JOURNAL_SENT, now_us, NULL);
}

void schedule_acknowledged(struct schedule *schedule, uint64_t number, int64_t now_us)
{
	if (!set(schedule, number, ACKNOWLEDGED))
		return;
	schedule->acknowledged++;
	schedule->open--;
	schedule->awaited += (schedule->states[number] & DECIDED) == 0;
	histogram_add(&schedule->confirm, now_us - schedule_due_us(schedule, number));
	note(schedule, number, JOURNAL_ACKNOWLEDGED, now_us, NULL);
}

void schedule_failed(struct schedule *schedule, uint64_t number, enum failure failure)
{
	if (!set(schedule, number, FAILED))
		return;
	schedule->failed[failure]++;
	schedule->open--;
}

/* A decision may overtake its acknowledgement. */
void schedule_decided(struct schedule *schedule, uint64_t number, enum verdict verdict, int64_t now_us)
{
	if (!set(schedule, number, DECIDED))
		return;
	schedule->decided[verdict]++;
	schedule->awaited -= (schedule->states[number] & ACKNOWLEDGED) != 0;
	histogram_add(&schedule->decision, now_us - schedule_due_us(schedule, number));
	note(schedule, number, JOURNAL_DECIDED, now_us, verdict_name(verdict));
}
