/* A bench: everything in one arena, decided message by message. */
#include "notification_bench.h"

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
	*bench = (struct bench){ .decided = 0 };
	arena_init(&bench->arena);
	outbox_init(&bench->outbox, &bench->arena, namespace_id, NOW);
	for (size_t i = 0; i < count; i++)
		bench->messages[i] = read_message(bench, steps[i]);
	bench->batch =
		(struct batch){ .messages = bench->messages, .count = count, .now = NOW, .arena = &bench->arena };
	bench->batch.state = subject_state(&bench->batch);
}

void bench_close(struct bench *bench)
{
	arena_clear(&bench->arena);
}

void bench_decide(struct bench *bench)
{
	const struct message *message = bench->messages[bench->decided++];
	const struct route *route = notification.routes;
	struct why why = { .text = "" };
	while (route->event != message->event)
		route++;
	outbox_cause(&bench->outbox, message, message->message_id, "digest", 0);
	ck_assert_int_eq(route->decide(message, &bench->batch, &bench->outbox, &why), DONE);
}

const char *bench_member(struct bench *bench, const char *body, const char *name)
{
	const char *start = strstr(body, arena_print(&bench->arena, "\"%s\":\"", name));
	if (start == NULL)
		return "";
	start += strlen(name) + strlen("\"\":\"");
	return arena_print(&bench->arena, "%.*s", (int)strcspn(start, "\""), start);
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
	const struct output *output = from == NULL ? bench->outbox.first : from->next;
	const char *text = "";
	for (; output != NULL; output = output->next)
		text =
			arena_print(&bench->arena, "%s%s%s", text, text[0] == '\0' ? "" : " ", describe(bench, output));
	return text;
}
