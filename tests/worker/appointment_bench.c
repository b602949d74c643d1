/* A bench: everything in one arena, decided message by message. */
#include "appointment_bench.h"

#include <string.h>

#include "clock.h"
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
		.reply_to = "tests.1",
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
	bench->batch.state = state_new(&bench->batch);
}

void bench_close(struct bench *bench)
{
	arena_clear(&bench->arena);
}

static void load_slot(struct state *state, const char *slot_id, int64_t starts_at)
{
	struct slot *slot = state_add_slot(state, slot_id);
	*slot = (struct slot){
		.slot_id = slot_id,
		.version = 1,
		.provider_id = "dr-adams",
		.clinic_id = "clinic-001",
		.zone = "Etc/UTC",
		.date = "2026-06-01",
		.starts_at = starts_at,
		.ends_at = starts_at + HOURS_US(1) / 2,
		.is_stored = true,
	};
}

void bench_load_slots(struct bench *bench)
{
	const struct span span = { 0, 0 };
	struct state *state = bench->batch.state;
	struct terms *terms = state_add_terms(state, "dr-adams", "clinic-001");
	int64_t nine = 0;
	ck_assert(time_parse("2026-06-01T09:00:00Z", &nine));
	terms->version = 1;
	terms->horizon_days = 90;
	terms->cutoff_minutes = 60;
	state_add_clinic(state, "clinic-001")->zone.name = "Etc/UTC";
	state_add_span(state, "clinic-001", &span);
	load_slot(state, NINE, nine);
	load_slot(state, HALF_PAST, nine + HOURS_US(1) / 2);
	load_slot(state, TEN, nine + HOURS_US(1));
}

void bench_decide(struct bench *bench)
{
	const struct message *message = bench->messages[bench->decided++];
	const struct route *route = appointment.routes;
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

/* Of a slot its time is enough. */
static const char *clock_of(struct bench *bench, const char *body)
{
	const char *slot_id = bench_member(bench, body, "slot_id");
	return slot_id[0] == '\0' ? "" : strrchr(slot_id, '.') + 1;
}

static const char *describe(struct bench *bench, const struct output *output)
{
	const char *verb = strrchr(output->type, '.') + 1;
	if (strcmp(verb, "refused") == 0)
		return arena_print(&bench->arena, "%s:%s", verb, bench_member(bench, output->body, "reason"));
	if (strcmp(verb, "published") == 0 || strcmp(verb, "blocked") == 0)
		return verb;
	const char *patient = bench_member(bench, output->body, "patient_ref");
	return arena_print(&bench->arena, "%s:%s%s%s", verb, clock_of(bench, output->body),
		patient[0] == '\0' ? "" : "/", patient);
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
