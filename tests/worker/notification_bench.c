/* A bench of the notification worker: nothing is known of what the messages are about. */
#include "notification_bench.h"

#include <string.h>

void bench_open(struct bench *bench, const struct step *const steps[], size_t count)
{
	bench_begin(bench, &notification, steps, count);
	bench->batch.state = subject_state(&bench->batch);
}

static const char *describe(struct bench *bench, const struct output *output)
{
	const char *verb = strrchr(output->type, '.') + 1;
	const char *facility = bench_member(bench, output->body, "facility_id");
	if (strcmp(verb, "created") == 0)
		return arena_print(&bench->arena, "%s:%s/%s/%s", verb, facility,
			bench_member(bench, output->body, "role"), bench_member(bench, output->body, "kind"));
	if (strcmp(verb, "refused") == 0)
		return arena_print(&bench->arena, "%s:%s", verb, bench_member(bench, output->body, "reason"));
	if (strcmp(verb, "acknowledged") == 0)
		return arena_print(&bench->arena, "%s:%s", verb, bench_member(bench, output->body, "by"));
	return arena_print(&bench->arena, "%s:%s", verb, facility);
}

const char *bench_sent_after(struct bench *bench, const struct output *from)
{
	return bench_list(bench, from, describe);
}
