/*
 * The coherence protocol explored: with all its guards no reader is ever wrong within the limits, and with any one of them
 * switched off one is. Writes TAP. model-coherence [--full] [--path] [WORD]: larger limits (minutes, gigabytes); the way to each
 * violation; only the trials whose name has this word.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"
#include "guard.h"

enum { WORLDS_MAX = 3000000, WORLDS_MAX_FULL = 60000000 };

struct trial {
	const char *name;
	enum guard guard; /* GUARD_COUNT: none */
	struct limits limits;
};

// clang-format off
#define SIZE(caches_count, requests_count, rows_count, writes_count) \
	.caches = (caches_count), .requests = (requests_count), .rows = (rows_count), .writes = (writes_count)
#define JOINED .ttl = 1, .is_joined = true

static const struct trial good[] = {
	{ "one cache, from the start", GUARD_COUNT, { SIZE(1, 1, 2, 1), .ttl = 1 } },
	{ "one cache, crashes", GUARD_COUNT, { SIZE(1, 1, 2, 1), JOINED, .cache_crashes = 1, .database_crashes = 1 } },
	{ "one cache, a slow clock", GUARD_COUNT, { SIZE(1, 1, 2, 1), .ttl = 2, .margin = 1, .is_joined = true, .is_slow = true } },
	{ "one cache, two writes", GUARD_COUNT, { SIZE(1, 0, 1, 2), JOINED, .cache_crashes = 1 } },
	{ "two caches", GUARD_COUNT, { SIZE(2, 0, 2, 1), JOINED } },
	{ NULL, GUARD_COUNT, { 0 } },
};

static const struct trial full[] = {
	{ "one cache, two requests", GUARD_COUNT, { SIZE(1, 2, 2, 1), JOINED, .fences = 1 } },
	{ "one cache, repeated registrations", GUARD_COUNT, { SIZE(1, 1, 3, 1), JOINED, .is_repeated = true, .fences = 1 } },
	{ "one cache, two writes and requests", GUARD_COUNT, { SIZE(1, 1, 2, 2), JOINED } },
	{ "two caches, two writes", GUARD_COUNT, { SIZE(2, 0, 2, 2), JOINED } },
	{ "two caches, requests", GUARD_COUNT, { SIZE(2, 1, 2, 1), JOINED } },
	{ NULL, GUARD_COUNT, { 0 } },
};

