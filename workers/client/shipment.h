/* PURE. Units from a file, as JSON or CSV, checked by the contract and cut into commands. */
#pragma once

#include "arena.h"
#include "buffer.h"
#include "events.h"
#include "outcome.h"
#include "uuid.h"

enum { SHIPMENT_UNITS_MAX = 100000, SHIPMENT_PART_MAX = 200 };

struct shipment {
	const char *bank_id, *received_by; /* the latter may be NULL */
	struct received_unit *units;
	size_t count;
};

/*
 * A JSON array of units, or CSV whose header names their members; lists in a cell are parted by semicolons, an empty cell is absent. All or
 * nothing: false when one unit is not as the contract wants it, and `why` names its line or number. Bank and receiver are the caller's.
 */
bool shipment_read(const char *text, size_t length, struct arena *arena, struct shipment *out,
	struct why *why);

size_t shipment_parts(const struct shipment *shipment);
size_t shipment_part_units(const struct shipment *shipment, size_t number);

/*
 * The part's body, and a key made of it: the same units again are the same command, and change nothing. False: the contract refuses
 * bank or receiver.
 */
bool shipment_write(const struct shipment *shipment, size_t number, struct buffer *body,
	char key[UUID_TEXT_BYTES], struct why *why);
