/* Identifiers of slots: "dr-adams.20260301.0900" is who, which day, and when it starts in the wall time of the clinic. */
#pragma once

#include <stdint.h>

#include "arena.h"

const char *slot_id_print(const char *provider_id, int64_t day, int64_t minute, struct arena *arena);

/* The parts of an identifier that has the contract's form. The date may be no real day: then there is no such slot. */
const char *slot_id_provider(const char *slot_id, struct arena *arena);
const char *slot_id_date(const char *slot_id, struct arena *arena);
