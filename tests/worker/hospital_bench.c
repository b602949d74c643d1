/* A hospital's bench: hospital-001 and hospital-002 are known, and nothing else. */
#include "hospital_bench.h"

#include <string.h>

void bench_open(struct bench *bench, const struct step *const steps[], size_t count)
{
	static const char *hospitals[] = { "hospital-001", "hospital-002" };
	bench_begin(bench, &hospital, steps, count);
	struct requests *requests = requests_new(&bench->batch);
	requests->hospitals = hospitals;
	requests->hospitals_count = 2;
	bench->batch.state = requests;
}

static const char *describe(struct bench *bench, const struct output *output)
{
	if (output->is_view)
		return "view";
	if (strcmp(output->type, "hospital.blood.refused") != 0)
		return output->routing_key;
	return arena_print(&bench->arena, "%s:%s", output->routing_key,
		bench_member(bench, output->body, "reason"));
}

const char *bench_sent_after(struct bench *bench, const struct output *from)
{
	return bench_list(bench, from, describe);
}

const char *bench_state(struct bench *bench, const char *request_id)
{
	const struct request *request = requests_find(bench->batch.state, request_id);
	if (request == NULL || request->version == 0)
		return "unknown";
	struct hospital_request_updated state;
	request_describe(request, &bench->arena, &state);
	return arena_print(&bench->arena, "%d %s %d/%d", (int)state.version, request_status_name(state.status),
		(int)state.quantity_allocated, (int)state.quantity_requested);
}

const char *bench_description(struct bench *bench, const char *request_id)
{
	struct hospital_request_updated state;
	struct buffer text;
	buffer_init(&text);
	request_describe(requests_find(bench->batch.state, request_id), &bench->arena, &state);
	ck_assert(schema_write(&hospital_request_updated_schema, &state, &text));
	const char *copy = arena_text(&bench->arena, buffer_text(&text));
	buffer_clear(&text);
	return copy;
}

void bench_check(const struct example *example)
{
	const struct step *steps[5];
	struct bench bench;
	size_t count = 0;
	while (count < 4 && example->before[count].event != EVENT_NONE) {
		steps[count] = &example->before[count];
		count++;
	}
	steps[count] = &example->heard;
	bench_open(&bench, steps, count + 1);
	while (bench.decided < count)
		bench_decide(&bench);
	const struct output *before = bench.outbox.last;
	bench_decide(&bench);
	ck_assert_msg(strcmp(bench_sent_after(&bench, before), example->sent) == 0, "%s: sent %s", example->name,
		bench_sent_after(&bench, before));
	ck_assert_msg(strcmp(bench_state(&bench, R1), example->state) == 0, "%s: state %s", example->name,
		bench_state(&bench, R1));
	bench_close(&bench);
}

/* The factorial number system. */
void bench_permute(const struct step *const in[5], int number, const struct step *out[5])
{
	const struct step *left[5];
	memcpy(left, in, sizeof(left));
	for (int count = 5; count > 0; count--) {
		int chosen = number % count;
		number /= count;
		out[5 - count] = left[chosen];
		memmove(&left[chosen], &left[chosen + 1], (size_t)(count - 1 - chosen) * sizeof(left[0]));
	}
}