#define LONG SIZE(1, 2, 2, 2), JOINED, .fences = 1
static const struct trial bad[] = {
	{ "n is above G", GUARD_GENERATION, { SIZE(1, 1, 2, 1), .ttl = 1 } },
	{ "n is above the floor", GUARD_FLOOR, { LONG } },
	{ "above, not as high as", GUARD_ABOVE, { LONG } },
	{ "floors are raised", GUARD_RAISE, { LONG } },
	{ "keys are dropped", GUARD_DROP, { LONG } },
	{ "a look-up wants a lease", GUARD_LEASE, { LONG } },
	{ "what Redis has wants a lease", GUARD_LEASE_SHARED, { LONG } },
	{ "a lease counts from before its request", GUARD_LEASE_START, { LONG } },
	{ "answers match their requests", GUARD_MATCH, { SIZE(1, 2, 2, 1), JOINED, .fences = 1 } },
	{ "a refusal drops the map", GUARD_FORGET, { SIZE(1, 1, 2, 1), JOINED, .fences = 1 } },
	{ "who joined wants it kept", GUARD_JOIN, { LONG } },
	{ "acknowledgements are awaited", GUARD_AWAIT, { LONG } },
	{ "acknowledgements match their writes", GUARD_WRITE_ID, { SIZE(1, 0, 1, 2), JOINED } },
	{ "the silent are fenced", GUARD_FENCE, { LONG } },
	{ "a fence is waited out", GUARD_FENCE_WAIT, { LONG } },
	{ "a fence that is found is waited out", GUARD_FENCED_FOUND, { LONG } },
	{ "clocks differ", GUARD_MARGIN, { SIZE(1, 1, 2, 1), .is_joined = true, .ttl = 2, .margin = 1, .is_slow = true } },
	{ "G is read after the row's commit", GUARD_COUNT, { SIZE(1, 1, 2, 1), .ttl = 1, .fault = FAULT_GENERATION_EARLY } },
	{ "N is read under the lock", GUARD_COUNT, { LONG, .fault = FAULT_NUMBER_EARLY } },
	{ "the registry is read under the lock", GUARD_COUNT, { SIZE(1, 1, 2, 1), .ttl = 1, .fault = FAULT_REGISTRY_EARLY } },
	{ "n is a flushed place", GUARD_COUNT, { LONG, .database_crashes = 1, .fault = FAULT_INSERTED } },
	{ "only a locked list is certified", GUARD_COUNT, { LONG, .fault = FAULT_LOCK } },
	{ "the lock comes before the list's snapshot", GUARD_COUNT, { LONG, .fault = FAULT_SNAPSHOT } },
	{ "a renewal looks at the fence", GUARD_COUNT, { LONG, .fault = FAULT_RENEW_FENCED } },
	{ "a renewal wants its own incarnation", GUARD_COUNT, { SIZE(1, 1, 3, 1), JOINED, .fences = 1, .is_repeated = true, .fault = FAULT_RENEW_OTHER } },
	{ "a row is deleted after the wait", GUARD_COUNT, { LONG, .fault = FAULT_DELETE_EARLY } },
	{ "a fence is committed at once", GUARD_COUNT, { LONG, .fault = FAULT_FENCE_LATE } },
	{ "acknowledged after the drop", GUARD_COUNT, { LONG, .fault = FAULT_ACKNOWLEDGE_EARLY } },
	{ NULL, GUARD_COUNT, { 0 } },
};
// clang-format on

struct options {
	bool is_full, with_path;
	const char *word; /* NULL: all trials */
	int tests, failed;
};

static void print_path(const struct exploration *found)
{
	for (size_t i = 0; i < found->path_length && i < PATH_MAX_STEPS; i++)
		printf("#   %2zu %s %u\n", i + 1, action_name((enum action_kind)found->path[i].kind),
			found->path[i].argument);
}

static void run_trial(const struct trial *trial, bool is_good, struct options *options)
{
	if (options->word != NULL && strstr(trial->name, options->word) == NULL)
		return;
	guard_switch_off(trial->guard);
	struct exploration found = explore(&trial->limits, options->is_full ? WORLDS_MAX_FULL : WORLDS_MAX);
	guard_switch_off(GUARD_COUNT);
	bool is_right = is_good ? !found.is_wrong && found.is_complete : found.is_wrong;
	options->tests++;
	options->failed += !is_right;
	printf("%sok %d - %s%s: ", is_right ? "" : "not ", options->tests,
		is_good ? "" : "without: ", trial->name);
	if (found.is_wrong)
		printf("a violation after %zu steps, %zu worlds\n", found.path_length, found.worlds);
	else
		printf("%s%zu worlds, %zu steps, depth %zu, no violation\n", found.is_complete ? "all " : "only ",
			found.worlds, found.steps, found.depth);
	if (found.is_wrong && (options->with_path || !is_right))
		print_path(&found);
	fflush(stdout);
}

static void run_trials(const struct trial trials[], bool is_good, struct options *options)
{
	for (size_t i = 0; trials[i].name != NULL; i++)
		run_trial(&trials[i], is_good, options);
}

int main(int argc, char *argv[])
{
	struct options options = { .word = NULL };
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--full") == 0)
			options.is_full = true;
		else if (strcmp(argv[i], "--path") == 0)
			options.with_path = true;
		else
			options.word = argv[i];
	run_trials(good, true, &options);
	run_trials(bad, false, &options);
	if (options.is_full)
		run_trials(full, true, &options);
	printf("1..%d\n", options.tests);
	return options.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
