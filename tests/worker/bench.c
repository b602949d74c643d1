/* A bench: everything in one arena, decided message by message. */
#include "bench.h"

#include <string.h>

#include "run.h"
#include "schema.h"

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
		.reply_to = "tests.1",
		.now = NOW,
		.arena = &bench->arena,
	};
	return message;
}

void bench_begin(struct bench *bench, const struct worker *worker, const struct step *const steps[],
	size_t count)
{
	static const unsigned char namespace_id[UUID_BYTES] = "tests, no secret";
	ck_assert_uint_le(count, BENCH_STEPS_MAX);
	*bench = (struct bench){ .worker = worker };
	arena_init(&bench->arena);
	outbox_init(&bench->outbox, &bench->arena, namespace_id, NOW);
	for (size_t i = 0; i < count; i++)
		bench->messages[i] = read_message(bench, steps[i]);
	bench->batch =
		(struct batch){ .messages = bench->messages, .count = count, .now = NOW, .arena = &bench->arena };
}

void bench_close(struct bench *bench)
{
	arena_clear(&bench->arena);
}

void bench_decide(struct bench *bench)
{
	const struct message *message = bench->messages[bench->decided++];
	const struct route *route = bench->worker->routes;
	struct why why = { .text = "" };
	while (route->event != message->event)
		route++;
	outbox_cause(&bench->outbox, message, message->message_id, "digest", 0);
	ck_assert_int_eq(route->decide(message, &bench->batch, &bench->outbox, &why), DONE);
}

const char *bench_list(struct bench *bench, const struct output *from, bench_describe_fn *describe)
{
	const struct output *output = from == NULL ? bench->outbox.first : from->next;
	const char *text = "";
	for (; output != NULL; output = output->next)
		text =
			arena_print(&bench->arena, "%s%s%s", text, text[0] == '\0' ? "" : " ", describe(bench, output));
	return text;
}

const char *bench_member(struct bench *bench, const char *body, const char *name)
{
	const char *start = strstr(body, arena_print(&bench->arena, "\"%s\":\"", name));
	if (start == NULL)
		return "";
	start += strlen(name) + strlen("\"\":\"");
	return arena_print(&bench->arena, "%.*s", (int)strcspn(start, "\""), start);
}
