/* A small world for the allocator's tests. */
#include "world.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "antigen.h"
#include "attribute.h"
#include "rules.h"

enum { UNIT_LIFE_DAYS = 42 };

void world_init(struct world *world)
{
	*world = (struct world){ .rules = rules_default };
	arena_init(&world->arena);
	shelves_init(&world->shelves, &world->arena);
}

void world_clear(struct world *world)
{
	arena_clear(&world->arena);
}

void world_bank(struct world *world, const char *bank_id, int64_t distance_m)
{
	assert(world->suppliers_count < WORLD_BANKS_MAX);
	world->suppliers[world->suppliers_count++] =
		(struct supplier){ shelves_bank(&world->shelves, bank_id), distance_m };
}

struct unit *world_unit(struct world *world, const char *bank_id, const char *unit_id,
	enum component component, enum blood_group group, int days)
{
	assert(world->units_count < WORLD_UNITS_MAX);
	struct unit *unit = &world->units[world->units_count++];
	*unit = (struct unit){
		.unit_id = arena_text(&world->arena, unit_id),
		.bank_id = bank_id,
		.component = component,
		.group = group,
		.expires_at = NOW + days * ONE_DAY,
		.collected_at = NOW + (days - UNIT_LIFE_DAYS) * ONE_DAY,
	};
	return unit;
}

void world_units(struct world *world, const char *bank_id, const char *name, enum component component,
	enum blood_group group, int days, int count)
{
	for (int i = 0; i < count; i++)
		world_unit(world, bank_id, arena_print(&world->arena, "%s-%d", name, i), component, group, days);
}

void world_open(struct world *world)
{
	for (size_t i = 0; i < world->units_count; i++) {
		struct unit *unit = &world->units[i];
		unit->attributes |= attribute_set_of_unit(NULL, 0, unit->antigens, unit->antigens_count);
		struct bin *bin = shelves_bin(&world->shelves, shelves_bank(&world->shelves, unit->bank_id),
			unit->component, unit->group, unit->attributes, unit->designated_for);
		bin_count(bin, bin->available_count + 1);
		bin->queues[OLDEST_FIRST].asked = WORLD_UNITS_MAX;
		bin->queues[FRESHEST_FIRST].asked = WORLD_UNITS_MAX;
		shelves_add(&world->shelves, unit, OLDEST_FIRST);
		shelves_add(&world->shelves, unit, FRESHEST_FIRST);
	}
	shelves_ready(&world->shelves, NOW);
}

struct hospital_blood_requested *world_request(struct world *world, enum component component,
	enum blood_group group, int64_t quantity, enum urgency urgency)
{
	world->request = (struct hospital_blood_requested){
		.request_id = "request",
		.hospital_id = "hospital-001",
		.component = component,
		.group = group,
		.quantity = quantity,
		.urgency = urgency,
		.accept_partial = true,
		.signed_by = "dr-1",
	};
	world->patient = (struct patient){ 0 };
	world->wanted = (struct wanted){
		.request = &world->request,
		.suppliers = world->suppliers,
		.suppliers_count = world->suppliers_count,
		.quantity = quantity,
		.is_facility_known = true,
	};
	return &world->request;
}

struct patient *world_patient(struct world *world, enum sex sex, int years)
{
	world->patient.ref = "patient-1";
	world->patient.sex = sex;
	world->patient.age_years = years < 0 ? 0 : years;
	world->patient.has_age_years = years >= 0;
	world->request.patient = &world->patient;
	return &world->patient;
}

void world_attribute(struct world *world, const char *name)
{
	world->request.attributes = world->attributes;
	world->attributes[world->request.attributes_count++] = name;
}

void world_antibody(struct world *world, const char *name)
{
	world->patient.antibodies = world->antibodies;
	world->antibodies[world->patient.antibodies_count++] = name;
}

void world_antigen_negative(struct world *world, const char *name)
{
	world->patient.antigen_negative = world->antigen_negative;
	world->antigen_negative[world->patient.antigen_negative_count++] = name;
}

void world_override(struct world *world, const char *code, const char *by)
{
	world->request.overrides = world->overrides;
	world->overrides[world->request.overrides_count++] = (struct override){ .code = code, .by = by };
}

/* `text`, a blank if there is text before, and `more`. */
static const char *append(struct world *world, const char *text, const char *more)
{
	return arena_print(&world->arena, "%s%s%s", text, text[0] == '\0' ? "" : " ", more);
}

const char *world_allocate(struct world *world)
{
	allocate(&world->rules, &world->wanted, &world->shelves, NOW, &world->arena, &world->allocation);
	const struct allocation *allocation = &world->allocation;
	if (allocation->decision == DECISION_REJECTED)
		return arena_print(&world->arena, "rejected: %s", rejection_name(allocation->reason));
	const char *text = "";
	for (size_t i = 0; i < allocation->units_count; i++)
		text = append(world, text, allocation->chosen[i]->unit_id);
	return text;
}

const char *world_warnings(struct world *world)
{
	const char *text = "";
	for (size_t i = 0; i < world->allocation.warnings_count; i++)
		text = append(world, text, warning_code_name(world->allocation.warnings[i].code));
	return text;
}
