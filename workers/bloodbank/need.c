/* Collecting what a batch needs. */
#include "need.h"

#include "compatibility.h"
#include "donation.h"

void need_init(struct need *need, struct arena *arena)
{
	*need = (struct need){ .arena = arena };
	parameters_arrays(need->lists, "ttttuutttt");
	lookup_init(&need->pairs, arena);
}

void need_clear(struct need *need)
{
	parameters_clear(need->lists, NEED_LISTS);
}

/* True the first time. */
static bool add_pair(struct need *need, enum need_list first, const char *facility_id,
	enum component component)
{
	const char *key = arena_print(need->arena, "%d/%s/%d", (int)first, facility_id, (int)component);
	if (lookup_find(&need->pairs, key) != NULL)
		return false;
	lookup_put(&need->pairs, key, need);
	parameter_text(&need->lists[first], facility_id);
	parameter_text(&need->lists[first + 1], component_name(component));
	return true;
}

void need_hospital(struct need *need, const char *hospital_id, enum component component)
{
	add_pair(need, NEED_HOSPITALS, hospital_id, component);
}

void need_request(struct need *need, const char *request_id, const char *hospital_id,
	enum component component)
{
	parameter_uuid(&need->lists[NEED_REQUESTS], request_id);
	if (hospital_id != NULL)
		need_hospital(need, hospital_id, component);
}

void need_patient(struct need *need, const struct hospital_blood_requested *asked)
{
	if (asked->patient == NULL || asked->patient->ref == NULL)
		return;
	parameter_text(&need->lists[NEED_PATIENTS], asked->patient->ref);
	if (asked->group == BLOOD_GROUP_UNKNOWN)
		parameter_text(&need->lists[NEED_BLIND_PATIENTS], asked->patient->ref);
}

/* The groups of recipients that a unit may fit, whatever their request concedes. */
static void find_recipients(struct need *need, const struct rules *rules, enum component component,
	enum blood_group donor)
{
	for (size_t group = BLOOD_GROUP_O_NEGATIVE; group < BLOOD_GROUPS; group++) {
		const struct recipient recipient = { .group = (enum blood_group)group, .is_emergency = true };
		struct compatibility compatibility;
		compatibility_find(rules, &recipient, component, &compatibility);
		const struct donor *found = &compatibility.donors[donor];
		if (found->is_compatible || found->is_rhd_mismatch || found->is_abo_mismatch)
			need->recipients[component][group] = true;
	}
}

void need_arrival(struct need *need, const struct rules *rules, const char *bank_id, enum component component,
	enum blood_group group)
{
	const char *key = arena_print(need->arena, "group/%d/%d", (int)component, (int)group);
	add_pair(need, NEED_BANKS, bank_id, component);
	if (lookup_find(&need->pairs, key) != NULL)
		return;
	lookup_put(&need->pairs, key, need);
	find_recipients(need, rules, component, group);
}

void need_unit(struct need *need, const char *unit_id)
{
	parameter_text(&need->lists[NEED_UNITS], unit_id);
}

static void need_received(struct need *need, const struct rules *rules,
	const struct bloodbank_unit_receive *command)
{
	for (size_t i = 0; i < command->units_count; i++) {
		const struct received_unit *unit = &command->units[i];
		char unit_id[UNIT_ID_SIZE];
		need_arrival(need, rules, command->bank_id, unit->component, unit->group);
		if (unit_id_write(unit->din, unit->product_code, unit->division, unit_id))
			need_unit(need, unit_id);
		for (size_t j = 0; j < unit->parents_count; j++)
			need_unit(need, unit->parents[j]);
	}
}

/* What it was given says what else is needed, see cancel_load.c. */
static void need_cancelled(struct need *need, const struct hospital_blood_cancelled *cancelled)
{
	parameter_uuid(&need->lists[NEED_REQUESTS], cancelled->request_id);
	parameter_uuid(&need->lists[NEED_CANCELLED], cancelled->request_id);
}

void need_message(struct need *need, const struct rules *rules, const struct message *message)
{
	if (message->event == BLOODBANK_UNIT_RECEIVE) {
		need_received(need, rules, message->body);
	} else if (message->event == HOSPITAL_BLOOD_CANCELLED) {
		need_cancelled(need, message->body);
	} else if (message->event == HOSPITAL_BLOOD_REQUESTED) {
		const struct hospital_blood_requested *asked = message->body;
		need_request(need, asked->request_id, asked->hospital_id, asked->component);
		need_patient(need, asked);
	}
}

void need_finish(struct need *need)
{
	for (size_t group = BLOOD_GROUP_O_NEGATIVE; group < BLOOD_GROUPS; group++) {
		bool is_wanted = false;
		for (size_t component = 0; component < COMPONENTS; component++)
			is_wanted = is_wanted || need->recipients[component][group];
		if (is_wanted)
			parameter_text(&need->lists[NEED_GROUPS], blood_group_name((enum blood_group)group));
	}
}

bool need_has(const struct need *need, enum need_list list)
{
	return need->lists[list].count > 0;
}
