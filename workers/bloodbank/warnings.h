/* What an approval warns of. */
#pragma once

#include "allocation.h"
#include "arena.h"
#include "sourcing.h"
#include "wish.h"

/* Fills the warnings of an approval, each code at most once, and what concerns blind O- units. */
void warnings_find(const struct wish *wish, const struct picks *picks, struct arena *arena,
	struct allocation *out);
