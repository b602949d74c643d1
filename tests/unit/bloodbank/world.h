/* A small world for the allocator's tests: banks, bags, and a request, built line by line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "allocation.h"
#include "arena.h"
#include "events.h"
#include "shelf.h"
#include "unit.h"
#include "wish.h"

enum {
	WORLD_UNITS_MAX = 600,
	WORLD_BANKS_MAX = 4,
	WORLD_TEXTS_MAX = 8,
};

/* Any moment will do: 2026-11-22T12:00:00Z. */
#define NOW (INT64_C(1795348800) * ONE_SECOND)

struct world {
	struct arena arena;
	struct shelves shelves;
	struct unit units[WORLD_UNITS_MAX];
	size_t units_count;
	struct supplier suppliers[WORLD_BANKS_MAX];
	size_t suppliers_count;
	struct rules rules;
	/* one request and its parts, reset by world_request */
	struct hospital_blood_requested request;
	struct patient patient;
	struct mother mother;
	struct sample sample;
	struct override overrides[2];
	const char *attributes[WORLD_TEXTS_MAX];
	const char *antibodies[WORLD_TEXTS_MAX];
	const char *antigen_negative[WORLD_TEXTS_MAX];
	struct wanted wanted;
	struct allocation allocation;
};

void world_init(struct world *world);
void world_clear(struct world *world);

/* A supplier; call them nearest first. */
void world_bank(struct world *world, const char *bank_id, int64_t distance_m);

/* A bag that expires in `days` (collected 42 days before that), to be changed before world_open. */
struct unit *world_unit(struct world *world, const char *bank_id, const char *unit_id,
	enum component component, enum blood_group group, int days);

/* Several such, ids "name-0" and so on. */
void world_units(struct world *world, const char *bank_id, const char *name, enum component component,
	enum blood_group group, int days, int count);

/* Puts all bags on the shelves, fully loaded. */
void world_open(struct world *world);

/* Starts a new request: component, group, quantity, urgency; nothing else is said. */
struct hospital_blood_requested *world_request(struct world *world, enum component component,
	enum blood_group group, int64_t quantity, enum urgency urgency);

/* Gives the request a patient of that sex and age; years < 0: unknown. */
struct patient *world_patient(struct world *world, enum sex sex, int years);

void world_attribute(struct world *world, const char *name);
void world_antibody(struct world *world, const char *name);
void world_antigen_negative(struct world *world, const char *name);
void world_override(struct world *world, const char *code, const char *by);

/* Allocates for the request as it stands, and answers the units: "u1 u2", or "rejected: reason". */
const char *world_allocate(struct world *world);

/* The warnings of the last allocation: "a b", in order; "" without any. */
const char *world_warnings(struct world *world);
