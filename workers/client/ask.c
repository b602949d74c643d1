/* Texts to the event's struct; the contract's own check tells what is wrong with it. */
#include "ask.h"

#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "moment_option.h"

static bool read_age(const char *text, int64_t *years, struct why *why)
{
	char *end;
	*years = strtol(text, &end, 10);
	return (end != text && *end == '\0') || because(why, "usage", "--age: \"%s\" is no number", text);
}

static const char **copy_texts(const struct option_texts *texts, struct arena *arena)
{
	const char **copy = arena_array(arena, texts->count, sizeof(*copy));
	for (size_t i = 0; i < texts->count; i++)
		copy[i] = texts->items[i];
	return copy;
}

static bool make_patient(const struct ask *ask, struct arena *arena, struct patient **out, struct why *why)
{
	bool has_patient = ask->patient_ref != NULL || ask->sex != NULL || ask->age_years != NULL
		|| ask->antigen_negative.count > 0;
	if (!has_patient)
		return true;
	struct patient *patient = arena_new(arena, sizeof(*patient));
	patient->ref = ask->patient_ref;
	patient->sex = sex_find(ask->sex == NULL ? "" : ask->sex);
	patient->antigen_negative = copy_texts(&ask->antigen_negative, arena);
	patient->antigen_negative_count = ask->antigen_negative.count;
	patient->has_age_years = ask->age_years != NULL;
	*out = patient;
	return ask->age_years == NULL || read_age(ask->age_years, &patient->age_years, why);
}

static struct hospital_blood_request make_command(const struct ask *ask, const char *request_id,
	struct arena *arena)
{
	return (struct hospital_blood_request){
		.request_id = request_id,
		.order_id = ask->order_id,
		.hospital_id = ask->hospital_id,
		.component = component_find(ask->component),
		.group = blood_group_find(ask->group),
		.quantity = ask->quantity,
		.urgency = urgency_find(ask->urgency),
		.attributes = copy_texts(&ask->attributes, arena),
		.attributes_count = ask->attributes.count,
		.signed_by = ask->signed_by,
		.accept_partial = !ask->is_all_or_nothing,
		.requested_by = ask->requested_by,
		.note = ask->note,
	};
}

/* The event has the command's members, as far as people set them. */
static struct hospital_blood_requested make_event(const struct hospital_blood_request *command)
{
	return (struct hospital_blood_requested){
		.request_id = command->request_id,
		.order_id = command->order_id,
		.hospital_id = command->hospital_id,
		.component = command->component,
		.group = command->group,
		.quantity = command->quantity,
		.urgency = command->urgency,
		.needed_at = command->needed_at,
		.has_needed_at = command->has_needed_at,
		.attributes = command->attributes,
		.attributes_count = command->attributes_count,
		.patient = command->patient,
		.signed_by = command->signed_by,
		.accept_partial = command->accept_partial,
		.requested_by = command->requested_by,
		.note = command->note,
	};
}

static bool write_checked(const struct schema *schema, const void *body, struct buffer *out, struct why *why)
{
	return schema_check(schema, body, why) && schema_write(schema, body, out);
}

bool ask_write(const struct ask *ask, const char *request_id, int64_t now_us, struct arena *arena,
	struct buffer *out, struct why *why)
{
	struct hospital_blood_request command = make_command(ask, request_id, arena);
	command.has_needed_at = ask->needed_at != NULL;
	if (command.has_needed_at && !moment_option_read(ask->needed_at, now_us, &command.needed_at))
		return because(why, "usage", "--needed-at: \"%s\" is no time; write 2026-03-01T08:00:00Z or +36h",
			ask->needed_at);
	if (!make_patient(ask, arena, &command.patient, why))
		return false;
	if (!ask->is_direct)
		return write_checked(&hospital_blood_request_schema, &command, out, why);
	const struct hospital_blood_requested event = make_event(&command);
	return write_checked(&hospital_blood_requested_schema, &event, out, why);
}
