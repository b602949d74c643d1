/* A bench of the appointment worker, with slots made by hand instead of loaded. */
#include "appointment_bench.h"

#include <string.h>

#include "clock.h"

void bench_open(struct bench *bench, const struct step *const steps[], size_t count)
{
	bench_begin(bench, &appointment, steps, count);
	bench->batch.state = state_new(&bench->batch);
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
	return bench_list(bench, from, describe);
}
