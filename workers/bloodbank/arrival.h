/* Whether the units of a command may be taken in. PURE. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "events.h"
#include "lookup.h"
#include "state.h"

/* One command while it is checked. */
struct arrival {
	struct state *state;
	const struct bloodbank_unit_receive *command;
	const struct bank_facts *bank;
	struct stored_unit *units; /* as they will be kept, one for each of the command */
	struct lookup earlier;     /* units of this command, by id: struct stored_unit */
	enum unit_refusal refusal; /* 0: none */
	const char *detail;
	const char *met;     /* the state that was met, or NULL */
	const char *unit_id; /* of the unit at fault */
};

/* Checks a command and makes `units`; nothing is changed. False: `refusal` says why. */
bool arrival_check(struct state *state, const struct bloodbank_unit_receive *command, struct arrival *out);
