/* A bench: everything in one arena, decided message by message. */
#include "hospital_bench.h"

#include <string.h>

#include "run.h"

static const struct message *read_message(struct bench *bench, const struct step *step)
{
	struct message *message = arena_new(&bench->arena, sizeof(*message));
	struct why why = { .text = "" };
	void *body = NULL;
	if (!schema_read(event_type(step->event)->schema, step->body, strlen(step->body), &bench->arena, &body,
			&why))
		ck_abort_msg("%s: %s", event_type(step->event)->name, why.text);
	*message = (struct message){
		.event = step->event,
		.body = body,
		.message_id = step->message_id == NULL ? M1 : step->message_id,
		.correlation_id =
			arena_print(&bench->arena, "workflow of %s", step->message_id == NULL ? M1 : step->message_id),
		.now = NOW,
		.arena = &bench->arena,
	};
	return message;
}

void bench_open(struct bench *bench, const struct step *const steps[], size_t count)
{
	static const unsigned char namespace_id[UUID_BYTES] = "tests, no secret";
	static const char *hospitals[] = { "hospital-001", "hospital-002" };
	*bench = (struct bench){ .decided = 0 };
	arena_init(&bench->arena);
	outbox_init(&bench->outbox, &bench->arena, namespace_id, NOW);
	for (size_t i = 0; i < count; i++)
		bench->messages[i] = read_message(bench, steps[i]);
	bench->batch =
		(struct batch){ .messages = bench->messages, .count = count, .now = NOW, .arena = &bench->arena };
	struct requests *requests = requests_new(&bench->batch);
	requests->hospitals = hospitals;
	requests->hospitals_count = 2;
	bench->batch.state = requests;
}

void bench_close(struct bench *bench)
{
	arena_clear(&bench->arena);
}

void bench_decide(struct bench *bench)
{
	const struct message *message = bench->messages[bench->decided++];
	const struct route *route = hospital.routes;
	struct why why = { .text = "" };
	while (route->event != message->event)
		route++;
	outbox_cause(&bench->outbox, message, message->message_id, "digest", 0);
	ck_assert_int_eq(route->decide(message, &bench->batch, &bench->outbox, &why), DONE);
}

const char *bench_sent_after(struct bench *bench, const struct output *from)
{
	const struct output *output = from == NULL ? bench->outbox.first : from->next;
	const char *text = "";
	for (; output != NULL; output = output->next) {
		const char *reason = strstr(output->body, "\"reason\":\"");
		bool is_refusal = strcmp(output->type, "hospital.blood.refused") == 0;
		text = arena_print(&bench->arena, "%s%s%s%s%.*s", text, text[0] == '\0' ? "" : " ",
			output->is_view ? "view" : output->routing_key, is_refusal ? ":" : "",
			is_refusal ? (int)strcspn(reason + 10, "\"") : 0, is_refusal ? reason + 10 : "");
	}
	return text;
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
