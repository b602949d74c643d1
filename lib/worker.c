/* The main loop of every worker, from its start to its graceful stop. */
#include "worker.h"
#include "worker_cache.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	IDLE_WAIT_MS = 1000,
	METRICS_CONNECTIONS_MAX = 32,
	STACK_BYTES = 8 * 1024 * 1024, /* librabbitmq reads nested header tables by recursion */
};

static size_t waiting_count(const struct runtime *runtime)
{
	size_t total = 0;
	for (size_t i = 0; i < LANE_COUNT; i++)
		total += runtime->lanes[i].count;
	return total;
}

static bool has_flights(const struct runtime *runtime)
{
	for (size_t i = 0; i < FLIGHTS_MAX; i++)
		if (runtime->flights[i].is_used && runtime->flights[i].unsettled_events > 0)
			return true;
	return false;
}

/* Work, and everything it needs, but nothing moves: a restart is the honest answer. */
static void check_progress(struct runtime *runtime)
{
	bool has_work = waiting_count(runtime) > 0 || has_flights(runtime);
	bool is_served = consumer_is_open(runtime->consumer) && publisher_is_open(runtime->publisher)
		&& !publisher_is_blocked(runtime->publisher) && database_is_open(runtime->database);
	if (!has_work || !is_served)
		runtime->progress_ms = clock_steady_ms();
	if (clock_steady_ms() - runtime->progress_ms < runtime->settings.stuck_after_ms)
		return;
	struct why why;
	stop(&why, "no_progress", "work waits and all connections answer, but nothing moved for %ld ms",
		runtime->settings.stuck_after_ms);
	worker_fail(runtime, EXIT_OUR_FAULT, &why);
}

static bool was_signalled(const struct runtime *runtime)
{
	struct signalfd_siginfo info;
	return read(runtime->signal_fd, &info, sizeof(info)) == sizeof(info);
}

static bool do_some_work(struct runtime *runtime)
{
	bool is_busy = batch_run(runtime);
	is_busy |= query_run(runtime);
	return is_busy | timers_run(runtime);
}

/* When there is something to do without anything coming in. */
static int64_t next_due_ms(const struct runtime *runtime)
{
	int64_t idle_ms = clock_steady_ms() + IDLE_WAIT_MS;
	if (!database_is_open(runtime->database) || !flight_is_free(runtime))
		return idle_ms;
	int64_t timer_ms = timers_next_ms(runtime), batch_ms = batch_due_ms(runtime);
	int64_t due_ms = timer_ms < batch_ms ? timer_ms : batch_ms;
	return due_ms < idle_ms ? due_ms : idle_ms;
}

static void run(struct runtime *runtime)
{
	while (runtime->exit_code < 0 && !was_signalled(runtime)) {
		links_serve(runtime);
		check_progress(runtime);
		if (!do_some_work(runtime))
			links_wait(runtime, next_due_ms(runtime));
	}
}

static bool is_time_left(const struct runtime *runtime)
{
	return runtime->exit_code < 0 && clock_steady_ms() < runtime->stop_deadline_ms
		&& consumer_is_open(runtime->consumer);
}

/*
 * Begins nothing new, so that nothing is acknowledged and nothing more sent, until all that is on its way has come: what reaches
 * a cancelled consumer of a quorum queue is given back by the broker itself, marked as redelivered.
 */
static void let_come(struct runtime *runtime)
{
	runtime->delivered_ms = clock_steady_ms();
	while (is_time_left(runtime)) {
		if (has_flights(runtime)) /* which end in acknowledgements */
			runtime->delivered_ms = clock_steady_ms();
		int64_t quiet_ms = runtime->delivered_ms + STOP_QUIET_MS;
		if (clock_steady_ms() >= quiet_ms)
			return;
		links_serve(runtime);
		links_wait(runtime, quiet_ms);
	}
}

static void finish_work(struct runtime *runtime)
{
	while ((waiting_count(runtime) > 0 || has_flights(runtime)) && is_time_left(runtime)) {
		links_serve(runtime);
		if (!batch_run(runtime) && !query_run(runtime))
			links_wait(runtime, runtime->stop_deadline_ms);
	}
}

