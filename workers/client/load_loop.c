/* One thread: take what is due, send it, hear what came, wait for the next due moment or for a socket. */
#include "load_run.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"

enum { IDLE_US = 50000, PROGRESS_EVERY_MS = 500, TURN_REQUESTS_MAX = 256 };

static bool open_descriptors(struct load_run *run, sigset_t *before, struct why *why)
{
	sigset_t ending;
	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigprocmask(SIG_BLOCK, &ending, before);
	run->signals = signalfd(-1, &ending, SFD_NONBLOCK | SFD_CLOEXEC);
	run->timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	return (run->signals >= 0 && run->timer >= 0) || because(why, "system", "no timer could be made");
}

static void close_descriptors(struct load_run *run, const sigset_t *before)
{
	if (run->signals >= 0)
		close(run->signals);
	if (run->timer >= 0)
		close(run->timer);
	sigprocmask(SIG_SETMASK, before, NULL);
}

static void send_one(struct load_run *run, uint64_t number)
{
	struct hospital_blood_request request;
	arena_reset(&run->arena);
	buffer_reset(&run->body);
	load_plan_request(&run->plan, number, &run->arena, &request);
	if (!schema_write(&hospital_blood_request_schema, &request, &run->body))
		abort(); /* its parts were checked when the options were read */
	run->lane->kind->send(run->lane, number, &request, &run->body);
}

/* What is due and has room. A request is on record before the lane has it: from then on it may be on its way. */
static bool send_due(struct load_run *run, struct why *why)
{
	uint64_t numbers[TURN_REQUESTS_MAX];
	size_t count = 0, room = run->lane->kind->room(run->lane);
	schedule_admit(&run->schedule, clock_steady_us());
	while (count < room && count < TURN_REQUESTS_MAX && schedule_take(&run->schedule, &numbers[count]))
		schedule_sent(&run->schedule, numbers[count++], clock_steady_us());
	if (!journal_flush(&run->journal, why))
		return false;
	for (size_t i = 0; i < count; i++)
		send_one(run, numbers[i]);
	return true;
}

/* An answer is on record before anything else is done. */
static bool turn(struct load_run *run, struct why *why)
{
	if (!send_due(run, why))
		return false;
	run->lane->kind->serve(run->lane);
	if (run->hearer != NULL)
		hearer_serve(run->hearer);
	return journal_flush(&run->journal, why);
}

static void set_timer(const struct load_run *run)
{
	const struct schedule *schedule = &run->schedule;
	int64_t at_us = clock_steady_us() + IDLE_US;
	if (schedule->admitted < schedule->total && schedule_due_us(schedule, schedule->admitted) < at_us)
		at_us = schedule_due_us(schedule, schedule->admitted);
	const struct itimerspec spec = { .it_value = { .tv_sec = at_us / MICROSECONDS_PER_SECOND,
										 .tv_nsec = at_us % MICROSECONDS_PER_SECOND * 1000 } };
	timerfd_settime(run->timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void await_next(struct load_run *run)
{
	struct pollfd sockets[LANE_SOCKETS_MAX] = { { .fd = run->timer, .events = POLLIN },
		{ .fd = run->signals, .events = POLLIN } };
	size_t count = 2;
	bool has_backlog = run->schedule.next < run->schedule.admitted && run->lane->kind->room(run->lane) > 0;
	if (has_backlog || (run->hearer != NULL && hearer_has_pending(run->hearer)))
		return;
	if (run->hearer != NULL)
		sockets[count++] = hearer_socket(run->hearer);
	set_timer(run);
	run->lane->kind->wait(run->lane, sockets, count);
}

/* The first signal ends the schedule, the second the waiting. */
static void heed_signals(struct load_run *run)
{
	struct signalfd_siginfo info;
	while (read(run->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (run->drain_until_ms > 0)
			run->drain_until_ms = 1;
		schedule_stop(&run->schedule);
	}
}

/* What is sent but not answered; decisions only where someone hears them. */
static bool has_outstanding(const struct load_run *run)
{
	return run->schedule.open > 0 || (run->hearer != NULL && run->schedule.awaited > 0);
}

/* All was due, and is answered, or has had its time. What never left in that time is not waited for. */
static bool is_over(struct load_run *run)
{
	const struct schedule *schedule = &run->schedule;
	if (schedule->admitted < schedule->total)
		return false;
	if (run->drain_until_ms == 0)
		run->drain_until_ms = clock_steady_ms() + SECONDS(run->values->drain_s);
	return !has_outstanding(run) || clock_steady_ms() >= run->drain_until_ms;
}

static void tell_progress(struct load_run *run)
{
	const struct schedule *schedule = &run->schedule;
	if (!isatty(STDERR_FILENO) || clock_steady_ms() - run->told_ms < PROGRESS_EVERY_MS)
		return;
	run->told_ms = clock_steady_ms();
	fprintf(stderr, "\r\033[K%" PRIu64 " of %" PRIu64 " sent, %" PRIu64 " acknowledged, %" PRIu64 " decided",
		schedule->sent, schedule->total, schedule->acknowledged, schedule->decision.count);
}

bool load_loop(struct load_run *run, struct why *why)
{
	sigset_t before;
	bool is_good = open_descriptors(run, &before, why);
	while (is_good) {
		is_good = turn(run, why);
		heed_signals(run);
		tell_progress(run);
		if (!is_good || is_over(run))
			break;
		await_next(run);
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	close_descriptors(run, &before);
	return is_good;
}