/* Takes no more, finishes what was delivered, marks what was sent. What takes too long goes back to the queue. */
static void finish(struct runtime *runtime)
{
	struct why why = { 0 };
	if (runtime->stop_deadline_ms == 0)
		runtime->stop_deadline_ms = clock_steady_ms() + STOP_LIMIT_MS;
	log_line(&runtime->log, LOG_INFO_LEVEL, "stopping", NULL);
	runtime->is_stopping = true;
	let_come(runtime);
	if (consumer_is_open(runtime->consumer))
		consumer_cancel(runtime->consumer, &why);
	finish_work(runtime);
	cache_leave(runtime);
	if (runtime->marks[0].count + runtime->marks[1].count > 0 && database_is_open(runtime->database))
		marks_flush(runtime);
}

/* The usual limit, in case somebody lowered it: the stack of the main thread grows as far as it says at that moment. */
static void widen_stack(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= STACK_BYTES)
		return;
	limit.rlim_cur = limit.rlim_max < STACK_BYTES ? limit.rlim_max : STACK_BYTES;
	setrlimit(RLIMIT_STACK, &limit);
}

static int open_signals(void)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

static bool open_http(struct runtime *runtime)
{
	struct why why = { 0 };
	if (runtime->settings.metrics_port == 0)
		return true;
	const struct http_options options = {
		.port = (uint16_t)runtime->settings.metrics_port,
		.connections_max = METRICS_CONNECTIONS_MAX,
		.request = worker_answer_http,
		.owner = runtime,
	};
	runtime->http = http_open(&options, &why);
	if (runtime->http == NULL)
		worker_fail(runtime, EXIT_CONFIGURATION, &why);
	return runtime->http != NULL;
}

static int serve(struct runtime *runtime)
{
	widen_stack();
	worker_prepare(runtime);
	runtime->signal_fd = open_signals();
	log_line(&runtime->log, LOG_INFO_LEVEL, "starting", "tag", runtime->tag, NULL);
	if (open_http(runtime)) {
		run(runtime);
		finish(runtime);
	}
	int exit_code = runtime->exit_code < 0 ? 0 : runtime->exit_code;
	worker_release(runtime);
	close(runtime->signal_fd);
	return exit_code;
}

void worker_fail(struct runtime *runtime, int exit_code, const struct why *why)
{
	char code[16];
	snprintf(code, sizeof(code), "%d", exit_code);
	log_line(&runtime->log, LOG_ERROR_LEVEL, "stopping: this needs attention", "outcome", "stop", "reason",
		why->reason, "detail", why->text, "exit", code, NULL);
	if (runtime->exit_code < 0)
		runtime->exit_code = exit_code;
}

int worker_main(const struct worker *worker, int argc, char *argv[])
{
	char program[64];
	snprintf(program, sizeof(program), "carebus-%s", worker->name);
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		settings_help(worker_settings_table, program, stdout);
		if (worker->changed != NULL)
			settings_list(cache_settings_table, stdout);
		return 0;
	}
	bool is_check = argc == 2 && strcmp(argv[1], "--check") == 0;
	if (argc != 1 && !is_check) {
		fprintf(stderr,
			"%s: takes no arguments but --help and --check; it is configured by its environment\n", program);
		return EXIT_CONFIGURATION;
	}
	struct runtime *runtime = calloc(1, sizeof(*runtime));
	if (runtime == NULL)
		abort();
	runtime->worker = worker;
	runtime->exit_code = -1;
	int exit_code = EXIT_CONFIGURATION;
	bool is_set = settings_read(worker_settings_table, &runtime->settings, stderr);
	if (worker->changed != NULL)
		is_set &= settings_read(cache_settings_table, &runtime->settings, stderr);
	if (is_set)
		exit_code = is_check ? 0 : serve(runtime);
	if (exit_code == EXIT_CONFIGURATION || is_check)
		worker_clear_settings(runtime);
	free(runtime);
	return exit_code;
}
